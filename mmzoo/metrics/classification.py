"""The metrics of a classification head and of a binary one."""

from __future__ import annotations

import numpy as np

from mmzoo.metrics.calibration import expected_calibration_error
from mmzoo.metrics.confusion import (
    balanced_accuracy,
    confusion_matrix,
    macro_f1,
    majority_share,
    per_class,
)
from mmzoo.metrics.intervals import wilson_interval
from mmzoo.metrics.predictions import Floats, Integers, Metrics, check_predictions
from mmzoo.metrics.ranking import area_under_roc, average_precision, top_k_accuracy

_SMALLEST_PROBABILITY = 1e-7
"""Keras' cross-entropies clip to this too, so both say the same; 0 would cost infinitely much."""


def classification_metrics(true: Integers, probabilities: Floats) -> Metrics:
    """Metrics of predictions of one of several classes; of classes that tie the first is said.

    Args:
        true: integers [n], 0 to classes - 1.
        probabilities: float [n, classes], each row adding up to 1.

    Returns:
        accuracy, accuracy_ci95 (Wilson), majority (accuracy of always saying the commonest class),
        top5_accuracy (with more than 5 classes only), macro_f1, balanced_accuracy,
        expected_calibration_error, cross_entropy.

    Raises:
        DataError: there are no examples, or a probability is not finite.
    """
    check_predictions(true, probabilities)
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    top5 = {"top5_accuracy": top_k_accuracy(true, probabilities, k=5)} if classes > 5 else {}
    return {
        **_agreement(true, predicted, classes, confidence=probabilities.max(axis=1)),
        **top5,
        "cross_entropy": cross_entropy(true, probabilities),
    }


def binary_metrics(true: Integers, probability: Floats, threshold: float = 0.5) -> Metrics:
    """Metrics of predictions of yes or no; yes where the probability is at least `threshold`.

    Args:
        true: 0 or 1 [n].
        probability: float [n], of 1.
        threshold: from which probability on 1 is said.

    Returns:
        What `classification_metrics` gives for two classes, and of class 1: precision, recall, f1,
        auc (of the ROC curve; None where a class is absent) and average_precision (None where
        class 1 is).

    Raises:
        DataError: there are no examples, or a probability is not finite.
    """
    check_predictions(true, probability)
    predicted = (probability >= threshold).astype(np.int64)
    both = np.stack([1 - probability, probability], axis=1)
    confidence = np.where(predicted == 1, probability, 1 - probability)
    scores = per_class(confusion_matrix(true, predicted, classes=2))
    return {
        **_agreement(true, predicted, 2, confidence),
        "cross_entropy": cross_entropy(true, both),
        "precision": float(scores.precision[1]),
        "recall": float(scores.recall[1]),
        "f1": float(scores.f1[1]),
        "auc": area_under_roc(true, probability),
        "average_precision": average_precision(true, probability),
    }


def cross_entropy(true: Integers, probabilities: Floats) -> float:
    """Mean of -ln p(true class), with probabilities no less than 1e-7.

    Args:
        true: integers [n].
        probabilities: float [n, classes].
    """
    of_true = np.take_along_axis(probabilities, np.asarray(true, np.int64)[:, None], axis=1)
    return float(-np.log(np.clip(of_true.astype(np.float64), _SMALLEST_PROBABILITY, 1)).mean())


def _agreement(true: Integers, predicted: Integers, classes: int, confidence: Floats) -> Metrics:
    confusion = confusion_matrix(true, predicted, classes)
    right = int(np.trace(confusion))
    return {
        "accuracy": right / len(true),
        "accuracy_ci95": list(wilson_interval(right, len(true))),
        "majority": majority_share(true, classes),
        "macro_f1": macro_f1(confusion),
        "balanced_accuracy": balanced_accuracy(confusion),
        "expected_calibration_error": expected_calibration_error(confidence, predicted == true),
    }
