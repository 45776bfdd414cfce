"""Layers of the fusions: stacking, weighted and gated sums, products, FiLM, decision fusion."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod
from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class StackVectors(keras.layers.Layer):
    """Vectors of equal width, stacked along a new axis.

    Inputs: several `[batch, width]`. Output: `[batch, vectors, width]` for `axis=1`, `[batch,
    width, vectors]` for `axis=2`.

    Args:
        axis: index of the new axis, 1 or 2.
    """

    def __init__(self, axis: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.axis = axis

    def call(self, vectors: Sequence[tf.Tensor]) -> tf.Tensor:
        return tf.stack(vectors, axis=self.axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


@keras.saving.register_keras_serializable("mmzoo")
class LearnedAverage(keras.layers.Layer):
    """Weighted average of vectors, with softmax weights of learned scores.

    Inputs: several `[batch, width]`. Output: `[batch, width]`. The scores start at 0, so all
    weights are equal at first. They are float32 in mixed precision, too.

    Reference: Peters et al., "Deep contextualized word representations", 2018, equation 1.
    """

    def build(self, shapes: Sequence[tuple[int | None, ...]]) -> None:
        self.scores = self.add_weight(
            shape=(len(shapes),), initializer="zeros", autocast=False, name="scores"
        )

    def weights_of_inputs(self) -> tf.Tensor:
        """Weight of each vector, float32 `[vectors]`, in the order of the inputs. The sum is 1."""
        return tf.nn.softmax(tf.convert_to_tensor(self.scores))

    def call(self, vectors: Sequence[tf.Tensor]) -> tf.Tensor:
        weights = tf.cast(self.weights_of_inputs(), vectors[0].dtype)
        return tf.tensordot(tf.stack(vectors, axis=-1), weights, axes=1)


@keras.saving.register_keras_serializable("mmzoo")
class GatedSum(keras.layers.Layer):
    """Sum of vectors, weighted by element-wise gates.

    Inputs: gates `[batch, vectors, width]` and several vectors `[batch, width]`. Output: `[batch,
    width]`.

    Reference: Arevalo et al., "Gated multimodal units for information fusion", 2017.
    """

    def call(self, gates: tf.Tensor, vectors: Sequence[tf.Tensor]) -> tf.Tensor:
        return tf.reduce_sum(gates * tf.stack(vectors, axis=1), axis=1)


@keras.saving.register_keras_serializable("mmzoo")
class FeatureModulation(keras.layers.Layer):
    """FiLM: feature-wise affine modulation, `x * gamma + beta`, computed from a condition.

    Inputs: `x`, `[batch, width]` or `[batch, positions, width]`, and `condition`, `[batch,
    condition width]`. Output: same shape as `x`; all positions share `gamma` and `beta`. A dense
    layer predicts `gamma - 1` and `beta`, so with zero weights the layer is the identity.

    Reference: Perez et al., "FiLM: Visual reasoning with a general conditioning layer", 2018.
    """

    def build(self, x_shape: tuple[Any, ...], condition_shape: tuple[Any, ...]) -> None:
        width = x_shape[-1]
        self.function = keras.layers.Dense(2 * width, name="function", dtype=self.dtype_policy)
        self.function.build(condition_shape)

    def call(self, x: tf.Tensor, condition: tf.Tensor) -> tf.Tensor:
        function = self.function(condition)
        if len(x.shape) == 3:
            function = function[:, None, :]
        gamma, beta = tf.split(function, 2, axis=-1)
        return x * (1 + gamma) + beta

    def compute_output_shape(
        self, x_shape: tuple[int | None, ...], condition_shape: Any
    ) -> tuple[int | None, ...]:
        return x_shape


@keras.saving.register_keras_serializable("mmzoo")
class OuterProduct(keras.layers.Layer):
    """Flattened outer product of vectors, each extended by a constant 1.

    The constant keeps the products of all subsets of the vectors, and the vectors themselves.
    Inputs: several `[batch, width]` of any widths. Output: `[batch, entries]`, where `entries` is
    the product of `width + 1` over the vectors; the last vector's index varies fastest.

    Reference: Zadeh et al., "Tensor fusion network for multimodal sentiment analysis", 2017.
    """

    def call(self, vectors: Sequence[tf.Tensor]) -> tf.Tensor:
        product, *others = (tf.pad(x, [[0, 0], [0, 1]], constant_values=1) for x in vectors)
        for vector in others:
            entries = product.shape[1] * vector.shape[1]
            product = tf.reshape(product[:, :, None] * vector[:, None, :], [-1, entries])
        return product

    def compute_output_shape(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, int]:
        return shapes[0][0], prod(shape[1] + 1 for shape in shapes)


@keras.saving.register_keras_serializable("mmzoo")
class PooledProduct(keras.layers.Layer):
    """Element-wise product of vectors, sum-pooled over groups of `size` adjacent entries.

    Inputs: several `[batch, width * size]`. Output: `[batch, width]`.

    Reference: Yu et al., "Multi-modal factorized bilinear pooling with co-attention learning for
    visual question answering", 2017.

    Args:
        size: number of entries in a group.
    """

    def __init__(self, size: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.size = size

    def call(self, vectors: Sequence[tf.Tensor]) -> tf.Tensor:
        product = reduce(tf.multiply, vectors)
        groups = [-1, product.shape[-1] // self.size, self.size]
        return tf.reduce_sum(tf.reshape(product, groups), axis=2)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


_SQRT_EPSILON = 1e-4
"""Added under the square root, whose gradient is unbounded at 0."""


@keras.saving.register_keras_serializable("mmzoo")
class SignedSqrt(keras.layers.Layer):
    """Signed square root, `sign(x) * sqrt(|x|)`, of every entry. The shape stays the same.

    Reference: Yu et al., "Multi-modal factorized bilinear pooling with co-attention learning for
    visual question answering", 2017, where it is called power normalization.
    """

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.sqrt(tf.nn.relu(x) + _SQRT_EPSILON) - tf.sqrt(tf.nn.relu(-x) + _SQRT_EPSILON)


_TIE_BREAK_WEIGHT = 1e-3
"""Weight of the mean probability added to the votes.

It breaks ties but cannot outweigh a vote, with up to 999 members."""


@keras.saving.register_keras_serializable("mmzoo")
class CombinedDecisions(keras.layers.Layer):
    """Decision-level (late) fusion of several predictions of the same target.

    - `average`: the mean.
    - `weighted`: a weighted mean; the weights are a softmax of learned logits.
    - `product`: the product of the probabilities, renormalized over the classes.
    - `max`: the maximum probability of each class, renormalized over the classes.
    - `vote`: the share of members that predict each class. The mean probability breaks ties, with a
      weight of 1/1000. Votes have no gradient.

    For `product`, `max` and `vote`, a binary or multi-label probability counts as a distribution
    over two classes, positive and negative.

    Inputs: several `[batch, width]`. Output: float32 `[batch, width]`, of the same kind.

    Reference: Kittler et al., "On combining classifiers", 1998.

    Args:
        combine: one of the above.
        kind: the `output_kind` of the head. `"classes"`: class probabilities that sum to 1.
            `"probabilities"`: independent probabilities. `"numbers"`: numbers, for `average` and
            `weighted` only.
        threshold: decision threshold of independent probabilities. A vote of exactly half the
            members gives the threshold.
    """

    def __init__(self, combine: str, kind: str, threshold: float = 0.5, **settings: Any) -> None:
        super().__init__(**settings)
        self.combine = combine
        self.kind = kind
        self.threshold = threshold

    def build(self, shapes: Sequence[tuple[int | None, ...]]) -> None:
        if self.combine == "weighted":
            self.logits = self.add_weight(
                shape=(len(shapes),), initializer="zeros", name="weights_of_inputs"
            )

    def weights_of_inputs(self) -> list[float]:
        """Learned weight of each member, in the order of the inputs. The sum is 1."""
        return [float(weight) for weight in tf.nn.softmax(self.logits)]

    def call(self, decisions: Sequence[tf.Tensor]) -> tf.Tensor:
        stacked = tf.stack([tf.cast(decision, tf.float32) for decision in decisions])
        match self.combine, self.kind:
            case ["average", _]:
                return tf.reduce_mean(stacked, axis=0)
            case ["weighted", _]:
                return tf.tensordot(tf.nn.softmax(self.logits), stacked, axes=1)
            case ["product", "classes"]:
                return tf.nn.softmax(tf.reduce_sum(_log(stacked), axis=0))
            case ["product", "probabilities"]:
                return tf.sigmoid(tf.reduce_sum(_log(stacked) - _log(1 - stacked), axis=0))
            case ["max", "classes"]:
                largest = tf.reduce_max(stacked, axis=0)
                return largest / tf.reduce_sum(largest, axis=1, keepdims=True)
            case ["max", "probabilities"]:
                positive, negative = (
                    tf.reduce_max(stacked, axis=0),
                    tf.reduce_max(1 - stacked, axis=0),
                )
                return positive / (positive + negative)
            case ["vote", "classes"]:
                return tf.stop_gradient(self._vote_shares(stacked))
            case ["vote", "probabilities"]:
                return tf.stop_gradient(self._positive_vote_share(stacked))
        raise ValueError(f"{self.kind} cannot be combined by {self.combine!r}")

    def _vote_shares(self, stacked: tf.Tensor) -> tf.Tensor:
        votes = tf.one_hot(tf.argmax(stacked, axis=2), stacked.shape[2])
        return tf.reduce_mean(
            (votes + _TIE_BREAK_WEIGHT * stacked) / (1 + _TIE_BREAK_WEIGHT), axis=0
        )

    def _positive_vote_share(self, stacked: tf.Tensor) -> tf.Tensor:
        votes = tf.cast(stacked >= self.threshold, tf.float32)
        mean = self._threshold_at_half(tf.reduce_mean(stacked, axis=0))
        share = (tf.reduce_mean(votes, axis=0) + _TIE_BREAK_WEIGHT * mean) / (1 + _TIE_BREAK_WEIGHT)
        # Undo the remapping: 0.5 goes back to the threshold of the head.
        above = self.threshold + (2 * share - 1) * (1 - self.threshold)
        return tf.where(share < 0.5, 2 * share * self.threshold, above)

    def _threshold_at_half(self, probabilities: tf.Tensor) -> tf.Tensor:
        """Probabilities remapped so that the threshold lies at 0.5; linear on both sides of it."""
        over = tf.math.divide_no_nan(probabilities - self.threshold, 2 * (1 - self.threshold))
        below = tf.math.divide_no_nan(probabilities, 2 * self.threshold)
        return tf.where(probabilities < self.threshold, below, 0.5 + over)

    def compute_output_shape(
        self, shapes: Sequence[tuple[int | None, ...]]
    ) -> tuple[int | None, ...]:
        return shapes[0]

    def get_config(self) -> dict[str, Any]:
        settings = {"combine": self.combine, "kind": self.kind, "threshold": self.threshold}
        return {**super().get_config(), **settings}


def _log(probabilities: tf.Tensor) -> tf.Tensor:
    return tf.math.log(tf.maximum(probabilities, keras.config.epsilon()))
