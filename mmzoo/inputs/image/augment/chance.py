"""Chance: augmentations that change some of the pictures and leave the others."""

from __future__ import annotations

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness


def by_chance(
    changed: tf.Tensor, images: tf.Tensor, probability: float, randomness: Randomness
) -> tf.Tensor:
    """Each picture changed with this probability, else as it was.

    Args:
        changed: uint8 `[batch, height, width, channels]`.
        images: Likewise; so returned.
        probability: From 0 to 1.
        randomness: The augmentation's stream, of which the first number is used.
    """
    return tf.where(randomness.uniform(1)[:, :, None, None] < probability, changed, images)
