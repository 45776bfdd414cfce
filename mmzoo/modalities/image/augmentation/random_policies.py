"""Random augmentation policies: RandAugment and TrivialAugment."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from mmzoo.lazy import tf
from mmzoo.modalities.image.augmentation.color import brightened, contrasted, saturated, sharpened
from mmzoo.modalities.image.augmentation.geometry import (
    Fill,
    resample,
    rotation,
    shearing,
    translation,
)
from mmzoo.modalities.image.augmentation.tones import (
    autocontrasted,
    equalized,
    posterized,
    solarized,
)
from mmzoo.randomness import Randomness
from mmzoo.spec import PositiveInt, Spec

Operation = Callable[["tf.Tensor", "tf.Tensor"], "tf.Tensor"]
"""From pictures, uint8 `[batch, height, width, channels]`, and strengths, float32 `[batch]` from -1
to 1, to pictures."""

NUM_OPERATIONS = 14


@dataclass(frozen=True)
class Distortions:
    """The operations, and how far each of them goes at full strength.

    Strength 0 changes nothing, but in auto-contrast and equalize, which have none. The sign of a
    strength is the direction, where there are two.
    """

    degrees: float
    """Of rotation."""
    shear: float
    """How far a row or column moves, as a fraction of its distance from the middle."""
    right: float
    """How far a picture moves sideways, in pixels."""
    down: float
    """How far it moves up or down, in pixels."""
    factor: float
    """How far colour, contrast, brightness and sharpness go from 1."""
    bits: int
    """How many posterize leaves."""
    fill: Fill
    """What is seen where a moved picture does not reach."""

    def operations(self) -> tuple[Operation, ...]:
        """All of them; `apply` names one by its place here, which a resumed training relies on."""
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

    def apply(self, images: tf.Tensor, places: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Each picture after the one operation that is its own.

        The batch is parted by operation, so no picture pays for those that others have drawn.

        Args:
            images: uint8 `[batch, height, width, channels]`, all but the batch static; so returned.
            places: int32 `[batch]`: which of `operations()`.
            strengths: float32 `[batch]`, from -1 to 1.
        """
        rows = tf.dynamic_partition(tf.range(tf.shape(images)[0]), places, NUM_OPERATIONS)
        parts = [
            operation(tf.gather(images, chosen), tf.gather(strengths, chosen))
            for operation, chosen in zip(self.operations(), rows, strict=True)
        ]
        return tf.ensure_shape(tf.dynamic_stitch(rows, parts), images.shape)

    def identity(self, images: tf.Tensor, _strengths: tf.Tensor) -> tf.Tensor:
        """The very pictures."""
        return images

    def autocontrast(self, images: tf.Tensor, _strengths: tf.Tensor) -> tf.Tensor:
        """From black to white."""
        return autocontrasted(images)

    def equalize(self, images: tf.Tensor, _strengths: tf.Tensor) -> tf.Tensor:
        """All values about as frequent."""
        return equalized(images)

    def rotate(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Turned about the centre."""
        return self._moved(images, rotation(strengths * math.radians(self.degrees)))

    def solarize(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Bright values inverted: none at strength 0, all at 1."""
        thresholds = 256 - tf.cast(tf.round(256.0 * tf.abs(strengths)), tf.int32)
        return solarized(images, thresholds)

    def color(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Paler or stronger."""
        return saturated(images, self._factors(strengths))

    def posterize(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Fewer tones: all at strength 0."""
        lost = tf.cast(tf.round((8.0 - self.bits) * tf.abs(strengths)), tf.int32)
        return posterized(images, 8 - lost)

    def contrast(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Flatter or harsher."""
        return contrasted(images, self._factors(strengths))

    def brightness(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Darker or lighter."""
        return brightened(images, self._factors(strengths))

    def sharpness(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Blurred or sharper."""
        return sharpened(images, self._factors(strengths))

    def shear_x(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Rows moved sideways."""
        return self._moved(images, shearing(strengths * self.shear, tf.zeros_like(strengths)))

    def shear_y(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Columns moved up and down."""
        return self._moved(images, shearing(tf.zeros_like(strengths), strengths * self.shear))

    def translate_x(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Moved sideways."""
        return self._moved(images, translation(strengths * self.right, tf.zeros_like(strengths)))

    def translate_y(self, images: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
        """Moved up or down."""
        return self._moved(images, translation(tf.zeros_like(strengths), strengths * self.down))

    def _moved(self, images: tf.Tensor, maps: tf.Tensor) -> tf.Tensor:
        return resample(images, [maps], self.fill, whole_pixels=False)

    def _factors(self, strengths: tf.Tensor) -> tf.Tensor:
        return 1.0 + self.factor * strengths


def moderate(height: int, width: int, fill: Fill) -> Distortions:
    """The ranges of AutoAugment and RandAugment, for pictures of this size.

    Reference: Cubuk et al., "AutoAugment: learning augmentation strategies from data", 2019,
    whose 150 pixels of 331 are the shift here.
    """
    return Distortions(
        degrees=30.0,
        shear=0.3,
        right=width * 150.0 / 331.0,
        down=height * 150.0 / 331.0,
        factor=0.9,
        bits=4,
        fill=fill,
    )


def wide(fill: Fill) -> Distortions:
    """The wide ranges of TrivialAugment, in which a picture of any size moves by 32 pixels."""
    return Distortions(
        degrees=135.0, shear=0.99, right=32.0, down=32.0, factor=0.99, bits=2, fill=fill
    )


class RandAugment(Spec):
    """Does some operations on each picture, one after the other, drawn anew for each.

    They are the paper's fourteen: identity, auto-contrast, equalize, rotate, solarize, color,
    posterize, contrast, brightness, sharpness, shear and translate along x and y. Those that have
    a direction go either way, which for color, contrast, brightness and sharpness is less or more;
    the paper's own code has these from less to more as the magnitude grows. Other deviations:
    pictures are slanted about their centre and not a corner, interpolated where the paper takes
    the nearest pixel, and black is seen beyond the border, unless `fill` says otherwise.

    Reference: Cubuk et al., "RandAugment: practical automated data augmentation with a reduced
    search space", 2019.
    """

    type: Literal["randaugment"] = "randaugment"
    operations: PositiveInt = 2
    """How many are done on each picture: the paper's N."""
    magnitude: Annotated[float, Ge(0), Le(10)] = 9.0
    """How strong they are: the paper's M, from 0 to 10. Tools that count to 30 write 27 for 9."""
    fill: Fill = "constant"
    """What is seen where a moved picture does not reach: constant (black), nearest (pixel) or
    reflect."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        height, width = images.shape[1:3]
        distortions = moderate(height, width, self.fill)
        for n in range(self.operations):
            place, sign = tf.unstack(randomness.fold(n).uniform(2), axis=1)
            images = distortions.apply(
                images,
                tf.cast(place * NUM_OPERATIONS, tf.int32),
                tf.where(sign < 0.5, -1.0, 1.0) * (self.magnitude / 10.0),
            )
        return images


NUM_STRENGTHS = 31


class TrivialAugment(Spec):
    """Does one operation on each picture, of any strength; there is nothing to tune.

    The operations are those of `randaugment`, done as they are there; the strength is one of 31,
    from nothing to the end of the range. A wide range ends at 135 degrees, a slant of 0.99, a
    shift of 32 pixels, 2 bits, and factors of 0.01 and 1.99, so that a picture of 32 pixels may
    leave its frame, as it may in the paper.

    Reference: Müller and Hutter, "TrivialAugment: tuning-free yet state-of-the-art data
    augmentation", 2021.
    """

    type: Literal["trivialaugment"] = "trivialaugment"
    ranges: Literal["wide", "moderate"] = "wide"
    """How far the operations go: wide, or as far as those of RandAugment."""
    fill: Fill = "constant"
    """What is seen where a moved picture does not reach: constant (black), nearest (pixel) or
    reflect."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        height, width = images.shape[1:3]
        distortions = (
            wide(self.fill) if self.ranges == "wide" else moderate(height, width, self.fill)
        )
        place, sign, strength = tf.unstack(randomness.uniform(3), axis=1)
        strength = tf.floor(strength * NUM_STRENGTHS) * (1.0 / (NUM_STRENGTHS - 1))
        return distortions.apply(
            images,
            tf.cast(place * NUM_OPERATIONS, tf.int32),
            tf.where(sign < 0.5, -1.0, 1.0) * strength,
        )
