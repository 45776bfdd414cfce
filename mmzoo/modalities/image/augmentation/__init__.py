"""Image augmentations: random changes to training images that preserve the label.

To add a geometric augmentation, write a spec with `map`, `fill` and `whole_pixels` and add it to
`Affine`. To add one that changes pixel values, write a spec with `apply` and add it to `Pixelwise`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from mmzoo.lazy import tf
from mmzoo.modalities.image.augmentation.color import Brightness as Brightness
from mmzoo.modalities.image.augmentation.color import Contrast as Contrast
from mmzoo.modalities.image.augmentation.color import Greyscale as Greyscale
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
Colors = Saturation | Hue | Greyscale
Pixelwise = Tones | Colors | Sharpness | Erasing | RandAugment | TrivialAugment
Augmentation = Annotated[Affine | Pixelwise, Field(discriminator="type")]


def augment(
    images: tf.Tensor, augmentations: Sequence[Affine | Pixelwise], randomness: Randomness
) -> tf.Tensor:
    """Applies augmentations to images, one after the other.

    Adjacent geometric augmentations with the same `fill` are composed into one resampling.

    Args:
        images: uint8 `[batch, height, width, channels]`; all sizes but the batch are static.
        augmentations: augmentations in the order of application.
        randomness: random stream of the examples. Each augmentation has its own substream, by its
            index.

    Returns:
        Uint8, same shape as `images`.
    """
    run: list[tuple[Affine, Randomness]] = []  # Geometric augmentations, not yet applied.
    for index, augmentation in enumerate(augmentations):
        stream = randomness.fold(index)
        if run and not (isinstance(augmentation, Affine) and augmentation.fill == run[0][0].fill):
            images, run = _resample(images, run), []
        if isinstance(augmentation, Affine):
            run.append((augmentation, stream))
        else:
            images = augmentation.apply(images, stream)
    return _resample(images, run) if run else images


def _resample(images: tf.Tensor, run: Sequence[tuple[Affine, Randomness]]) -> tf.Tensor:
    """Images after the composition of geometric augmentations."""
    height, width = images.shape[1:3]
    maps = [augmentation.map(stream, height, width) for augmentation, stream in run]
    whole_pixels = all(augmentation.whole_pixels for augmentation, _ in run)
    return resample(images, maps, run[0][0].fill, whole_pixels)
