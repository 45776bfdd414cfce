"""Objectives: what training minimizes. One objective a file."""

from typing import Annotated

from pydantic import Field

from mmzoo.objectives.base_objective import BaseObjective as BaseObjective
from mmzoo.objectives.gan import Gan as Gan
from mmzoo.objectives.supervised import Supervised as Supervised

Objective = Annotated[Supervised | Gan, Field(discriminator="type")]
