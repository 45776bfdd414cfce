"""Specs: validated sections of a config, loaded from YAML and `--set`, with readable errors."""

from mmzoo.spec.config_file import describe_missing_path as describe_missing_path
from mmzoo.spec.config_file import is_table as is_table
from mmzoo.spec.config_file import nearest_path as nearest_path
from mmzoo.spec.load_spec import config_name as config_name
from mmzoo.spec.load_spec import load_spec as load_spec
from mmzoo.spec.spec_model import Fraction as Fraction
from mmzoo.spec.spec_model import NonNegativeFloat as NonNegativeFloat
from mmzoo.spec.spec_model import NonNegativeInt as NonNegativeInt
from mmzoo.spec.spec_model import PositiveFloat as PositiveFloat
from mmzoo.spec.spec_model import PositiveInt as PositiveInt
from mmzoo.spec.spec_model import Problem as Problem
from mmzoo.spec.spec_model import Rate as Rate
from mmzoo.spec.spec_model import Spec as Spec
from mmzoo.spec.spec_model import WithinInt32 as WithinInt32
from mmzoo.spec.spec_model import field_notes as field_notes
from mmzoo.spec.spec_model import json_schema as json_schema
from mmzoo.spec.wording import did_you_mean as did_you_mean
from mmzoo.spec.wording import nearest as nearest
from mmzoo.spec.yaml_writer import dump_yaml as dump_yaml
