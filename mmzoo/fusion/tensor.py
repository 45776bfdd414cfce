"""The outer product of features."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from mmzoo import layers
from mmzoo.fusion.base_fusion import FeatureFusion
from mmzoo.modalities.base_encoder import Features
from mmzoo.spec import PositiveInt, Problem

_LARGEST = 65_536
"""Limit on the entries of the outer product: followed by 128 units, 8 million weights."""
_LARGEST_BY_DEFAULT = 4_096
_WIDEST_BY_DEFAULT = 16


class Tensor(FeatureFusion):
    """Tensor fusion: the outer product of the inputs' vectors, each with a 1 appended.

    It contains every product of features of different inputs and, because of the 1, products of
    fewer inputs and the features themselves. Its size is the product of the widths, so wide vectors
    are projected first, each by a linear layer. For many or wide inputs, use `bilinear`.

    Reference: Zadeh et al., "Tensor fusion network for multimodal sentiment analysis", 2017.
    """

    type: Literal["tensor"] = "tensor"
    dim: PositiveInt | None = None
    """The width that wider vectors are projected to. By default 16, or less so that the outer
    product has at most 4,096 entries; it can have 65,536."""

    def input_rules(self, inputs: Collection[str]) -> Iterator[Problem]:
        count = len(inputs)
        if count == 1:
            return
        most = _widest(count, _LARGEST)
        if not most:
            yield Problem(
                ("type",),
                f"{count} inputs have too large an outer product at any width: it could have "
                f"{2**count:,} entries at least, of at most {_LARGEST:,}. Choose `bilinear`",
            )
        elif self.dim is not None and self.dim > most:
            yield Problem(
                ("dim",),
                f"expected at most {most} for {count} inputs: their outer product can have "
                f"{(self.dim + 1) ** count:,} entries, of at most {_LARGEST:,}; got {self.dim}. "
                "Or choose `bilinear`",
            )

    def width(self, inputs: int) -> int:
        """The largest width of the vectors of this number of inputs."""
        by_default = min(_WIDEST_BY_DEFAULT, max(1, _widest(inputs, _LARGEST_BY_DEFAULT)))
        return self.dim or by_default

    def projections(self, widths: Mapping[str, int]) -> dict[str, int]:
        most = self.width(len(widths))
        return {name: most for name, width in widths.items() if width > most}

    def combine_features(self, features: Mapping[str, Features]) -> Features:

        return Features(
            layers.OuterProduct(name="fusion_product")(list(self.projected(features).values()))
        )


def _widest(inputs: int, entries: int) -> int:
    """The largest width at which the outer product of vectors and a 1 has at most `entries`."""
    width = 0
    while (width + 2) ** inputs <= entries:
        width += 1
    return width
