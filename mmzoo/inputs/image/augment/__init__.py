"""Augmentations: one a file. Random changes to training pictures that leave their meaning alone.

To add one that moves pixels: a spec with `map`, `fill` and `whole_pixels`, named in `Affine`.
To add one that changes them: a spec with `apply`, named in `Pixelwise`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from mmzoo.inputs.image.augment.affine import resample
from mmzoo.inputs.image.augment.autocontrast import Autocontrast as Autocontrast
from mmzoo.inputs.image.augment.brightness import Brightness as Brightness
from mmzoo.inputs.image.augment.contrast import Contrast as Contrast
from mmzoo.inputs.image.augment.crop import Crop as Crop
from mmzoo.inputs.image.augment.equalize import Equalize as Equalize
from mmzoo.inputs.image.augment.erasing import Erasing as Erasing
from mmzoo.inputs.image.augment.flip import Flip as Flip
from mmzoo.inputs.image.augment.grey import Grey as Grey
from mmzoo.inputs.image.augment.hue import Hue as Hue
from mmzoo.inputs.image.augment.posterize import Posterize as Posterize
from mmzoo.inputs.image.augment.randaugment import RandAugment as RandAugment
from mmzoo.inputs.image.augment.rotation import Rotation as Rotation
from mmzoo.inputs.image.augment.saturation import Saturation as Saturation
from mmzoo.inputs.image.augment.sharpness import Sharpness as Sharpness
from mmzoo.inputs.image.augment.shear import Shear as Shear
from mmzoo.inputs.image.augment.shift import Shift as Shift
from mmzoo.inputs.image.augment.solarize import Solarize as Solarize
from mmzoo.inputs.image.augment.trivialaugment import TrivialAugment as TrivialAugment
from mmzoo.inputs.image.augment.zoom import Zoom as Zoom
from mmzoo.randomness import Randomness

if TYPE_CHECKING:
    import tensorflow as tf

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
