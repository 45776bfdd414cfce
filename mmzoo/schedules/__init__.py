"""Schedules of the learning rate. One schedule a file."""

from typing import Annotated

from pydantic import Field

from mmzoo.schedules.constant import Constant as Constant
from mmzoo.schedules.cosine import Cosine as Cosine
from mmzoo.schedules.exponential import Exponential as Exponential
from mmzoo.schedules.one_cycle import OneCycle as OneCycle
from mmzoo.schedules.plateau import Plateau as Plateau
from mmzoo.schedules.step import Step as Step

Schedule = Annotated[
    Constant | Step | Exponential | Cosine | OneCycle | Plateau, Field(discriminator="type")
]
