"""Adversarial head: aligns inputs by a discriminator that cannot tell them apart."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import MinLen

from mmzoo import layers
from mmzoo.errors import ConfigError
from mmzoo.heads.base_head import BaseHead, HeadInputs
from mmzoo.lazy import keras, np, tf
from mmzoo.modalities.base_encoder import Activation, Features
from mmzoo.spec import NonNegativeFloat, PositiveInt, Problem, Rate, Spec, did_you_mean
from mmzoo.spec.wording import shorten

_MOST_EXAMPLES = 2_000
"""Examples for the new discriminator of an evaluation, so that it takes seconds."""
_FOLDS = 5
_EPOCHS = 60
"""Those of its training."""


class Adversarial(BaseHead):
    """Aligns the features of inputs: a discriminator learns which input a vector came from.

    Between the encoders and the discriminator, the gradient is reversed. So the discriminator
    learns to tell the inputs apart, and the encoders learn features that it cannot tell apart. It
    sees the vector of each input that the fusion gets too. Missing and dropped inputs do not count.
    The head is used beside others, which keep the features useful: its loss measures how well the
    discriminator does, so choose the best epoch by a metric of another head (`train.monitor`).

    Evaluation reports the accuracy of the discriminator, and that of a new one of the same form, by
    cross-validation over the examples of the split: a discriminator that was outrun in training may
    be at chance while the inputs can still be told apart. Chance is the share of the most frequent
    input.

    Reference: Ganin et al., "Domain-adversarial training of neural networks", 2016; Lopez-Paz and
    Oquab, "Revisiting classifier two-sample tests", 2017.
    """

    opposes_others: ClassVar[bool] = True
    metric_names = ("discriminator_accuracy",)

    type: Literal["adversarial"] = "adversarial"
    inputs: Annotated[tuple[str, ...], MinLen(2)]
    """Names of the inputs to align."""
    strength: NonNegativeFloat = 1.0
    """Factor of the reversed gradient, in addition to `weight`. With 0 the discriminator learns,
    and the encoders do not notice: a baseline."""
    schedule: Literal["rising", "constant"] = "rising"
    """Whether the strength rises from 0, as `2 / (1 + exp(-10 p)) - 1` with the share p of the
    training that is done: a discriminator that knows nothing yet gives useless gradients."""
    dim: PositiveInt | None = None
    """Width of a linear layer for each input between its vector and the discriminator, for vectors
    of different widths. The encoders then align these projections, not the vectors themselves;
    equal widths of the encoders are better."""
    units: tuple[PositiveInt, ...] = (64,)
    """Width of each dense layer of the discriminator."""
    activation: Activation = "relu"
    """Activation of those layers."""
    dropout: Rate = 0.0
    """Dropout rate after each of those layers."""

    def rules(self) -> Iterator[Problem]:
        if len(set(self.inputs)) < len(self.inputs):
            yield Problem(("inputs",), "expected each input once")

    def input_rules(self, inputs: Mapping[str, Spec]) -> Iterator[Problem]:
        for index, name in enumerate(self.inputs):
            if name not in inputs:
                meant = did_you_mean(name, inputs) or "."
                yield Problem(
                    ("inputs", index),
                    f"unknown input '{shorten(name)}'{meant} There are: {', '.join(inputs)}",
                )

    @property
    def depends_on_duration(self) -> bool:
        return self.schedule == "rising"

    def start_training(self, model: keras.Model, name: str, step: tf.Variable, steps: int) -> None:
        if self.schedule == "rising":
            model.get_layer(_reversal(name)).rise(step, steps)

    def changing_values(self, model: keras.Model, name: str) -> dict[str, float]:
        """The strength of the last step, if it changes."""
        if self.schedule == "constant":
            return {}
        strength = model.get_layer(_reversal(name)).strength_at(earlier=1)
        return {f"{name}_strength": float(strength)}

    def build(self, given: HeadInputs, name: str) -> keras.KerasTensor:
        """Logits and vectors of each input, float32 `[batch, inputs, inputs + width]`.

        Raises:
            ConfigError: the vectors have different widths, and there is no `dim`.
        """
        features = {one: given.inputs[one] for one in self.inputs}
        vectors = self._vectors(features, name)
        stacked = layers.StackVectors(axis=1, name=f"fusion_{name}_vectors")(vectors)
        x = layers.GradientReversal(self.strength, name=_reversal(name))(stacked)
        for index, units in enumerate(self.units, start=1):
            x = keras.layers.Dense(units, self.activation, name=f"fusion_{name}_dense{index}")(x)
            if self.dropout:
                x = keras.layers.Dropout(self.dropout, name=f"fusion_{name}_dropout{index}")(x)
        logits = keras.layers.Dense(len(vectors), dtype="float32", name=f"fusion_{name}_logits")(x)
        masks = [
            (i, one.present) for i, one in enumerate(features.values()) if one.present is not None
        ]
        output = layers.DiscriminatorOutput([i for i, _ in masks], dtype="float32", name=name)
        return output(logits, stacked, [mask for _, mask in masks])

    def _vectors(self, features: Mapping[str, Features], name: str) -> list[keras.KerasTensor]:
        vectors = {one: feature.vector for one, feature in features.items()}
        if self.dim is not None:
            return [
                keras.layers.Dense(self.dim, name=f"fusion_{name}_{one}_projection")(vector)
                for one, vector in vectors.items()
            ]
        widths = {one: int(vector.shape[-1]) for one, vector in vectors.items()}
        if len(set(widths.values())) > 1:
            listed = ", ".join(f"{one} {width}" for one, width in widths.items())
            raise ConfigError(
                f"heads.{name}: the features of its inputs have different widths ({listed}), which "
                "tell them apart. Give their encoders the same width, such as by `units`; or set "
                f"`dim` of heads.{name}, to align projections of this width instead"
            )
        return [*vectors.values()]

    def compile_loss(self, soft: bool) -> keras.losses.Loss:
        """The cross-entropy of the discriminator: the mean over the inputs of each example."""
        return layers.ExampleLoss(self._cross_entropy, "cross_entropy")

    def _cross_entropy(self, target: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        logits = outputs[:, :, : len(self.inputs)]
        there = tf.logical_not(tf.math.is_nan(logits[:, :, 0]))
        logits = tf.where(there[:, :, None], logits, 0.0)
        labels = tf.broadcast_to(tf.range(len(self.inputs))[None], tf.shape(there))
        entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        # By the number of all inputs, so that each vector counts equally in the batch.
        return tf.reduce_sum(tf.where(there, entropy, 0.0), axis=1) / len(self.inputs)

    def compile_metrics(self, soft: bool) -> list[keras.metrics.Metric]:
        return [layers.DiscriminatorAccuracy(len(self.inputs), name="discriminator_accuracy")]

    def evaluate(self, labels: None, predicted: np.ndarray) -> dict[str, Any]:
        """Accuracy of the discriminator and of a new one, and chance.

        Intervals are Wilson's with the number of examples, whose vectors are not independent.
        """
        from mmzoo.metrics.intervals import wilson_interval

        inputs = len(self.inputs)
        rows, sources = np.nonzero(~np.isnan(predicted[:, :, 0]))
        if not len(rows):
            return {"examples": 0}
        examples = len(np.unique(rows))
        seen = predicted[rows, sources]
        is_right = seen[:, :inputs].argmax(axis=1) == sources
        metrics: dict[str, Any] = {}
        accuracies = {
            "discriminator_accuracy": float(is_right.mean()),
            "new_discriminator_accuracy": _new_accuracy(
                seen[:, inputs:], sources, rows, self.units
            ),
        }
        for name, accuracy in accuracies.items():
            metrics[name] = accuracy
            if accuracy is not None:
                right = min(round(accuracy * examples), examples)
                metrics[f"{name}_ci95"] = list(wilson_interval(right, examples))
        chance = float(np.bincount(sources, minlength=inputs).max() / len(sources))
        return {**metrics, "chance": chance, "examples": examples}


def _reversal(name: str) -> str:
    """The name of the gradient reversal layer of a head."""
    return f"fusion_{name}_reversal"


def _new_accuracy(
    vectors: np.ndarray, sources: np.ndarray, rows: np.ndarray, units: tuple[int, ...]
) -> float | None:
    """Cross-validated accuracy of a new network that tells inputs apart by their vectors.

    Args:
        vectors: float `[vectors, width]`.
        sources: int64 `[vectors]`, the index of the input of each.
        rows: int64 `[vectors]`, the example of each; those of one are in the same fold.
        units: width of its hidden layers.

    Returns:
        The share of right answers; None with too few examples, or values that are not finite.
    """
    from sklearn.model_selection import GroupKFold
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    chosen = np.random.RandomState(0).permutation(np.unique(rows))[:_MOST_EXAMPLES]
    kept = np.isin(rows, chosen)
    vectors, sources, rows = vectors[kept].astype(np.float64), sources[kept], rows[kept]
    if len(chosen) < _FOLDS or not np.isfinite(vectors).all():
        return None
    right = 0
    for train, test in GroupKFold(_FOLDS).split(vectors, sources, rows):
        if len(np.unique(sources[train])) < 2:
            return None
        network = MLPClassifier(
            units, batch_size=64, learning_rate_init=3e-3, max_iter=_EPOCHS, random_state=0
        )
        classifier = make_pipeline(StandardScaler(), network)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # It need not have converged.
            classifier.fit(vectors[train], sources[train])
        right += int((classifier.predict(vectors[test]) == sources[test]).sum())
    return right / len(sources)
