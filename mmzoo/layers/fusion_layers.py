"""Layers of the fusions: weighted and gated sums, products, modulation, decisions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod
from typing import Any

from mmzoo.lazy import keras, tf


@keras.saving.register_keras_serializable("mmzoo")
class Stacked(keras.layers.Layer):
    """Vectors, each `[batch, width]`, as one tensor.

    Args:
        axis: which axis numbers them: 1 for `[batch, vectors, width]`, 2 for `[batch, width,
            vectors]`.
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
    """Vectors, each `[batch, width]`, as their average, weighted by the softmax of learned scores.

    The scores begin at 0, so the weights begin equal. They are of float32 in mixed precision too.

    Reference: Peters et al., "Deep contextualized word representations", 2018, equation 1.
    """

    def build(self, shapes: Sequence[tuple[int | None, ...]]) -> None:
        self.scores = self.add_weight(
            shape=(len(shapes),), initializer="zeros", autocast=False, name="scores"
        )

    def weights_of_inputs(self) -> tf.Tensor:
        """The weight of each vector, float32 `[vectors]`, in the order of `call`; they sum to 1."""
        return tf.nn.softmax(tf.convert_to_tensor(self.scores))

    def call(self, vectors: Sequence[tf.Tensor]) -> tf.Tensor:
        weights = tf.cast(self.weights_of_inputs(), vectors[0].dtype)
        return tf.tensordot(tf.stack(vectors, axis=-1), weights, axes=1)


@keras.saving.register_keras_serializable("mmzoo")
class GatedSum(keras.layers.Layer):
    """Vectors, each `[batch, width]`, times their gates `[batch, vectors, width]`, and summed.

    Reference: Arevalo et al., "Gated multimodal units for information fusion", 2017.
    """

    def call(self, gates: tf.Tensor, vectors: Sequence[tf.Tensor]) -> tf.Tensor:
        return tf.reduce_sum(gates * tf.stack(vectors, axis=1), axis=1)


@keras.saving.register_keras_serializable("mmzoo")
class FeatureModulation(keras.layers.Layer):
    """FiLM: every feature times `gamma` plus `beta`, both a linear function of a condition.

    `x` is `[batch, width]` or `[batch, positions, width]`, of which all positions are modulated
    alike, and keeps its shape; the condition is `[batch, condition width]`. The function says how
    far `gamma` is from 1, so at zero weights nothing is changed.

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
    """Every product of one entry of each vector, where a 1 at its end is an entry too.

    Vectors `[batch, width]`, of any widths, become one `[batch, entries]`: `entries` is the product
    of the widths, each plus 1. The last vector's entries follow one another.

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
    """Vectors, each `[batch, width * size]`, multiplied entry by entry; every `size` in a row
    summed: `[batch, width]`.

    Reference: Yu et al., "Multi-modal factorized bilinear pooling with co-attention learning for
    visual question answering", 2017.

    Args:
        size: how many entries are summed.
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


_NEAR_ZERO = 1e-4
"""Added under the root, whose slope has no bound at 0."""


@keras.saving.register_keras_serializable("mmzoo")
class SignedRoot(keras.layers.Layer):
    """Every number's root, and for one below 0 the negative root of its size. Shapes stay.

    Reference: Yu et al., "Multi-modal factorized bilinear pooling with co-attention learning for
    visual question answering", 2017, where it is called power normalization.
    """

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.sqrt(tf.nn.relu(x) + _NEAR_ZERO) - tf.sqrt(tf.nn.relu(-x) + _NEAR_ZERO)


_TIE = 1e-3
"""Weight of the probabilities beside the votes: they decide ties, and no vote of up to 999."""


@keras.saving.register_keras_serializable("mmzoo")
class CombinedDecisions(keras.layers.Layer):
    """What several deciders together say, each of whom decides by float `[batch, width]`.

    - `average`: the mean.
    - `weighted`: the mean with a learned weight for each; a softmax keeps their sum at one.
    - `product`: the probabilities multiplied, and divided by their sum over the classes.
    - `max`: of each class the largest probability, divided likewise.
    - `vote`: the share of those that decide for a class. The mean probability, at a thousandth of
      the weight, decides ties. It has no gradient.

    A chance, as of one label of several, is for the last three one of two classes: yes and no.

    Reference: Kittler et al., "On combining classifiers", 1998.

    Args:
        combine: one of these.
        kind: what a decision is: "classes", probabilities whose sum is one; "chances", each from 0
            to 1; or "numbers", for the first two only.
        threshold: from where on a chance is a yes. A vote of half of them is given as just that.

    Returns:
        Float32 `[batch, width]`, of the same kind.
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
        """The weight of each decider, if they were learned: their sum is one."""
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
            case ["product", "chances"]:
                return tf.sigmoid(tf.reduce_sum(_log(stacked) - _log(1 - stacked), axis=0))
            case ["max", "classes"]:
                largest = tf.reduce_max(stacked, axis=0)
                return largest / tf.reduce_sum(largest, axis=1, keepdims=True)
            case ["max", "chances"]:
                yes, no = tf.reduce_max(stacked, axis=0), tf.reduce_max(1 - stacked, axis=0)
                return yes / (yes + no)
            case ["vote", "classes"]:
                return tf.stop_gradient(self._elected(stacked))
            case ["vote", "chances"]:
                return tf.stop_gradient(self._share_of_yes(stacked))
        raise ValueError(f"{self.kind} cannot be combined by {self.combine!r}")

    def _elected(self, stacked: tf.Tensor) -> tf.Tensor:
        votes = tf.one_hot(tf.argmax(stacked, axis=2), stacked.shape[2])
        return tf.reduce_mean((votes + _TIE * stacked) / (1 + _TIE), axis=0)

    def _share_of_yes(self, stacked: tf.Tensor) -> tf.Tensor:
        votes = tf.cast(stacked >= self.threshold, tf.float32)
        mean = self._with_half_at_threshold(tf.reduce_mean(stacked, axis=0))
        share = (tf.reduce_mean(votes, axis=0) + _TIE * mean) / (1 + _TIE)
        # Back to where the head looks for its threshold.
        above = self.threshold + (2 * share - 1) * (1 - self.threshold)
        return tf.where(share < 0.5, 2 * share * self.threshold, above)

    def _with_half_at_threshold(self, chances: tf.Tensor) -> tf.Tensor:
        """Chances from 0 to 1 with the threshold at one half, linear on both sides of it."""
        over = tf.math.divide_no_nan(chances - self.threshold, 2 * (1 - self.threshold))
        below = tf.math.divide_no_nan(chances, 2 * self.threshold)
        return tf.where(chances < self.threshold, below, 0.5 + over)

    def compute_output_shape(
        self, shapes: Sequence[tuple[int | None, ...]]
    ) -> tuple[int | None, ...]:
        return shapes[0]

    def get_config(self) -> dict[str, Any]:
        settings = {"combine": self.combine, "kind": self.kind, "threshold": self.threshold}
        return {**super().get_config(), **settings}


def _log(probabilities: tf.Tensor) -> tf.Tensor:
    return tf.math.log(tf.maximum(probabilities, keras.config.epsilon()))
