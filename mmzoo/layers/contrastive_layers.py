"""Contrastive learning: unit vectors of several inputs, and the losses of a batch of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

from mmzoo.lazy import keras, tf

_MAX_SCALE = 100.0
_MASKED = -1e9
"""A logit that is left out; finite, so that gradients are."""


@keras.saving.register_keras_serializable("mmzoo")
class MissingAsNaN(keras.layers.Layer):
    """Vectors, with NaN for examples that lack the input.

    Inputs: vectors `[batch, width]`, and a mask `[batch]` that is greater than 0 where the input is
    present. Output: float `[batch, width]`. Gradients are zero where the output is NaN.
    """

    def call(self, vectors: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        return tf.where(present[:, None] > 0, vectors, tf.constant(float("nan"), vectors.dtype))

    def compute_output_shape(self, vectors_shape: Any, present_shape: Any) -> Any:
        return vectors_shape


@keras.saving.register_keras_serializable("mmzoo")
class SimilarityLogits(keras.layers.Layer):
    """Unit vectors, and behind each the learned scale and bias that make logits of similarities.

    Inputs: a unit vector of each input, several `[batch, dim]`. Output: `[batch, inputs, dim + 2]`,
    where the last two numbers are the same for all vectors. The logit of two vectors is their dot
    product times the scale, plus the bias.

    References: Radford et al., "Learning transferable visual models from natural language
    supervision", 2021, section 2.4, for the scale, the exponential of a weight that is clipped so
    that the scale is at most 100; Zhai et al., "Sigmoid loss for language image pre-training",
    2023, for the bias.

    Args:
        scale: initial scale, the inverse of the temperature.
        bias: initial bias; None for a constant bias of 0, and for the limit of the scale.
    """

    def __init__(self, scale: float, bias: float | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self.scale = scale
        self.bias = bias

    def build(self, shapes: Sequence[tuple[int | None, ...]]) -> None:
        # The constraint assigns the weight on every device; all of them assign the same value.
        own: dict[str, Any] = {"shape": (), "autocast": False, "aggregation": "only_first_replica"}
        self.log_scale = self.add_weight(
            initializer=keras.initializers.Constant(math.log(self.scale)),
            constraint=None if self.bias is not None else _limit_scale,
            name="log_scale",
            **own,
        )
        self.added = None
        if self.bias is not None:
            self.added = self.add_weight(
                initializer=keras.initializers.Constant(self.bias), name="bias", **own
            )

    def scale_and_bias(self) -> tf.Tensor:
        """The present scale and bias, float32 `[2]`."""
        scale = tf.exp(tf.convert_to_tensor(self.log_scale))
        bias = tf.zeros([]) if self.added is None else tf.convert_to_tensor(self.added)
        return tf.stack([scale, bias])

    def call(self, vectors: Sequence[tf.Tensor]) -> tf.Tensor:
        stacked = tf.stack(vectors, axis=1)
        both = tf.cast(self.scale_and_bias(), stacked.dtype)
        shape = tf.shape(stacked)
        return tf.concat([stacked, tf.broadcast_to(both, [shape[0], shape[1], 2])], axis=-1)

    def compute_output_shape(self, shapes: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
        return shapes[0][0], len(shapes), shapes[0][-1] + 2

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "bias": self.bias}


def _limit_scale(log_scale: tf.Tensor) -> tf.Tensor:
    return tf.minimum(tf.convert_to_tensor(log_scale), math.log(_MAX_SCALE))


class _Batch(NamedTuple):
    """The vectors of this device's examples, and of those of all devices.

    Attributes:
        own: float `[rows, inputs, dim]`, zeros where an input is missing.
        own_present: bool `[rows, inputs]`.
        whole: like `own`, of all devices.
        whole_present: likewise.
        first: index in `whole` of the first of `own`.
        scale: of similarities, a scalar.
        bias: likewise.
    """

    own: tf.Tensor
    own_present: tf.Tensor
    whole: tf.Tensor
    whole_present: tf.Tensor
    first: tf.Tensor
    scale: tf.Tensor
    bias: tf.Tensor

    @property
    def rows(self) -> tf.Tensor:
        """The number of examples on all devices, float32."""
        return tf.cast(tf.shape(self.whole)[0], tf.float32)

    @property
    def places(self) -> tf.Tensor:
        """The index in `whole` of each of `own`, int32 `[rows]`."""
        return self.first + tf.range(tf.shape(self.own)[0])


def info_nce_losses(output: tf.Tensor) -> tf.Tensor:
    """InfoNCE in both directions: the cross-entropy of finding the other input of an example.

    The candidates are the examples of the whole batch, of all devices, that have both inputs. Over
    several pairs of inputs it is the mean.

    Args:
        output: of `SimilarityLogits`; NaN vectors where an input is missing.

    Returns:
        float32 `[batch]`; the mean over the whole batch is the mean over the examples that have
        both inputs.

    Reference: van den Oord et al., "Representation learning with contrastive predictive coding",
    2018, in the symmetric form of Radford et al., 2021.
    """
    batch = _whole_batch(output)

    def of_direction(queries: int, found: int, valid: tf.Tensor) -> tf.Tensor:
        logits = _logits(batch, queries, found)
        logits = tf.where(valid[None, :], logits, _MASKED)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(batch.places, logits)

    return _mean_over_pairs(
        batch,
        lambda a, b, valid: (of_direction(a, b, valid) + of_direction(b, a, valid)) / 2,
    )


def sigmoid_pair_losses(output: tf.Tensor) -> tf.Tensor:
    """SigLIP's loss: whether two inputs are of one example, a binary question for every pair.

    Arguments and result are those of `info_nce_losses`. The loss of an example is the sum over all
    candidates.

    Reference: Zhai et al., "Sigmoid loss for language image pre-training", 2023.
    """
    batch = _whole_batch(output)

    def of_pair(a: int, b: int, valid: tf.Tensor) -> tf.Tensor:
        logits = _logits(batch, a, b)
        own = tf.one_hot(batch.places, tf.shape(batch.whole)[0])
        losses = tf.nn.sigmoid_cross_entropy_with_logits(own, logits)
        return tf.reduce_sum(tf.where(valid[None, :], losses, 0.0), axis=1)

    return _mean_over_pairs(batch, of_pair)


def supervised_contrastive_losses(classes: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
    """Supervised contrastive loss: all vectors of a class are pulled together.

    The vectors of all inputs of all examples are one pool, with the inputs of an example as its
    views. Vectors without any other of their class do not count.

    Args:
        classes: class ids `[batch]`; -1 for none, which leaves an example out.
        output: of `SimilarityLogits`; NaN vectors where an input is missing.

    Returns:
        float32 `[batch]`; the mean over the whole batch is the mean over the vectors that count.

    Reference: Khosla et al., "Supervised contrastive learning", 2020, equation 2 (L_out).
    """
    batch = _whole_batch(output)
    inputs, dim = output.shape[1], output.shape[2] - 2
    own, whole = (tf.reshape(x, [-1, dim]) for x in (batch.own, batch.whole))
    own_classes = tf.repeat(tf.cast(classes, tf.float32), inputs)
    own_counts = tf.reshape(batch.own_present, [-1]) & (own_classes >= 0)
    whole_classes = _gather(own_classes)
    whole_counts = _gather(tf.cast(own_counts, tf.float32)) > 0
    size = tf.shape(whole)[0]
    place = batch.first * inputs + tf.range(tf.shape(own)[0])
    other = whole_counts[None, :] & (tf.range(size)[None, :] != place[:, None])
    positive = other & (own_classes[:, None] == whole_classes[None, :])
    logits = tf.where(other, batch.scale * tf.matmul(own, whole, transpose_b=True), _MASKED)
    log_shares = logits - tf.reduce_logsumexp(logits, axis=1, keepdims=True)
    count = tf.reduce_sum(tf.cast(positive, tf.float32), axis=1)
    total = tf.reduce_sum(tf.where(positive, log_shares, 0.0), axis=1)
    counts = own_counts & (count > 0)
    losses = tf.where(counts, -total / tf.maximum(count, 1.0), 0.0)
    counted = tf.reduce_sum(_gather(tf.cast(counts, tf.float32)))
    of_examples = tf.reduce_sum(tf.reshape(losses, [-1, inputs]), axis=1)
    return of_examples * batch.rows / tf.maximum(counted, 1.0)


def _mean_over_pairs(batch: _Batch, of_pair: Any) -> tf.Tensor:
    """The mean over all pairs of inputs of `of_pair(a, b, valid)`, float32 `[rows]`.

    An example without both inputs counts 0, and the others accordingly more.
    """
    losses = []
    for a, b in combinations(range(batch.own.shape[1]), 2):
        valid = batch.whole_present[:, a] & batch.whole_present[:, b]
        own = batch.own_present[:, a] & batch.own_present[:, b]
        count = tf.reduce_sum(tf.cast(valid, tf.float32))
        weight = batch.rows / tf.maximum(count, 1.0)
        losses.append(tf.where(own, of_pair(a, b, valid), 0.0) * weight)
    return tf.add_n(losses) / len(losses)


def _logits(batch: _Batch, queries: int, found: int) -> tf.Tensor:
    """The logits of this device's examples and all examples, float32 `[rows, whole rows]`."""
    similarity = tf.matmul(batch.own[:, queries], batch.whole[:, found], transpose_b=True)
    return batch.scale * similarity + batch.bias


def _whole_batch(output: tf.Tensor) -> _Batch:
    vectors, scale, bias = output[..., :-2], output[0, 0, -2], output[0, 0, -1]
    present = tf.logical_not(tf.math.is_nan(vectors[..., 0]))
    own = tf.where(present[..., None], vectors, 0.0)
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1:
        return _Batch(own, present, own, present, tf.constant(0), scale, bias)
    sizes = _gather(tf.shape(own)[:1])
    first = tf.reduce_sum(sizes[: replica.replica_id_in_sync_group])
    whole_present = _gather(tf.cast(present, tf.float32)) > 0
    return _Batch(own, present, _gather(own), whole_present, first, scale, bias)


def _gather(values: tf.Tensor) -> tf.Tensor:
    """The values of all devices along the first axis; gradients flow back to each of them."""
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1:
        return values
    return replica.all_gather(values, axis=0)
