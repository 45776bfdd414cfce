"""Fusion: the features of all inputs become one vector, or decisions. One fusion a file."""

from typing import Annotated

from pydantic import Field

from mmzoo.fusion.average import Average as Average
from mmzoo.fusion.base import BaseFusion as BaseFusion
from mmzoo.fusion.base import by_itself as by_itself
from mmzoo.fusion.concat import Concat as Concat
from mmzoo.fusion.cross_attention import CrossAttention as CrossAttention
from mmzoo.fusion.decision import Decision as Decision
from mmzoo.fusion.film import FiLM as FiLM
from mmzoo.fusion.gated import Gated as Gated
from mmzoo.fusion.weighted import Weighted as Weighted

Fusion = Annotated[
    Concat | Average | Weighted | Gated | CrossAttention | FiLM | Decision,
    Field(discriminator="type"),
]
