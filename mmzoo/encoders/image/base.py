"""What every image encoder offers besides its network."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from mmzoo.encoders.base import Encoder


class ImageNetwork(Encoder):
    """Pixels from 0 to 255 in, features out; each network scales the pixels for itself."""

    channels: ClassVar[tuple[int, ...]] = (1, 3)
    """How many channels its pictures may have."""

    @abstractmethod
    def smallest_image(self) -> int:
        """The smallest height or width, in pixels, that the network works with."""
