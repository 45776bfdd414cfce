"""Fusion: the features of all inputs become one vector, or decisions. One fusion a file."""

from typing import Annotated

from pydantic import Field

from mmzoo.fusion.base import by_itself as by_itself
from mmzoo.fusion.concat import Concat as Concat
from mmzoo.fusion.decision import Decision as Decision

Fusion = Annotated[Concat | Decision, Field(discriminator="type")]
