"""Mixing: training examples made of two, inputs and targets alike."""

from typing import Annotated

from pydantic import Field

from mmzoo.mixing.cutmix import CutMix as CutMix
from mmzoo.mixing.mixup import Mixup as Mixup

Mixing = Annotated[Mixup | CutMix, Field(discriminator="type")]
