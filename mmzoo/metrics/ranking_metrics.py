"""Ranking and calibration metrics: top-k accuracy, ROC AUC, average precision, ECE."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmzoo.metrics.metric_inputs import Floats, Integers, safe_divide


def top_k_accuracy(true: Integers, probabilities: Floats, k: int) -> float:
    """Share of examples whose true class is among the `k` most probable.

    Of tied classes the first ranks higher, as in argmax: so `k=1` is the accuracy.

    Args:
        true: integers [n].
        probabilities: float [n, classes].
        k: number of classes.
    """
    of_true = np.take_along_axis(probabilities, np.asarray(true, np.int64)[:, None], axis=1)
    earlier = np.arange(probabilities.shape[1]) < np.asarray(true)[:, None]
    above = (probabilities > of_true) | ((probabilities == of_true) & earlier)
    return float(np.mean(above.sum(axis=1) < k))


def area_under_roc(true: Integers, score: Floats) -> float | None:
    """ROC AUC: the chance that a positive example scores higher than a negative; a tie counts half.

    None where one of the classes has no examples.

    Args:
        true: 0 or 1 [n].
        score: float [n].

    Reference: Fawcett, "An introduction to ROC analysis", 2006.
    """
    curve = roc_curve(true, score)
    if curve is None:
        return None
    false_rate, true_rate = curve
    # The trapezoidal rule, written out: numpy renamed its function between versions 1 and 2.
    return float(np.sum(np.diff(false_rate) * (true_rate[1:] + true_rate[:-1]) / 2))


def average_precision(true: Integers, score: Floats) -> float | None:
    """Area under the precision-recall curve as a sum of steps: Σ (R_i - R_{i-1}) P_i.

    Steps are not interpolated, which would be too optimistic. None where there are no positives.

    Args:
        true: 0 or 1 [n].
        score: float [n].

    Reference: Davis and Goadrich, "The relationship between precision-recall and ROC curves", 2006.
    """
    curve = precision_recall_curve(true, score)
    if curve is None:
        return None
    recall, precision = curve
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def roc_curve(
    true: Integers, score: Floats
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """False and true positive rate at each distinct threshold, from (0, 0) to (1, 1).

    None where one of the classes has no examples; arguments as in `area_under_roc`.
    """
    positives, predicted = _positives_by_threshold(true, score)
    negatives = predicted - positives
    if positives[-1] == 0 or negatives[-1] == 0:
        return None
    true_rate = np.concatenate(([0.0], positives / positives[-1]))
    return np.concatenate(([0.0], negatives / negatives[-1])), true_rate


def precision_recall_curve(
    true: Integers, score: Floats
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Recall and precision at each distinct threshold, by ascending recall.

    None where there are no positives; arguments as in `average_precision`.
    """
    positives, predicted = _positives_by_threshold(true, score)
    if positives[-1] == 0:
        return None
    return positives / positives[-1], positives / predicted


def _positives_by_threshold(
    true: Integers, score: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """True positives, and all predicted positives, at each distinct score from high to low."""
    order = np.argsort(score, kind="stable")[::-1]
    descending = np.asarray(score)[order]
    last_of_ties = np.append(np.flatnonzero(np.diff(descending)), len(descending) - 1)
    positives = np.cumsum(np.asarray(true, np.int64)[order])[last_of_ties]
    return positives, last_of_ties + 1


class Reliability(NamedTuple):
    """Reliability curve over equally wide bins of confidence, each an array [bins]."""

    confidence: NDArray[np.float64]
    """Mean confidence of the predictions in the bin; 0 in an empty one."""
    accuracy: NDArray[np.float64]
    """Accuracy of these predictions; 0 in an empty bin."""
    examples: NDArray[np.int64]
    """Number of predictions in the bin."""


def reliability(confidence: Floats, correct: Integers, bins: int = 15) -> Reliability:
    """Groups predictions into bins (0, 1/bins], (1/bins, 2/bins], ... of confidence.

    Args:
        confidence: float [n], the probability of the predicted class.
        correct: bool or 0/1 [n], whether the prediction is right.
        bins: the number of bins.

    Reference: Guo et al., "On calibration of modern neural networks", 2017.
    """
    confidence = np.asarray(confidence, np.float64)
    upper_edges = np.linspace(0, 1, bins + 1)[1:-1]
    which = np.digitize(confidence, upper_edges, right=True)
    examples = np.bincount(which, minlength=bins)
    right = np.bincount(which, np.asarray(correct, np.float64), minlength=bins)
    return Reliability(
        confidence=safe_divide(np.bincount(which, confidence, minlength=bins), examples),
        accuracy=safe_divide(right, examples),
        examples=examples,
    )


def expected_calibration_error(confidence: Floats, correct: Integers, bins: int = 15) -> float:
    """Mean gap between confidence and accuracy, over bins weighted by their predictions.

    Σ (examples_b / n) |accuracy_b - confidence_b|; arguments and reference as in `reliability`.
    """
    curve = reliability(confidence, correct, bins)
    gaps = np.abs(curve.accuracy - curve.confidence)
    return float(np.sum(curve.examples * gaps) / max(1, curve.examples.sum()))
