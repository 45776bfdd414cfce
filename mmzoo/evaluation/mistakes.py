"""The worst mistakes of a head, as images and texts for the report and for TensorBoard."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mmzoo.config import Config, Preprocessing
from mmzoo.decoded_files import reraise_with_file_names
from mmzoo.evaluation.evaluate import Evaluation
from mmzoo.evaluation.figures import class_labels
from mmzoo.heads import ChoosesClass, LabelledHead
from mmzoo.lazy import tf
from mmzoo.metrics import decimals_of, number_text, rounded_text
from mmzoo.missing_values import mark_missing
from mmzoo.modalities.abilities import HasImage, HasText, draw
from mmzoo.preprocessing import Arrays, as_text, missing_mask


@dataclass(frozen=True)
class Mistakes:
    """The most confident wrong predictions of a head, or its largest errors, the worst first.

    Attributes:
        captions: the true and the predicted class, as "true 4, predicted 9 (98 %)", or the values,
            as "true 152, predicted 310 (+158)"; none where everything is right.
        rows: the examples' names.
        images: uint8 `[height, width, channels]` each; none where no input has an image.
        texts: input -> its texts, of inputs that are text.
    """

    captions: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    images: list[np.ndarray] = field(default_factory=list)
    texts: Mapping[str, list[str]] = field(default_factory=dict)


def worst_mistakes(
    name: str, config: Config, data: Arrays, preprocessing: Preprocessing, evaluation: Evaluation
) -> Mistakes:
    """The worst mistakes of a head.

    Args:
        name: the head's.
        config: of the model.
        data: as it was evaluated.
        preprocessing: the fitted preprocessing of the inputs.
        evaluation: of the model on one of its splits.
    """
    head = config.heads[name]
    if not isinstance(head, LabelledHead):
        return Mistakes()
    labels, predicted = evaluation.labels[name], evaluation.predictions[name]
    there = np.flatnonzero(head.labelled(labels))
    if isinstance(head, ChoosesClass):
        rows, captions = _wrong_classes(head, labels, predicted, there)
    elif head.output_kind == "numbers":
        rows, captions = _largest_errors(labels.reshape(predicted.shape), predicted, there)
    else:
        return Mistakes()
    if not rows.size:
        return Mistakes()
    chosen = {one: values[rows] for one, values in data.splits[evaluation.split].items()}
    shown = next((one for one, spec in config.inputs.items() if isinstance(spec, HasImage)), None)
    if shown is not None:
        captions = mark_missing(captions, shown, missing_mask(config, shown, chosen))
    return Mistakes(
        captions=captions,
        rows=[data.row_name(evaluation.split, int(row)) for row in rows],
        images=_images(config, data, evaluation.split, rows, shown),
        texts={
            one: as_text(config, one, chosen, preprocessing)
            for one, spec in config.inputs.items()
            if isinstance(spec, HasText)
        },
    )


def _wrong_classes(
    head: ChoosesClass, labels: np.ndarray, predicted: np.ndarray, there: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    true, classes = head.class_labels(labels), head.predicted_classes(predicted)
    confidence = predicted_probability(head.class_probabilities(predicted), classes)
    rows = there[most_confident_mistakes(true[there], classes[there], confidence[there])]
    names = head.class_names or ()
    return rows, mistake_captions(true[rows], classes[rows], confidence[rows], names)


def _largest_errors(
    true: np.ndarray, predicted: np.ndarray, there: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    rows = there[largest_errors(true[there], predicted[there])]
    return rows, error_captions(true[rows], predicted[rows])


def largest_errors(true: np.ndarray, predicted: np.ndarray, most: int = 24) -> NDArray[np.int64]:
    """Indices int64 [k] of the largest errors that are not 0; ties keep their order.

    Args:
        true: numbers [n, d].
        predicted: numbers [n, d].
        most: the largest k.
    """
    errors = np.abs(predicted.astype(np.float64) - true).mean(axis=1)
    order = np.argsort(-errors, kind="stable")[:most]
    return order[errors[order] > 0].astype(np.int64)


def error_captions(true: np.ndarray, predicted: np.ndarray) -> list[str]:
    """A line for each example, as "true 152, predicted 310 (+158)"; of several numbers the mean
    absolute error. Both values are rounded to the fourth digit of the error, which is their
    difference."""
    captions = []
    for was, one in zip(true.astype(np.float64), predicted.astype(np.float64), strict=True):
        if len(was) == 1:
            captions.append(_error_caption(float(was[0]), float(one[0])))
        else:
            captions.append(f"mean absolute error {number_text(np.abs(one - was).mean())}")
    return captions


def _error_caption(true: float, predicted: float) -> str:
    size = abs(predicted - true)
    decimals = decimals_of(size, 4) if size and math.isfinite(size) else 4
    error = round(predicted, decimals) - round(true, decimals) if math.isfinite(size) else size
    sign = "+" if error > 0 else ""
    values = f"true {rounded_text(true, decimals)}, predicted {rounded_text(predicted, decimals)}"
    return f"{values} ({sign}{rounded_text(error, decimals)})"


def _images(
    config: Config, data: Arrays, split: str, rows: np.ndarray, shown: str | None
) -> list[np.ndarray]:
    if shown is None:
        return []
    spec = config.inputs[shown]
    raw = data.splits[split][config.columns[shown]][rows]
    with tf.device("CPU"), reraise_with_file_names(config, data, split):
        values = spec.load(tf.constant(raw)).numpy()
    return [draw(spec, value) for value in values]


def most_confident_mistakes(
    true: np.ndarray, predicted: np.ndarray, confidence: np.ndarray, most: int = 24
) -> NDArray[np.int64]:
    """Indices int64 [k] of the wrong predictions, the most confident first; ties keep their order.

    Args:
        true: integers [n].
        predicted: integers [n], the predicted classes.
        confidence: float [n], their probabilities.
        most: the largest k.
    """
    wrong = np.flatnonzero(predicted != true)
    order = np.argsort(-confidence[wrong], kind="stable")
    return wrong[order][:most].astype(np.int64)


def mistake_captions(
    true: np.ndarray, predicted: np.ndarray, confidence: np.ndarray, names: Sequence[str]
) -> list[str]:
    """A line for each example, as "true 4, predicted 9 (98 %)"; arguments likewise."""
    labels = class_labels(names)
    return [
        f"true {labels[was]}, predicted {labels[one]} ({math.floor(100 * share)} %)"
        for was, one, share in zip(true, predicted, confidence, strict=True)
    ]


def predicted_probability(probabilities: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """The probability of the predicted class, float `[rows]`.

    It is not always the largest: with a threshold below one half, a binary head may predict the
    less probable class.
    """
    return np.take_along_axis(probabilities, predicted[:, None], axis=1)[:, 0]
