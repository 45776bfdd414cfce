"""Metrics of classification, binary and multi-label predictions, and the confusion matrix."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmzoo.metrics.intervals import wilson_interval
from mmzoo.metrics.metric_inputs import (
    Floats,
    Integers,
    Metrics,
    check_predictions,
    safe_divide,
)
from mmzoo.metrics.ranking_metrics import (
    area_under_roc,
    average_precision,
    expected_calibration_error,
    top_k_accuracy,
)

_SMALLEST_PROBABILITY = 1e-7
"""Keras' cross-entropies clip to this too; a probability of 0 would have an infinite loss."""


def classification_metrics(true: Integers, probabilities: Floats) -> Metrics:
    """Metrics of single-label classification; of tied classes the first is predicted.

    Args:
        true: integers [n], 0 to classes - 1.
        probabilities: float [n, classes], each row adding up to 1.

    Returns:
        accuracy, accuracy_ci95 (Wilson), majority (accuracy of always predicting the most frequent
        class), top5_accuracy (with more than 5 classes only), macro_f1, balanced_accuracy,
        expected_calibration_error, cross_entropy.

    Raises:
        DataError: there are no examples, or a probability is not finite.
    """
    check_predictions(true, probabilities)
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    top5 = {"top5_accuracy": top_k_accuracy(true, probabilities, k=5)} if classes > 5 else {}
    return {
        **_class_metrics(true, predicted, classes, confidence=probabilities.max(axis=1)),
        **top5,
        "cross_entropy": cross_entropy(true, probabilities),
    }


def binary_metrics(true: Integers, probability: Floats, threshold: float = 0.5) -> Metrics:
    """Metrics of binary classification.

    Args:
        true: 0 or 1 [n].
        probability: float [n], of class 1.
        threshold: the smallest probability at which class 1 is predicted.

    Returns:
        Those of `classification_metrics` for two classes, and of class 1: precision, recall, f1,
        auc (of the ROC curve; None where a class has no examples) and average_precision (None where
        class 1 has none).

    Raises:
        DataError: there are no examples, or a probability is not finite.
    """
    check_predictions(true, probability)
    predicted = (probability >= threshold).astype(np.int64)
    both = np.stack([1 - probability, probability], axis=1)
    confidence = np.where(predicted == 1, probability, 1 - probability)
    scores = per_class(confusion_matrix(true, predicted, classes=2))
    return {
        **_class_metrics(true, predicted, 2, confidence),
        "cross_entropy": cross_entropy(true, both),
        "precision": float(scores.precision[1]),
        "recall": float(scores.recall[1]),
        "f1": float(scores.f1[1]),
        "auc": area_under_roc(true, probability),
        "average_precision": average_precision(true, probability),
    }


def multilabel_metrics(true: Integers, probabilities: Floats, threshold: float = 0.5) -> Metrics:
    """Metrics of multi-label classification, where an example has any number of labels.

    Args:
        true: 0 or 1 [n, labels].
        probabilities: float [n, labels], independent of one another.
        threshold: the smallest probability at which a label is predicted.

    Returns:
        subset_accuracy (every label of the example right), subset_accuracy_ci95 (Wilson), majority
        (subset accuracy of always predicting the most frequent set), micro_f1 (over all labels
        pooled), macro_f1 (mean over the labels that occur), hamming_loss (share of single labels
        that are wrong), mean_average_precision (over the labels that have examples; None where none
        has).

    Raises:
        DataError: there are no examples, or a probability is not finite.
    """
    check_predictions(true, probabilities)
    predicted = probabilities >= threshold
    is_true = np.asarray(true, bool)
    all_right = int(np.all(predicted == is_true, axis=1).sum())
    scores = per_label(true, probabilities, threshold)
    pooled = precision_recall_f1((is_true & predicted).sum(), predicted.sum(), is_true.sum())
    precisions = [
        precision
        for label in range(is_true.shape[1])
        if (precision := average_precision(is_true[:, label], probabilities[:, label])) is not None
    ]
    _, set_counts = np.unique(np.packbits(is_true, axis=1), axis=0, return_counts=True)
    return {
        "subset_accuracy": all_right / len(true),
        "subset_accuracy_ci95": list(wilson_interval(all_right, len(true))),
        "majority": float(set_counts.max() / len(is_true)),
        "micro_f1": float(pooled.f1),
        "macro_f1": _mean_f1(scores, predicted.sum(axis=0)),
        "hamming_loss": float(np.mean(predicted != is_true)),
        "mean_average_precision": float(np.mean(precisions)) if precisions else None,
    }


class PerClass(NamedTuple):
    """Metrics of each class, each an array [classes]."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]
    """How many examples are of this class."""


def confusion_matrix(true: Integers, predicted: Integers, classes: int) -> NDArray[np.int64]:
    """Counts int64 [classes, classes]: row is the true class, column the predicted one.

    Raises:
        ValueError: a class is not in 0 to classes - 1.
    """
    for which, values in (("true", true), ("predicted", predicted)):
        if len(values) and (values.min() < 0 or values.max() >= classes):
            raise ValueError(
                f"{which} classes go from {values.min()} to {values.max()}, "
                f"but must be in 0 to {classes - 1}"
            )
    cells = np.asarray(true, np.int64) * classes + np.asarray(predicted, np.int64)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def per_class(confusion: NDArray[np.int64]) -> PerClass:
    """Precision, recall, F1 and support of each class; 0 / 0 is 0."""
    return precision_recall_f1(
        np.diagonal(confusion), confusion.sum(axis=0), support=confusion.sum(axis=1)
    )


def per_label(true: Integers, probabilities: Floats, threshold: float = 0.5) -> PerClass:
    """Precision, recall, F1 and support of each label; arguments as in `multilabel_metrics`."""
    predicted = probabilities >= threshold
    right = (predicted & np.asarray(true, bool)).sum(axis=0)
    return precision_recall_f1(right, predicted.sum(axis=0), support=np.sum(true, axis=0))


def precision_recall_f1(
    right: NDArray[np.int64], predicted: NDArray[np.int64], support: NDArray[np.int64]
) -> PerClass:
    """Precision, recall and F1 from counts: correctly predicted, predicted, and true."""
    return PerClass(
        precision=safe_divide(right, predicted),
        recall=safe_divide(right, support),
        f1=safe_divide(2 * right, predicted + support),
        support=np.asarray(support, np.int64),
    )


def macro_f1(confusion: NDArray[np.int64]) -> float:
    """Mean F1 of the classes that occur, as a label or as a prediction.

    A class that is neither says nothing about the model: counting its 0 / 0 as 0 would make a small
    test split look bad.
    """
    return _mean_f1(per_class(confusion), confusion.sum(axis=0))


def _mean_f1(scores: PerClass, predicted: NDArray[np.int64]) -> float:
    occurs = (scores.support + predicted) > 0
    return float(scores.f1[occurs].mean()) if occurs.any() else 0.0


def balanced_accuracy(confusion: NDArray[np.int64]) -> float:
    """Mean recall of the classes that have examples; 1 / classes by chance.

    Reference: Brodersen et al., "The balanced accuracy and its posterior distribution", 2010.
    """
    scores = per_class(confusion)
    occurs = scores.support > 0
    return float(scores.recall[occurs].mean()) if occurs.any() else 0.0


def majority_share(true: Integers, classes: int) -> float:
    """Accuracy of the majority-class baseline: the share of the most frequent class."""
    if len(true) == 0:
        return 0.0
    return float(np.bincount(np.asarray(true, np.int64), minlength=classes).max() / len(true))


def cross_entropy(true: Integers, probabilities: Floats) -> float:
    """Mean of -ln p(true class), with probabilities clipped at 1e-7.

    Args:
        true: integers [n].
        probabilities: float [n, classes].
    """
    of_true = np.take_along_axis(probabilities, np.asarray(true, np.int64)[:, None], axis=1)
    return float(-np.log(np.clip(of_true.astype(np.float64), _SMALLEST_PROBABILITY, 1)).mean())


def _class_metrics(
    true: Integers, predicted: Integers, classes: int, confidence: Floats
) -> Metrics:
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
