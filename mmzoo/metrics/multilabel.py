"""The metrics of a multi-label head: each example has any number of the labels, or none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmzoo.metrics.confusion import PerClass, mean_f1_of_occurring, precision_recall_f1
from mmzoo.metrics.intervals import wilson_interval
from mmzoo.metrics.predictions import Floats, Integers, Metrics, check_predictions
from mmzoo.metrics.ranking import average_precision


def multilabel_metrics(true: Integers, probabilities: Floats, threshold: float = 0.5) -> Metrics:
    """Metrics of predictions of a set of labels; a label is said from `threshold` on.

    Args:
        true: 0 or 1 [n, labels].
        probabilities: float [n, labels], each label for itself.
        threshold: from which probability on a label is said.

    Returns:
        subset_accuracy (every label of the example right), subset_accuracy_ci95 (Wilson), majority
        (subset accuracy of always saying the commonest set), micro_f1 (all labels in one pot),
        macro_f1 (mean over the labels that occur), hamming_loss (share of single labels that are
        wrong), mean_average_precision (over the labels that have examples; None where none has).

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
    return {
        "subset_accuracy": all_right / len(true),
        "subset_accuracy_ci95": list(wilson_interval(all_right, len(true))),
        "majority": _commonest_set_share(is_true),
        "micro_f1": float(pooled.f1),
        "macro_f1": mean_f1_of_occurring(scores, said=predicted.sum(axis=0)),
        "hamming_loss": float(np.mean(predicted != is_true)),
        "mean_average_precision": float(np.mean(precisions)) if precisions else None,
    }


def per_label(true: Integers, probabilities: Floats, threshold: float = 0.5) -> PerClass:
    """Precision, recall, F1 and support of each label; arguments as in `multilabel_metrics`."""
    predicted = probabilities >= threshold
    right = (predicted & np.asarray(true, bool)).sum(axis=0)
    return precision_recall_f1(right, said=predicted.sum(axis=0), support=np.sum(true, axis=0))


def _commonest_set_share(true: NDArray[np.bool_]) -> float:
    _, counts = np.unique(np.packbits(true, axis=1), axis=0, return_counts=True)
    return float(counts.max() / len(true))
