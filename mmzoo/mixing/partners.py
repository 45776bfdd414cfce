"""Partners: which two examples of a batch are mixed, and what becomes of their targets."""

from __future__ import annotations

from mmzoo.lazy import tf

Batch = dict[str, "tf.Tensor"]


def partners_of(values: tf.Tensor) -> tf.Tensor:
    """Each example's partner: the one before it in the batch.

    The batch is a piece of the epoch's random order, so its neighbours are strangers already, and
    unlike a second shuffle this leaves nobody its own partner.
    """
    return tf.roll(values, 1, axis=0)


def blended_targets(targets: Batch, share: tf.Tensor) -> Batch:
    """Each float32 `[batch, ...]` target with `1 - share` of its partner's."""
    return {
        name: share * values + (1.0 - share) * partners_of(values)
        for name, values in targets.items()
    }
