"""Metrics of the order in which predictions rank classes or examples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmzoo.metrics.predictions import Floats, Integers


def top_k_accuracy(true: Integers, probabilities: Floats, k: int) -> float:
    """The share of examples whose true class is among the `k` most probable.

    Of classes that tie the first ranks higher, as in argmax: so `k=1` is the accuracy.

    Args:
        true: integers [n].
        probabilities: float [n, classes].
        k: how many classes to look at.
    """
    of_true = np.take_along_axis(probabilities, np.asarray(true, np.int64)[:, None], axis=1)
    earlier = np.arange(probabilities.shape[1]) < np.asarray(true)[:, None]
    above = (probabilities > of_true) | ((probabilities == of_true) & earlier)
    return float(np.mean(above.sum(axis=1) < k))


def area_under_roc(true: Integers, score: Floats) -> float | None:
    """The chance that a positive example scores higher than a negative one; a tie counts half.

    None where one of the classes is absent.

    Args:
        true: 0 or 1 [n].
        score: float [n].

    Reference: Fawcett, "An introduction to ROC analysis", 2006.
    """
    positives, said = _positives_by_threshold(true, score)
    negatives = said - positives
    if positives[-1] == 0 or negatives[-1] == 0:
        return None
    true_rate = np.concatenate(([0.0], positives / positives[-1]))
    false_rate = np.concatenate(([0.0], negatives / negatives[-1]))
    # The trapezium rule, written out: numpy renamed its function between versions 1 and 2.
    return float(np.sum(np.diff(false_rate) * (true_rate[1:] + true_rate[:-1]) / 2))


def average_precision(true: Integers, score: Floats) -> float | None:
    """The area under the precision-recall curve as a sum of steps: Σ (R_i - R_{i-1}) P_i.

    Steps are not interpolated, which would flatter. None where there are no positive examples.

    Args:
        true: 0 or 1 [n].
        score: float [n].

    Reference: Davis and Goadrich, "The relationship between precision-recall and ROC curves", 2006.
    """
    positives, said = _positives_by_threshold(true, score)
    if positives[-1] == 0:
        return None
    recall = positives / positives[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * positives / said))


def _positives_by_threshold(
    true: Integers, score: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """True positives, and all that is called positive, at each distinct score from high to low."""
    order = np.argsort(score, kind="stable")[::-1]
    descending = np.asarray(score)[order]
    last_of_ties = np.append(np.flatnonzero(np.diff(descending)), len(descending) - 1)
    positives = np.cumsum(np.asarray(true, np.int64)[order])[last_of_ties]
    return positives, last_of_ties + 1
