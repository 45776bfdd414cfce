"""Grad-CAM: heat maps of the image regions that raise a class score."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmzoo.anatomy import encoded, encoder_of, last_feature_map
from mmzoo.config import Config
from mmzoo.devices import memory_errors
from mmzoo.errors import RunError
from mmzoo.heads import Binary, Classification, Head, Multilabel, Regression
from mmzoo.lazy import keras, tf
from mmzoo.spec import did_you_mean
from mmzoo.spec.wording import shorten
from mmzoo.visualization.drawing import Drawing, open_subject, require_png, unused_path
from mmzoo.visualization.gradcam_plot import cam_picture


@dataclass(frozen=True)
class Score:
    """One number of a head's output, and what it stands for.

    Attributes:
        head: the head's name.
        label: the class, or the number of a regression, by the name that predictions give it.
        output: its place in the head's output.
        sign: -1 for the no of a binary head, which the same number tells as its yes; else 1.
    """

    head: str
    label: str
    output: int
    sign: float = 1.0


def labels_of(name: str, head: Head) -> tuple[str, ...]:
    """What a head can say: its classes, or the names of its numbers."""
    match head:
        case Classification() | Binary() | Multilabel():
            assert head.class_names is not None
            return head.class_names
        case Regression(dim=1):
            return (name,)
        case Regression():
            return tuple(f"{name}_{index}" for index in range(head.dim or 0))


def values_of(head: Head, predicted: np.ndarray) -> list[float]:
    """The probability of each of a head's labels, or its numbers, for one example.

    Args:
        head: the head.
        predicted: float `[1, width]`.
    """
    row = head.class_probabilities(predicted) if isinstance(head, Binary) else predicted
    return [float(value) for value in row[0]]


def choose_score(name: str, head: Head, predicted: np.ndarray, asked: str | None) -> Score:
    """The score of the class that was asked for, else of the one that is predicted.

    Args:
        name: the head's name.
        head: the head.
        predicted: float `[1, width]`, what the model says of the example.
        asked: a class by its name or its number counted from 0. For a multilabel head that says
            nothing, the most probable label stands in.

    Raises:
        RunError: the head has no such class, or several numbers of which none was asked for.
    """
    labels = labels_of(name, head)
    if asked is not None:
        index = _index(name, labels, asked)
    elif isinstance(head, Classification | Binary):
        index = int(head.decided(predicted)[0])
    elif isinstance(head, Regression) and len(labels) > 1:
        raise RunError(
            f"heads.{name}: predicts {len(labels)} numbers. Say which one to explain by --class, "
            f"from 0 to {len(labels) - 1}."
        )
    else:
        index = int(predicted[0].argmax())
    if isinstance(head, Binary):
        return Score(name, labels[index], output=0, sign=1.0 if index else -1.0)
    return Score(name, labels[index], output=index)


def score_tensor(model: keras.Model, head: str) -> tuple[keras.KerasTensor, str]:
    """What a head's output is before softmax or sigmoid take it between 0 and 1.

    Those flatten where the model is sure, so that no gradient comes through. A head that mixes
    the decisions of others has no such number, and gives the logarithm of its probability.

    Returns:
        Float32 `[batch, width]` within the model, and what it is: "logit", "value" of a
        regression, or "log-probability".
    """
    layer = model.get_layer(head)
    if getattr(layer, "kind", None) == "numbers":  # Of several decisions.
        return model.output[head], "value"
    if not isinstance(layer, keras.layers.Dense):
        tiny = keras.config.epsilon()
        return keras.ops.log(keras.ops.maximum(model.output[head], tiny)), "log-probability"
    kind = "value" if layer.activation is keras.activations.linear else "logit"
    features = keras.ops.cast(layer.input, "float32")
    return keras.ops.add(keras.ops.matmul(features, layer.kernel), layer.bias), kind


def _index(name: str, labels: tuple[str, ...], asked: str) -> int:
    if asked in labels:
        return labels.index(asked)
    if asked.isdecimal() and int(asked) < len(labels):
        return int(asked)
    meant = did_you_mean(asked, labels) or "."
    raise RunError(
        f"heads.{name}: has no class '{shorten(asked)}'{meant} There are {len(labels)}, or by "
        f"number 0 to {len(labels) - 1}: {shorten(', '.join(labels))}"
    )


_MOST_SAID = 3
_WORTH_SAYING = 0.0005
"""Smaller probabilities would be written as 0.0 %."""


@dataclass(frozen=True)
class Explanation:
    """Where a model looked for one class in one picture.

    Attributes:
        picture: what the model saw, uint8 `[height, width, channels]`.
        heat: how much each place of the last feature map speaks for the class, float32
            `[rows, columns]` from 0 to 1; all 0 where no place does.
        score: what is explained.
        kind: what the gradients are of: "logit", "value" of a regression, or "log-probability".
        said: the head's labels and the probability of each, or a regression's numbers.
    """

    picture: NDArray[np.uint8]
    heat: NDArray[np.float32]
    score: Score
    kind: str
    said: dict[str, float]

    @property
    def centre(self) -> tuple[float, float] | None:
        """The heat's centre of mass as shares of the height, from the top, and of the width, from
        the left; None where there is no heat."""
        total = float(self.heat.sum())
        if total == 0:
            return None
        rows, columns = self.heat.shape
        down = float(self.heat.sum(axis=1) @ (np.arange(rows) + 0.5)) / total / rows
        across = float(self.heat.sum(axis=0) @ (np.arange(columns) + 0.5)) / total / columns
        return down, across

    def as_dict(self) -> dict[str, Any]:
        """All but the arrays, as JSON takes it."""
        return {
            "head": self.score.head,
            "class": self.score.label,
            "value" if self.kind == "value" else "probability": self.said[self.score.label],
            "gradients_of": self.kind,
            "centre": self.centre,
            "map": self.heat.shape,
            "predicted": self.best(_MOST_SAID),
        }

    def __str__(self) -> str:
        rows, columns = self.heat.shape
        explained = f"What speaks for {self.score.label} (gradients of its {self.kind}, on a map of"
        lines = [self.said_text(), f"{explained} {rows} x {columns}):"]
        if self.centre is None:
            lines.append("no place in the picture does.")
        else:
            down, across = (round(100 * share) for share in self.centre)
            lines.append(f"its centre is {down} % down and {across} % across.")
        return "\n".join(lines)

    def said_text(self) -> str:
        """What the head says, as "digit: 7 (98.1 %), 1 (1.2 %)"."""
        best = self.best(_MOST_SAID)
        if self.kind == "value":
            return ", ".join(f"{label}: {value:.6g}" for label, value in best.items())
        explained, first = self.score.label, next(iter(best))
        best[explained] = self.said[explained]
        said = [
            f"{label} ({100 * value:.1f} %)"
            for label, value in best.items()
            if value >= _WORTH_SAYING or label in (first, explained)
        ]
        return f"{self.score.head}: {', '.join(said)}"

    def best(self, most: int) -> dict[str, float]:
        """The labels of the highest probability, the highest first; or the first numbers."""
        found = list(self.said.items())
        if self.kind != "value":
            found.sort(key=lambda item: -item[1])
        return dict(found[:most])


@memory_errors()
def draw_cam(
    run: Path,
    file: Path,
    *,
    input_name: str | None = None,
    head: str | None = None,
    label: str | None = None,
    output: Path | None = None,
) -> Drawing:
    """Explains what the model of a run says of a picture file, and draws it.

    Args:
        run: a run directory, `runs/<name>` for its newest, or a weights file inside one.
        file: the picture.
        input_name: the input that takes it.
        head: the head to explain; needed where there are several.
        label: the class, by its name or number; by default the predicted one.
        output: the PNG to write; by default `cam/<file's name>.png` in the run, numbered
            where there is one by that name.

    Raises:
        DataError: the file cannot be read, or the PNG has another ending.
        RunError: there is no such run, input, head or class, or nothing that could be explained.
    """
    require_png(output)
    subject = open_subject(run, input_name)
    where = str(subject.run.directory)
    if len(subject.config.inputs) > 1:
        raise RunError(
            f"{where}: predicts from {len(subject.config.inputs)} inputs together "
            f"({', '.join(subject.config.inputs)}), which a single file cannot give"
        )
    head = _head(subject.config, head, where)
    explanation = explain(
        subject.model, subject.config, subject.name, subject.read(file), head, label
    )
    path = output or unused_path(subject.run.pictures("cam"), file)
    cam_picture(path, explanation)
    facts = {"file": str(file), "input": subject.name, **explanation.as_dict()}
    return Drawing(path, f"{file}\n{explanation}", facts)


def explain(
    model: keras.Model,
    config: Config,
    name: str,
    values: NDArray[np.uint8],
    head: str,
    label: str | None = None,
) -> Explanation:
    """The Grad-CAM of one head for one picture, by a model with no other inputs.

    The gradient of the class's score, averaged over the last feature map, weighs the map's
    channels; where their sum is positive, the place speaks for the class.

    Args:
        model: as `build_model` makes it of the config.
        config: fitted.
        name: the input's name.
        values: the picture as the model gets it, uint8 `[1, height, width, channels]`.
        head: the head's name.
        label: the class, by its name or number; by default the predicted one.

    Raises:
        RunError: the head has no such class, or the encoder has no feature map.
    """
    spec = config.heads[head]
    predicted = model({name: values}, training=False)[head].numpy()
    score = choose_score(head, spec, predicted, label)
    encoder = encoder_of(model, name, head)
    last_map = last_feature_map(encoder)
    if last_map is None:
        raise RunError(
            f"inputs.{name}: this {config.inputs[name].encoder.type} encoder ends in one place for "
            "the whole picture, so there are none to compare. Larger pictures (`shape`) leave more."
        )
    raw, kind = score_tensor(model, head)
    whole_score = keras.Model(encoded(model, name, head), raw)
    to_map = keras.Model(encoder.input, last_map)
    from_map = keras.Model(last_map, encoder.outputs[0])
    feature_map = to_map(values, training=False)
    with tf.GradientTape() as tape:
        tape.watch(feature_map)
        scores = whole_score(from_map(feature_map, training=False), training=False)
        chosen = score.sign * scores[0, score.output]
    gradient = tape.gradient(chosen, feature_map)
    return Explanation(
        picture=config.inputs[name].picture(values[0]),
        heat=_heat(tf.cast(feature_map[0], tf.float32), tf.cast(gradient[0], tf.float32)),
        score=score,
        kind=kind,
        said=dict(zip(labels_of(head, spec), values_of(spec, predicted), strict=True)),
    )


def _heat(feature_map: tf.Tensor, gradient: tf.Tensor) -> NDArray[np.float32]:
    """The channels' sum weighed by their mean gradients, what is positive of it, up to 1."""
    weights = tf.reduce_mean(gradient, axis=(0, 1))
    heat = tf.nn.relu(tf.tensordot(feature_map, weights, axes=1)).numpy()
    highest = heat.max()
    return heat / highest if highest > 0 else heat


def _head(config: Config, asked: str | None, where: str) -> str:
    """The head that was asked for, or the only one."""
    if asked is None and len(config.heads) > 1:
        raise RunError(
            f"{where}: has {len(config.heads)} heads: {', '.join(config.heads)}. "
            "Say which one to explain by --head NAME."
        )
    head = asked or next(iter(config.heads))
    if head not in config.heads:
        meant = did_you_mean(head, config.heads) or "."
        raise RunError(f"{where}: has no head '{head}'{meant} There are: {', '.join(config.heads)}")
    return head
