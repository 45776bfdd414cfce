"""How a network begins: gently on small pictures, in large strides on photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from keras import KerasTensor

Stem = Literal["auto", "imagenet", "small"]

_PHOTO = 64
"""Height and width, in pixels, from which a picture can bear the strides of ImageNet's stems, which
leave a quarter of each or less."""


def strides_like_imagenet(stem: Stem, image: KerasTensor) -> bool:
    """Whether the network begins as the paper's did on ImageNet; `auto` goes by the size.

    Args:
        stem: as the config has it.
        image: `[batch, height, width, channels]`.
    """
    return stem == "imagenet" or (stem == "auto" and min(image.shape[1:3]) >= _PHOTO)
