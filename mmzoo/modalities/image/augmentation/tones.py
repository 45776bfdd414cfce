"""Tone augmentations: autocontrast, equalize, posterize and solarize."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le

from mmzoo.lazy import tf
from mmzoo.modalities.image.augmentation.random_apply import by_chance
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec


def autocontrasted(images: tf.Tensor) -> tf.Tensor:
    """Each channel stretched until it reaches from 0 to 255; one of a single value as it is.

    Args:
        images: uint8 `[batch, height, width, channels]`, all but the batch static; so returned.
    """
    darkest = tf.reduce_min(images, axis=[1, 2], keepdims=True)
    brightest = tf.reduce_max(images, axis=[1, 2], keepdims=True)
    flat = darkest == brightest
    darkest = tf.where(flat, tf.zeros_like(darkest), darkest)
    spread = tf.where(flat, 255.0, tf.cast(brightest - darkest, tf.float32))
    stretched = (tf.cast(images, tf.float32) - tf.cast(darkest, tf.float32)) * (255.0 / spread)
    return tf.saturate_cast(tf.round(stretched), tf.uint8)


def equalized(images: tf.Tensor) -> tf.Tensor:
    """Each channel with its values spread until all are about as frequent.

    Args:
        images: uint8 `[batch, height, width, channels]`, all but the batch static; so returned.
    """
    height, width, channels = images.shape[1:]
    # Channels count in bins of their own, 256 after 256, so that nothing need be transposed.
    bins = tf.cast(images, tf.int32) + 256 * tf.range(channels)
    bins = tf.reshape(bins, [-1, height * width * channels])
    counts = tf.raw_ops.DenseBincount(
        input=bins, size=256 * channels, weights=tf.zeros([0], tf.int32), binary_output=False
    )
    tables = tf.reshape(_equalizing(tf.reshape(counts, [-1, channels, 256])), [-1, 256 * channels])
    return tf.reshape(tf.gather(tables, bins, batch_dims=1), [-1, height, width, channels])


def _equalizing(counts: tf.Tensor) -> tf.Tensor:
    """What each value becomes, uint8, for how often it is there, int32, both `[..., 256]`."""
    below = tf.cumsum(counts, axis=-1, exclusive=True)
    pixels = tf.reduce_sum(counts, axis=-1, keepdims=True)
    # Pixels of the brightest value there is take no part in what a step is.
    brightest = tf.reduce_max(tf.where(counts > 0, tf.range(256), 0), axis=-1)
    step = (pixels - tf.gather(counts, brightest, batch_dims=2)[..., None]) // 255
    tables = tf.minimum((below + step // 2) // tf.maximum(step, 1), 255)
    return tf.cast(tf.where(step > 0, tables, tf.range(256)), tf.uint8)


def posterized(images: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
    """The upper bits of each value, the others zero.

    Args:
        images: uint8 `[batch, height, width, channels]`; so returned.
        bits: int32 `[batch]`, from 1 to 8: how many are kept.
    """
    lost = tf.cast(8 - bits, tf.uint8)[:, None, None, None]
    return tf.bitwise.left_shift(tf.bitwise.right_shift(images, lost), lost)


def solarized(images: tf.Tensor, thresholds: tf.Tensor) -> tf.Tensor:
    """The negative of each value from the threshold upwards.

    Args:
        images: uint8 `[batch, height, width, channels]`; so returned.
        thresholds: int32 `[batch]`, from 0 (all is inverted) to 256 (nothing is).
    """
    inverted = tf.cast(images, tf.int32) >= thresholds[:, None, None, None]
    # All bits turned are 255 less the value; `tf.where` takes ten times as long.
    return tf.bitwise.bitwise_xor(images, tf.cast(inverted, tf.uint8) * 255)


class Autocontrast(Spec):
    """Stretches each channel of some of the pictures until it reaches from 0 to 255."""

    type: Literal["autocontrast"] = "autocontrast"
    probability: Fraction = 0.5
    """The share of pictures that are stretched."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        return by_chance(autocontrasted, images, self.probability, randomness)


class Equalize(Spec):
    """Equalizes the histogram of each channel of some of the pictures.

    What is hidden in deep shadow or bright light comes out, and so does noise.
    """

    type: Literal["equalize"] = "equalize"
    probability: Fraction = 0.5
    """The share of pictures that are equalized."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        return by_chance(equalized, images, self.probability, randomness)


class Posterize(Spec):
    """Keeps the upper bits of all values in some of the pictures."""

    type: Literal["posterize"] = "posterize"
    probability: Fraction = 0.5
    """The share of pictures that lose bits."""
    bits: Annotated[int, Ge(1), Le(8)] = 4
    """How many are kept: 4 leave 16 tones for each channel, 8 change nothing."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        return by_chance(self._posterized, images, self.probability, randomness)

    def _posterized(self, images: tf.Tensor) -> tf.Tensor:
        return posterized(images, tf.constant([self.bits]))


class Solarize(Spec):
    """Inverts the values from a threshold upwards in some of the pictures."""

    type: Literal["solarize"] = "solarize"
    probability: Fraction = 0.5
    """The share of pictures that are solarized."""
    threshold: Annotated[int, Ge(0), Le(255)] = 128
    """The darkest value that is inverted; 0 makes a full negative."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Uint8 `[batch, height, width, channels]`, as it came."""
        return by_chance(self._solarized, images, self.probability, randomness)

    def _solarized(self, images: tf.Tensor) -> tf.Tensor:
        return solarized(images, tf.constant([self.threshold]))
