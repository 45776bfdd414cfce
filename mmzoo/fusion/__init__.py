"""Fusions: combine the features of all inputs, or the heads' predictions. One fusion a file."""

from typing import Annotated

from pydantic import Field

from mmzoo.fusion.attention import Attention as Attention
from mmzoo.fusion.average import Average as Average
from mmzoo.fusion.base_fusion import BaseFusion as BaseFusion
from mmzoo.fusion.base_fusion import FeatureFusion as FeatureFusion
from mmzoo.fusion.base_fusion import HasPrior as HasPrior
from mmzoo.fusion.base_fusion import auxiliary_name as auxiliary_name
from mmzoo.fusion.bilinear import Bilinear as Bilinear
from mmzoo.fusion.concat import Concat as Concat
from mmzoo.fusion.conv import Conv as Conv
from mmzoo.fusion.cross_attention import CrossAttentionFusion as CrossAttentionFusion
from mmzoo.fusion.decision import Decision as Decision
from mmzoo.fusion.film import FiLM as FiLM
from mmzoo.fusion.gated import Gated as Gated
from mmzoo.fusion.tensor import Tensor as Tensor
from mmzoo.fusion.variational import Variational as Variational
from mmzoo.fusion.weighted import Weighted as Weighted

Fusion = Annotated[
    Concat
    | Average
    | Weighted
    | Gated
    | Conv
    | Attention
    | CrossAttentionFusion
    | Bilinear
    | Tensor
    | FiLM
    | Variational
    | Decision,
    Field(discriminator="type"),
]
