"""Augmentations applied to a random share of the images."""

from __future__ import annotations

from collections.abc import Callable

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness


def by_chance(
    change: Callable[[tf.Tensor], tf.Tensor],
    images: tf.Tensor,
    probability: float,
    randomness: Randomness,
) -> tf.Tensor:
    """Each picture changed with this probability, else as it was.

    Args:
        change: From pictures, of which there may be none, to as many of the same shape.
        images: uint8 `[batch, height, width, channels]`, all but the batch static; so returned.
        probability: From 0 to 1.
        randomness: The augmentation's stream, of which the first number is used.
    """
    chosen = tf.where(randomness.uniform(1)[:, 0] < probability)
    # Less work than to change all and choose then, and `tf.where` on whole pictures is slow.
    return tf.tensor_scatter_nd_update(images, chosen, change(tf.gather_nd(images, chosen)))
