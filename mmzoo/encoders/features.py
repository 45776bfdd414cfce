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
    """

    vector: KerasTensor
    tokens: KerasTensor | None = None
