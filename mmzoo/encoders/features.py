"""Features: what every encoder makes of its input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras import KerasTensor


@dataclass(frozen=True)
class Features:
    """What an encoder makes of one input.

    Attributes:
        vector: float `[batch, width]`, one vector per example.
        tokens: float `[batch, positions, width]`, or None where the encoder has none: the positions
            of an image's last feature map, the words of a text, the frames of a sound.
        mask: bool `[batch, positions]`, true where a token is one and not padding; None where all
            of them are.
    """

    vector: KerasTensor
    tokens: KerasTensor | None = None
    mask: KerasTensor | None = None

    def tensors(self) -> list[KerasTensor]:
        """Those that there are, in the order of the attributes."""
        return [x for x in (self.vector, self.tokens, self.mask) if x is not None]
