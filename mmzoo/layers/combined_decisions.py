"""One decision made of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmzoo.lazy import keras, tf

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
