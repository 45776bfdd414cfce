"""Corruptions of texts: words replaced by the unknown token."""

from __future__ import annotations

from mmzoo.lazy import tf
from mmzoo.modalities.base_input import Corruption
from mmzoo.modalities.text.tokenizer import PADDING, UNKNOWN
from mmzoo.randomness import Randomness

_SHARES = (0.1, 0.2, 0.4, 0.6, 0.8)


def text_corruptions(length: int) -> tuple[Corruption, ...]:
    """Corruptions of texts with this maximum length."""

    def dropped(ids: tf.Tensor, share: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        return drop_words(ids, share, randomness, length)

    return (Corruption("dropped words", "share", _SHARES, dropped),)


def drop_words(ids: tf.Tensor, share: tf.Tensor, randomness: Randomness, length: int) -> tf.Tensor:
    """Replaces random tokens by the unknown one, each independently.

    Args:
        ids: token ids, int32 `[batch, positions]`.
        share: probability of each token, float32 scalar.
        randomness: random numbers of the examples.
        length: maximum number of positions.

    Returns:
        int32, of the same shape.
    """
    drawn = randomness.uniform(length)[:, : tf.shape(ids)[1]]
    return tf.where((drawn < share) & (ids != PADDING), UNKNOWN, ids)
