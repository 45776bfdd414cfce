"""How texts get worse: words that are not known any more."""

from __future__ import annotations

from mmzoo.inputs.degradation import Degradation
from mmzoo.inputs.text.ids import PADDING, UNKNOWN
from mmzoo.lazy import tf
from mmzoo.randomness import Randomness

_SHARES = (0.1, 0.2, 0.4, 0.6, 0.8)


def degradations_of(length: int) -> tuple[Degradation, ...]:
    """Of texts of up to this length."""

    def dropped(ids: tf.Tensor, share: tf.Tensor, randomness: Randomness) -> tf.Tensor:
        return with_unknown(ids, share, randomness, length)

    return (Degradation("dropped words", "share", _SHARES, dropped),)


def with_unknown(
    ids: tf.Tensor, share: tf.Tensor, randomness: Randomness, length: int
) -> tf.Tensor:
    """Some words, drawn one by one, as the unknown one.

    Args:
        ids: int32 `[batch, positions]`; so returned.
        share: float32 scalar.
        randomness: the examples' stream.
        length: how many positions there are at most.
    """
    drawn = randomness.uniform(length)[:, : tf.shape(ids)[1]]
    return tf.where((drawn < share) & (ids != PADDING), UNKNOWN, ids)
