"""Augmentation of a random subset of the images."""

from __future__ import annotations

from collections.abc import Callable

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness


def apply_with_probability(
    change: Callable[[tf.Tensor], tf.Tensor],
    images: tf.Tensor,
    probability: float,
    randomness: Randomness,
) -> tf.Tensor:
    """Applies `change` to each image with a given probability.

    Args:
        change: function from images to images of the same shape; the batch may be empty.
        images: uint8 `[batch, height, width, channels]`; all sizes but the batch are static.
        probability: from 0 to 1.
        randomness: random stream of the augmentation; its first number is used.

    Returns:
        Uint8, same shape as `images`.
    """
    chosen = tf.where(randomness.uniform(1)[:, 0] < probability)
    # Faster than changing all images and selecting with `tf.where`, which is slow on whole images.
    return tf.tensor_scatter_nd_update(images, chosen, change(tf.gather_nd(images, chosen)))
