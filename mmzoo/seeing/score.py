"""Score: the number of a head's output that a class activation map explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmzoo.errors import RunError
from mmzoo.heads import Binary, Classification, Head, Multilabel, Regression
from mmzoo.lazy import keras
from mmzoo.spec import did_you_mean
from mmzoo.spec.words import shorten

if TYPE_CHECKING:
    import numpy as np
    from keras import KerasTensor


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


def score_tensor(model: keras.Model, head: str) -> tuple[KerasTensor, str]:
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
