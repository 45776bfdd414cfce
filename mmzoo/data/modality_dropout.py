"""Modality dropout: inputs that are taken away from training examples at random."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness

if TYPE_CHECKING:
    from mmzoo.inputs import Input

_FOLD = "modality dropout"


def with_modality_dropout(
    inputs: Mapping[str, Input], there: dict[str, tf.Tensor], randomness: Randomness
) -> dict[str, tf.Tensor]:
    """What is left of the inputs of a batch once some are taken away.

    Each input of each example has a draw of its own, even from 0 to 1, and goes where that is below
    its rate. An example that would lose all that it has keeps the one with the largest draw.

    Reference: Neverova et al., "ModDrop: adaptive multi-modal gesture recognition", 2016.

    Args:
        inputs: All of them, in the config's order.
        there: Of those that may be absent, which examples have them: bool `[batch]`.
        randomness: The examples' stream, of which a fold of its own is used.

    Returns:
        The same for those that are left.
    """
    rates = [spec.modality_dropout for spec in inputs.values()]
    if not any(rates):
        return there
    draws = randomness.fold(_FOLD).uniform(len(rates))
    always = tf.ones_like(randomness.examples, tf.bool)
    has = tf.stack([there.get(name, always) for name in inputs], axis=1)
    left = has & (draws >= tf.constant(rates, tf.float32))
    largest = tf.argmax(tf.where(has, draws, -1.0), axis=1)
    kept = has & tf.one_hot(largest, len(rates), on_value=True, off_value=False, dtype=tf.bool)
    left = left | kept & ~tf.reduce_any(left, axis=1, keepdims=True)
    return {name: left[:, place] for place, name in enumerate(inputs) if name in there}
