"""Random augmentation policies: RandAugment and TrivialAugment."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from mmzoo.lazy import tf
from mmzoo.modalities.image.augmentation.color import (
    adjust_brightness,
    adjust_contrast,
    adjust_saturation,
    adjust_sharpness,
)
from mmzoo.modalities.image.augmentation.geometry import (
    Fill,
    resample,
    rotation,
    shearing,
    translation,
)
from mmzoo.modalities.image.augmentation.tones import (
    autocontrast,
    equalize,
    posterize,
    solarize,
)
from mmzoo.randomness import Randomness
from mmzoo.spec import PositiveInt, Spec

Operation = Callable[["tf.Tensor", "tf.Tensor"], "tf.Tensor"]
"""Function from images, uint8 `[batch, height, width, channels]`, and strengths, float32 `[batch]`
from -1 to 1, to augmented images."""

NUM_OPERATIONS = 14


@dataclass(frozen=True)
class AugmentationSpace:
    """Operations of RandAugment and TrivialAugment, with their range at full strength.

    At strength 0 an operation changes nothing, except `autocontrast` and `equalize`, which have no
    strength. The sign of the strength is the direction, for operations that have two.
    """

    degrees: float
    """Maximum rotation, in degrees."""
    shear: float
    """Maximum shift of a row or column, as a fraction of its distance from the center."""
    right: float
    """Maximum horizontal translation, in pixels."""
    down: float
    """Maximum vertical translation, in pixels."""
    factor: float
    """Maximum distance from 1 of the factors of color, contrast, brightness and sharpness."""
    bits: int
    """Minimum number of bits that `posterize` keeps."""
    fill: Fill
    """Values outside a transformed image."""

    def operations(self) -> tuple[Operation, ...]:
        """All operations, in a fixed order: random indices refer to it, also in resumed runs."""
        return (
            self.identity,
            self.autocontrast,
            self.equalize,
            self.rotate,
            self.solarize,
            self.color,
            self.posterize,
            self.contrast,
            self.brightness,
            self.sharpness,
            self.shear_x,
            self.shear_y,
            self.translate_x,
            self.translate_y,
        )

    def apply(self, images: tf.Tensor, indices: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Applies one operation to each image.

        The batch is partitioned by operation, so that each image is processed once.

        Args:
            images: uint8 `[batch, height, width, channels]`; all sizes but the batch are static.
            indices: int32 `[batch]`, indices into `operations()`.
            strengths: float32 `[batch]`, from -1 to 1.

        Returns:
            Uint8, same shape as `images`.
        """
        rows = tf.dynamic_partition(tf.range(tf.shape(images)[0]), indices, NUM_OPERATIONS)
        parts = [
            operation(tf.gather(images, chosen), tf.gather(strengths, chosen))
            for operation, chosen in zip(self.operations(), rows, strict=True)
        ]
        return tf.ensure_shape(tf.dynamic_stitch(rows, parts), images.shape)

    def identity(self, images: tf.Tensor, _strengths: tf.Tensor) -> tf.Tensor:
        """The unchanged images."""
        return images

    def autocontrast(self, images: tf.Tensor, _strengths: tf.Tensor) -> tf.Tensor:
        """Each channel stretched to the full range."""
        return autocontrast(images)

    def equalize(self, images: tf.Tensor, _strengths: tf.Tensor) -> tf.Tensor:
        """Histogram of each channel equalized."""
        return equalize(images)

    def rotate(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Rotation about the center."""
        return self._resample(images, rotation(strengths * math.radians(self.degrees)))

    def solarize(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Bright values inverted: none at strength 0, all at 1."""
        thresholds = 256 - tf.cast(tf.round(256.0 * tf.abs(strengths)), tf.int32)
        return solarize(images, thresholds)

    def color(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Lower or higher saturation."""
        return adjust_saturation(images, self._factors(strengths))

    def posterize(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Fewer bits per value: all 8 at strength 0."""
        lost = tf.cast(tf.round((8.0 - self.bits) * tf.abs(strengths)), tf.int32)
        return posterize(images, 8 - lost)

    def contrast(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Lower or higher contrast."""
        return adjust_contrast(images, self._factors(strengths))

    def brightness(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Lower or higher brightness."""
        return adjust_brightness(images, self._factors(strengths))

    def sharpness(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Blurred or sharpened."""
        return adjust_sharpness(images, self._factors(strengths))

    def shear_x(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Rows shifted horizontally."""
        return self._resample(images, shearing(strengths * self.shear, tf.zeros_like(strengths)))

    def shear_y(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Columns shifted vertically."""
        return self._resample(images, shearing(tf.zeros_like(strengths), strengths * self.shear))

    def translate_x(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Horizontal translation."""
        return self._resample(images, translation(strengths * self.right, tf.zeros_like(strengths)))

    def translate_y(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Vertical translation."""
        return self._resample(images, translation(tf.zeros_like(strengths), strengths * self.down))

    def _resample(self, images: tf.Tensor, maps: tf.Tensor) -> tf.Tensor:
        return resample(images, [maps], self.fill, whole_pixels=False)

    def _factors(self, strengths: tf.Tensor) -> tf.Tensor:
        return 1.0 + self.factor * strengths


def moderate(height: int, width: int, fill: Fill) -> AugmentationSpace:
    """Augmentation space with the ranges of AutoAugment and RandAugment, for an image size.

    Translations are 150/331 of the image size, as in the paper's ImageNet experiments.

    Reference: Cubuk et al., "AutoAugment: learning augmentation strategies from data", 2019.
    """
    return AugmentationSpace(
        degrees=30.0,
        shear=0.3,
        right=width * 150.0 / 331.0,
        down=height * 150.0 / 331.0,
        factor=0.9,
        bits=4,
        fill=fill,
    )


def wide(fill: Fill) -> AugmentationSpace:
    """Augmentation space with the wide ranges of TrivialAugment: 32 pixels for any image size."""
    return AugmentationSpace(
        degrees=135.0, shear=0.99, right=32.0, down=32.0, factor=0.99, bits=2, fill=fill
    )


class RandAugment(Spec):
    """RandAugment: a fixed number of random operations per image, at a fixed magnitude.

    The operations are the paper's fourteen: identity, autocontrast, equalize, rotate, solarize,
    color, posterize, contrast, brightness, sharpness, and shear and translate along x and y.
    Operations with a direction are applied in a random direction; for color, contrast, brightness
    and sharpness, the authors' code goes from less to more with the magnitude instead. Other
    differences from that code: shear is about the center, not a corner; pixels are interpolated
    bilinearly; and values outside the image are black unless `fill` is set.

    Reference: Cubuk et al., "RandAugment: practical automated data augmentation with a reduced
    search space", 2019.
    """

    type: Literal["randaugment"] = "randaugment"
    operations: PositiveInt = 2
    """Number of operations per image: the paper's N."""
    magnitude: Annotated[float, Ge(0), Le(10)] = 9.0
    """Strength of the operations: the paper's M, from 0 to 10. A magnitude of 27 in tools with a
    scale to 30 is 9 here."""
    fill: Fill = "constant"
    """Values outside the image: constant (black), nearest (pixel) or reflect."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Augmented images: uint8 `[batch, height, width, channels]`, like the input."""
        height, width = images.shape[1:3]
        space = moderate(height, width, self.fill)
        for n in range(self.operations):
            index, sign = tf.unstack(randomness.fold(n).uniform(2), axis=1)
            images = space.apply(
                images,
                tf.cast(index * NUM_OPERATIONS, tf.int32),
                tf.where(sign < 0.5, -1.0, 1.0) * (self.magnitude / 10.0),
            )
        return images


NUM_STRENGTHS = 31


class TrivialAugment(Spec):
    """TrivialAugment: one random operation per image, at a random strength; nothing to tune.

    The operations are those of `randaugment`, with 31 strengths from zero to the end of the range.
    The wide range ends at 135 degrees, a shear of 0.99, a translation of 32 pixels, 2 bits, and
    factors of 0.01 and 1.99. As in the paper, an image of 32 pixels may be moved out of the frame.

    Reference: Müller and Hutter, "TrivialAugment: tuning-free yet state-of-the-art data
    augmentation", 2021.
    """

    type: Literal["trivialaugment"] = "trivialaugment"
    ranges: Literal["wide", "moderate"] = "wide"
    """Range of the operations: wide, or moderate as in RandAugment."""
    fill: Fill = "constant"
    """Values outside the image: constant (black), nearest (pixel) or reflect."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Augmented images: uint8 `[batch, height, width, channels]`, like the input."""
        height, width = images.shape[1:3]
        space = wide(self.fill) if self.ranges == "wide" else moderate(height, width, self.fill)
        index, sign, strength = tf.unstack(randomness.uniform(3), axis=1)
        strength = tf.floor(strength * NUM_STRENGTHS) * (1.0 / (NUM_STRENGTHS - 1))
        return space.apply(
            images,
            tf.cast(index * NUM_OPERATIONS, tf.int32),
            tf.where(sign < 0.5, -1.0, 1.0) * strength,
        )
