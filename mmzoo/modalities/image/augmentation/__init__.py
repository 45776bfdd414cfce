"""Augmentations: one a file. Random changes to training pictures that leave their meaning alone.

To add one that moves pixels: a spec with `map`, `fill` and `whole_pixels`, named in `Affine`.
To add one that changes them: a spec with `apply`, named in `Pixelwise`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from mmzoo.lazy import tf
from mmzoo.modalities.image.augmentation.color import Brightness as Brightness
from mmzoo.modalities.image.augmentation.color import Contrast as Contrast
from mmzoo.modalities.image.augmentation.color import Grey as Grey
from mmzoo.modalities.image.augmentation.color import Hue as Hue
from mmzoo.modalities.image.augmentation.color import Saturation as Saturation
from mmzoo.modalities.image.augmentation.color import Sharpness as Sharpness
from mmzoo.modalities.image.augmentation.erasing import Erasing as Erasing
from mmzoo.modalities.image.augmentation.geometry import Crop as Crop
from mmzoo.modalities.image.augmentation.geometry import Flip as Flip
from mmzoo.modalities.image.augmentation.geometry import Rotation as Rotation
from mmzoo.modalities.image.augmentation.geometry import Shear as Shear
from mmzoo.modalities.image.augmentation.geometry import Shift as Shift
from mmzoo.modalities.image.augmentation.geometry import Zoom as Zoom
from mmzoo.modalities.image.augmentation.geometry import resample
from mmzoo.modalities.image.augmentation.random_policies import RandAugment as RandAugment
from mmzoo.modalities.image.augmentation.random_policies import TrivialAugment as TrivialAugment
from mmzoo.modalities.image.augmentation.tones import Autocontrast as Autocontrast
from mmzoo.modalities.image.augmentation.tones import Equalize as Equalize
from mmzoo.modalities.image.augmentation.tones import Posterize as Posterize
from mmzoo.modalities.image.augmentation.tones import Solarize as Solarize
from mmzoo.randomness import Randomness

Affine = Flip | Shift | Shear | Rotation | Zoom | Crop
Tones = Brightness | Contrast | Autocontrast | Equalize | Posterize | Solarize
Colors = Saturation | Hue | Grey
Pixelwise = Tones | Colors | Sharpness | Erasing | RandAugment | TrivialAugment
Augmentation = Annotated[Affine | Pixelwise, Field(discriminator="type")]


def augment(
    images: tf.Tensor, augmentations: Sequence[Affine | Pixelwise], randomness: Randomness
) -> tf.Tensor:
    """The pictures after all augmentations, in that order.

    Neighbours that move pixels, and agree on what is seen beyond the border, are one resampling.

    Args:
        images: uint8 `[batch, height, width, channels]`, all but the batch static; so returned.
        augmentations: What to do.
        randomness: The examples' stream; each augmentation has its own stream of it by its place.
    """
    run: list[tuple[Affine, Randomness]] = []  # Neighbours that move pixels, not yet done.
    for place, one in enumerate(augmentations):
        stream = randomness.fold(place)
        if run and not (isinstance(one, Affine) and one.fill == run[0][0].fill):
            images, run = _moved(images, run), []
        if isinstance(one, Affine):
            run.append((one, stream))
        else:
            images = one.apply(images, stream)
    return _moved(images, run) if run else images


def _moved(images: tf.Tensor, run: Sequence[tuple[Affine, Randomness]]) -> tf.Tensor:
    height, width = images.shape[1:3]
    maps = [one.map(stream, height, width) for one, stream in run]
    whole_pixels = all(one.whole_pixels for one, _ in run)
    return resample(images, maps, run[0][0].fill, whole_pixels)
