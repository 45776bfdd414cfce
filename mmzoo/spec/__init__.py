"""Spec, and the way from a YAML file to one: the loader, `--set`, the wording of errors."""

from mmzoo.spec.base import Fraction as Fraction
from mmzoo.spec.base import NonNegativeFloat as NonNegativeFloat
from mmzoo.spec.base import NonNegativeInt as NonNegativeInt
from mmzoo.spec.base import PositiveFloat as PositiveFloat
from mmzoo.spec.base import PositiveInt as PositiveInt
from mmzoo.spec.base import Problem as Problem
from mmzoo.spec.base import Rate as Rate
from mmzoo.spec.base import Spec as Spec
from mmzoo.spec.base import WithinInt32 as WithinInt32
from mmzoo.spec.dump import dump_yaml as dump_yaml
from mmzoo.spec.files import what_is_missing as what_is_missing
from mmzoo.spec.load import load_spec as load_spec
from mmzoo.spec.notes import field_notes as field_notes
from mmzoo.spec.schema import json_schema as json_schema
from mmzoo.spec.words import did_you_mean as did_you_mean
from mmzoo.spec.words import nearest as nearest
