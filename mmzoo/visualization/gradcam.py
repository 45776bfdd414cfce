"""Grad-CAM: heat maps of the image regions that raise a class score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmzoo.config import Config
from mmzoo.errors import RunError
from mmzoo.heads import ChoosesClass, LabelledHead
from mmzoo.lazy import keras, tf
from mmzoo.modalities.abilities import draw
from mmzoo.model_graph import encoder_of, encoder_output, last_feature_map
from mmzoo.spec import did_you_mean
from mmzoo.spec.wording import shorten


@dataclass(frozen=True)
class Score:
    """The output to explain: a class score, or a value of a regression.

    Attributes:
        head: the head's name.
        label: the name of the class or value, as in predictions.
        output: its index in the head's output.
        sign: -1 for the negative class of a binary head, which has a single output; else 1.
    """

    head: str
    label: str
    output: int
    sign: float = 1.0


def values_of(head: LabelledHead, predicted: np.ndarray) -> list[float]:
    """The probability of each class of a head, or its values, for one example.

    Args:
        head: the head.
        predicted: the head's predictions, float `[1, width]`.
    """
    row = head.class_probabilities(predicted) if isinstance(head, ChoosesClass) else predicted
    return [float(value) for value in row[0]]


def select_score(
    name: str, head: LabelledHead, predicted: np.ndarray, requested: str | None
) -> Score:
    """The score of the requested class, or of the predicted one.

    Args:
        name: the head's name.
        head: the head.
        predicted: the head's prediction for the example, float `[1, width]`.
        requested: a class by name, or by index from 0. By default the predicted class, or the most
            probable label of a multilabel head.

    Raises:
        RunError: the head has no such class, or predicts several values and none was requested.
    """
    labels = head.output_names(name)
    if requested is not None:
        index = _index(name, labels, requested)
    elif isinstance(head, ChoosesClass):
        index = int(head.predicted_classes(predicted)[0])
    elif head.output_kind == "numbers" and len(labels) > 1:
        raise RunError(
            f"heads.{name}: predicts {len(labels)} values. Choose the one to explain with --class, "
            f"from 0 to {len(labels) - 1}."
        )
    else:
        index = int(predicted[0].argmax())
    if isinstance(head, ChoosesClass) and predicted.shape[1] == 1:  # The probability of yes.
        return Score(name, labels[index], output=0, sign=1.0 if index else -1.0)
    return Score(name, labels[index], output=index)


def score_tensor(model: keras.Model, head: str) -> tuple[keras.KerasTensor, str]:
    """A head's output before its softmax or sigmoid, whose gradients vanish for confident models.

    A head that combines the decisions of several inputs has no logits; the logarithm of its
    probabilities is used instead.

    Returns:
        A symbolic tensor, float32 `[batch, width]`, and its kind: "logit", "log-probability", or
        "value" for a regression.
    """
    layer = model.get_layer(head)
    if getattr(layer, "kind", None) == "numbers":  # A fusion of decisions.
        return model.output[head], "value"
    if not isinstance(layer, keras.layers.Dense):
        tiny = keras.config.epsilon()
        return keras.ops.log(keras.ops.maximum(model.output[head], tiny)), "log-probability"
    kind = "value" if layer.activation is keras.activations.linear else "logit"
    features = keras.ops.cast(layer.input, "float32")
    return keras.ops.add(keras.ops.matmul(features, layer.kernel), layer.bias), kind


def _index(name: str, labels: tuple[str, ...], requested: str) -> int:
    if requested in labels:
        return labels.index(requested)
    if requested.isdecimal() and int(requested) < len(labels):
        return int(requested)
    meant = "." if requested.isdecimal() else did_you_mean(requested, labels) or "."
    raise RunError(
        f"heads.{name}: has no class '{shorten(requested)}'{meant} There are {len(labels)}, also "
        f"by index, 0 to {len(labels) - 1}: {shorten(', '.join(labels))}"
    )


_MAX_PREDICTIONS = 3
_MIN_PROBABILITY = 0.0005
"""Smaller probabilities would be written as 0.0 %."""


@dataclass(frozen=True)
class Explanation:
    """The Grad-CAM heat map of one class for one image.

    Attributes:
        image: the preprocessed image, uint8 `[height, width, channels]`.
        heatmap: how much each position of the last feature map raises the score, float32
            `[rows, columns]` from 0 to 1; all 0 if none does.
        score: the explained score.
        kind: what the gradients are of: "logit", "log-probability", or "value" of a regression.
        predictions: class -> probability, or name -> value of a regression.
    """

    image: NDArray[np.uint8]
    heatmap: NDArray[np.float32]
    score: Score
    kind: str
    predictions: dict[str, float]

    @property
    def centre(self) -> tuple[float, float] | None:
        """Center of mass of the heat map, as fractions of the height from the top and of the width
        from the left; None if the heat map is all 0."""
        total = float(self.heatmap.sum())
        if total == 0:
            return None
        rows, columns = self.heatmap.shape
        down = float(self.heatmap.sum(axis=1) @ (np.arange(rows) + 0.5)) / total / rows
        across = float(self.heatmap.sum(axis=0) @ (np.arange(columns) + 0.5)) / total / columns
        return down, across

    def as_dict(self) -> dict[str, Any]:
        """The explanation without its arrays, as JSON-serializable values."""
        return {
            "head": self.score.head,
            "class": self.score.label,
            "value" if self.kind == "value" else "probability": self.predictions[self.score.label],
            "gradients_of": self.kind,
            "centre": self.centre,
            "map": self.heatmap.shape,
            "predicted": self.top(_MAX_PREDICTIONS),
        }

    def __str__(self) -> str:
        rows, columns = self.heatmap.shape
        gradients = f"gradients of its {self.kind}, {rows} x {columns} map"
        lines = [self.prediction_text(), f"Grad-CAM for {self.score.label} ({gradients}):"]
        if self.centre is None:
            lines.append("no image region raises its score.")
        else:
            down, across = (round(100 * share) for share in self.centre)
            lines.append(f"centered {down} % from the top and {across} % from the left.")
        return "\n".join(lines)

    def prediction_text(self) -> str:
        """The top predictions: "digit: 7 (98.1 %), 1 (1.2 %)"."""
        best = self.top(_MAX_PREDICTIONS)
        if self.kind == "value":
            return ", ".join(f"{label}: {value:.6g}" for label, value in best.items())
        explained, first = self.score.label, next(iter(best))
        best[explained] = self.predictions[explained]
        shown = [
            f"{label} ({100 * value:.1f} %)"
            for label, value in best.items()
            if value >= _MIN_PROBABILITY or label in (first, explained)
        ]
        return f"{self.score.head}: {', '.join(shown)}"

    def top(self, most: int) -> dict[str, float]:
        """The classes of highest probability, in descending order; or the first values."""
        found = list(self.predictions.items())
        if self.kind != "value":
            found.sort(key=lambda item: -item[1])
        return dict(found[:most])


def explain(
    model: keras.Model,
    config: Config,
    name: str,
    values: NDArray[np.uint8],
    head: str,
    label: str | None = None,
) -> Explanation:
    """The Grad-CAM of a head for one image, for a model with a single input.

    The channels of the last feature map are weighted by the gradient of the score, averaged over
    all positions. The heat map is the positive part of their sum.

    Reference: Selvaraju et al., "Grad-CAM: Visual explanations from deep networks via
    gradient-based localization", 2017.

    Args:
        model: the model, from `build_model(config)`.
        config: the fitted config.
        name: the input's name.
        values: a preprocessed image, uint8 `[1, height, width, channels]`.
        head: the head's name.
        label: the class, by name or index; by default the predicted one.

    Raises:
        RunError: the head has no such class, or the encoder has no feature map.
    """
    spec = config.labelled_heads[head]
    predicted = spec.predictions(model({name: values}, training=False)[head].numpy())
    score = select_score(head, spec, predicted, label)
    encoder = encoder_of(model, name, head)
    last_map = last_feature_map(encoder)
    if last_map is None:
        raise RunError(
            f"inputs.{name}: this {config.inputs[name].encoder.type} encoder has no feature map "
            "with more than one position. Use larger images (`shape`)."
        )
    raw, kind = score_tensor(model, head)
    to_score = keras.Model(encoder_output(model, name, head), raw)
    to_map = keras.Model(encoder.input, last_map)
    from_map = keras.Model(last_map, encoder.outputs[0])
    feature_map = to_map(values, training=False)
    with tf.GradientTape() as tape:
        tape.watch(feature_map)
        scores = to_score(from_map(feature_map, training=False), training=False)
        chosen = score.sign * scores[0, score.output]
    gradient = tape.gradient(chosen, feature_map)
    return Explanation(
        image=draw(config.inputs[name], values[0]),
        heatmap=_heatmap(tf.cast(feature_map[0], tf.float32), tf.cast(gradient[0], tf.float32)),
        score=score,
        kind=kind,
        predictions=dict(zip(spec.output_names(head), values_of(spec, predicted), strict=True)),
    )


def _heatmap(feature_map: tf.Tensor, gradient: tf.Tensor) -> NDArray[np.float32]:
    """The sum of channels weighted by mean gradients; its positive part, scaled to at most 1."""
    weights = tf.reduce_mean(gradient, axis=(0, 1))
    heat = tf.nn.relu(tf.tensordot(feature_map, weights, axes=1)).numpy()
    highest = heat.max()
    return heat / highest if highest > 0 else heat
