"""Tone augmentations: autocontrast, equalize, posterize and solarize."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le

from mmzoo.lazy import tf
from mmzoo.modalities.image.augmentation.random_apply import apply_with_probability
from mmzoo.randomness import Randomness
from mmzoo.spec import Fraction, Spec


def autocontrast(images: tf.Tensor) -> tf.Tensor:
    """Images with the contrast of each channel maximized, to the range from 0 to 255.

    Channels of a constant value do not change.

    Args:
        images: uint8 `[batch, height, width, channels]`; all sizes but the batch are static.

    Returns:
        Uint8, same shape as `images`.
    """
    darkest = tf.reduce_min(images, axis=[1, 2], keepdims=True)
    brightest = tf.reduce_max(images, axis=[1, 2], keepdims=True)
    flat = darkest == brightest
    darkest = tf.where(flat, tf.zeros_like(darkest), darkest)
    spread = tf.where(flat, 255.0, tf.cast(brightest - darkest, tf.float32))
    stretched = (tf.cast(images, tf.float32) - tf.cast(darkest, tf.float32)) * (255.0 / spread)
    return tf.saturate_cast(tf.round(stretched), tf.uint8)


def equalize(images: tf.Tensor) -> tf.Tensor:
    """Images with the histogram of each channel equalized.

    Args:
        images: uint8 `[batch, height, width, channels]`; all sizes but the batch are static.

    Returns:
        Uint8, same shape as `images`.
    """
    height, width, channels = images.shape[1:]
    # Each channel has 256 bins of its own, which avoids a transpose.
    bins = tf.cast(images, tf.int32) + 256 * tf.range(channels)
    bins = tf.reshape(bins, [-1, height * width * channels])
    counts = tf.raw_ops.DenseBincount(
        input=bins, size=256 * channels, weights=tf.zeros([0], tf.int32), binary_output=False
    )
    tables = tf.reshape(
        _equalization_tables(tf.reshape(counts, [-1, channels, 256])), [-1, 256 * channels]
    )
    return tf.reshape(tf.gather(tables, bins, batch_dims=1), [-1, height, width, channels])


def _equalization_tables(counts: tf.Tensor) -> tf.Tensor:
    """Lookup tables that equalize histograms: int32 counts to uint8 values, both `[..., 256]`."""
    below = tf.cumsum(counts, axis=-1, exclusive=True)
    pixels = tf.reduce_sum(counts, axis=-1, keepdims=True)
    # As in Pillow, pixels of the brightest value do not count towards the step.
    brightest = tf.reduce_max(tf.where(counts > 0, tf.range(256), 0), axis=-1)
    step = (pixels - tf.gather(counts, brightest, batch_dims=2)[..., None]) // 255
    tables = tf.minimum((below + step // 2) // tf.maximum(step, 1), 255)
    return tf.cast(tf.where(step > 0, tables, tf.range(256)), tf.uint8)


def posterize(images: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
    """Images with fewer bits per value.

    Args:
        images: uint8 `[batch, height, width, channels]`.
        bits: int32 `[batch]`, from 1 to 8: number of upper bits to keep. The other bits become 0.

    Returns:
        Uint8, same shape as `images`.
    """
    lost = tf.cast(8 - bits, tf.uint8)[:, None, None, None]
    return tf.bitwise.left_shift(tf.bitwise.right_shift(images, lost), lost)


def solarize(images: tf.Tensor, thresholds: tf.Tensor) -> tf.Tensor:
    """Images with all values from a threshold upwards inverted.

    Args:
        images: uint8 `[batch, height, width, channels]`.
        thresholds: int32 `[batch]`, from 0 (inverts everything) to 256 (inverts nothing).

    Returns:
        Uint8, same shape as `images`.
    """
    inverted = tf.cast(images, tf.int32) >= thresholds[:, None, None, None]
    # Inverting all bits gives 255 - value; `tf.where` would take ten times as long.
    return tf.bitwise.bitwise_xor(images, tf.cast(inverted, tf.uint8) * 255)


class Autocontrast(Spec):
    """Autocontrast of a random subset of the images: each channel is stretched to 0 to 255."""

    type: Literal["autocontrast"] = "autocontrast"
    probability: Fraction = 0.5
    """Probability of changing an image."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Augmented images: uint8 `[batch, height, width, channels]`, like the input."""
        return apply_with_probability(autocontrast, images, self.probability, randomness)


class Equalize(Spec):
    """Histogram equalization of each channel, of a random subset of the images.

    It brings out details in shadows and highlights, and noise.
    """

    type: Literal["equalize"] = "equalize"
    probability: Fraction = 0.5
    """Probability of changing an image."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Augmented images: uint8 `[batch, height, width, channels]`, like the input."""
        return apply_with_probability(equalize, images, self.probability, randomness)


class Posterize(Spec):
    """Posterization of a random subset of the images: fewer bits per value."""

    type: Literal["posterize"] = "posterize"
    probability: Fraction = 0.5
    """Probability of changing an image."""
    bits: Annotated[int, Ge(1), Le(8)] = 4
    """Bits to keep: 4 leave 16 tones per channel, 8 change nothing."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Augmented images: uint8 `[batch, height, width, channels]`, like the input."""
        return apply_with_probability(self._posterize, images, self.probability, randomness)

    def _posterize(self, images: tf.Tensor) -> tf.Tensor:
        return posterize(images, tf.constant([self.bits]))


class Solarize(Spec):
    """Solarization of a random subset of the images: values above a threshold are inverted."""

    type: Literal["solarize"] = "solarize"
    probability: Fraction = 0.5
    """Probability of changing an image."""
    threshold: Annotated[int, Ge(0), Le(255)] = 128
    """Smallest value that is inverted; 0 inverts the whole image."""

    def apply(self, images: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        """Augmented images: uint8 `[batch, height, width, channels]`, like the input."""
        return apply_with_probability(self._solarize, images, self.probability, randomness)

    def _solarize(self, images: tf.Tensor) -> tf.Tensor:
        return solarize(images, tf.constant([self.threshold]))
