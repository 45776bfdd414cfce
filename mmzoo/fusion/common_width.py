"""What fusions share that need vectors of one width."""

from __future__ import annotations

from collections.abc import Mapping

from mmzoo.fusion.features import FeatureFusion
from mmzoo.spec import PositiveInt

_WIDEST = 256
"""How wide vectors of several widths are made at most, unless the config says it."""


class CommonWidth(FeatureFusion):
    """Vectors of one width are joined entry by entry; those of another are projected to it."""

    dim: PositiveInt | None = None
    """The width at which inputs are joined. Those whose vectors have another are projected to it,
    each by a linear layer of its own. By default that which all have, or else the largest, but at
    most 256."""

    def width(self, widths: Mapping[str, int]) -> int:
        """The width at which inputs whose vectors have these are joined."""
        if self.dim is not None:
            return self.dim
        several = set(widths.values())
        return min(max(several), _WIDEST) if len(several) > 1 else several.pop()

    def projections(self, widths: Mapping[str, int]) -> dict[str, int]:
        common = self.width(widths)
        return {name: common for name, width in widths.items() if width != common}
