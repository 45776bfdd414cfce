"""Backbone: what mmzoo knows of a pretrained network before it is built."""

from __future__ import annotations

from dataclasses import dataclass

from mmzoo.encoders.image.pretrained.official import OfficialWeights
from mmzoo.encoders.image.pretrained.scaling import Scaling


@dataclass(frozen=True)
class Backbone:
    """One network, without its classifier."""

    title: str
    function: str
    """Builds it: its name in keras.applications."""
    parameters: int
    size: int
    """Height and width, in pixels, of the pictures that it was trained on."""
    scaling: Scaling
    reference: str
    weights: OfficialWeights
    smallest: int = 32
    """The smallest height or width that it works with."""
    scales_itself: bool = False
    """Whether its first layers scale pixels unless they are told not to."""

    @property
    def summary(self) -> str:
        """A sentence about it."""
        return (
            f"{self.title}: {self.parameters / 1e6:.1f} million parameters, learnt on ImageNet at "
            f"{self.size} x {self.size} pixels (smallest: {self.smallest} x {self.smallest})."
        )
