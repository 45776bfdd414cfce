"""Spec, and the way from a YAML file to one: the loader, `--set`, the wording of errors."""

from mmzoo.spec.base import Fraction as Fraction
from mmzoo.spec.base import NonNegativeFloat as NonNegativeFloat
from mmzoo.spec.base import NonNegativeInt as NonNegativeInt
from mmzoo.spec.base import PositiveFloat as PositiveFloat
from mmzoo.spec.base import PositiveInt as PositiveInt
from mmzoo.spec.base import Problem as Problem
from mmzoo.spec.base import Rate as Rate
from mmzoo.spec.base import Spec as Spec
