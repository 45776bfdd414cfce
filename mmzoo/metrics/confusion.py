"""The confusion matrix and what follows from it alone."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmzoo.metrics.predictions import Integers


class PerClass(NamedTuple):
    """Figures of each class, each an array [classes]."""

    precision: NDArray[np.float64]
    """Of the examples said to be of this class, the share that are."""
    recall: NDArray[np.float64]
    """Of the examples of this class, the share said to be."""
    f1: NDArray[np.float64]
    """The harmonic mean of the two."""
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
    right = np.diagonal(confusion)
    return precision_recall_f1(right, said=confusion.sum(axis=0), support=confusion.sum(axis=1))


def precision_recall_f1(
    right: NDArray[np.int64], said: NDArray[np.int64], support: NDArray[np.int64]
) -> PerClass:
    """From the counts of each class: said rightly, said, and there."""
    return PerClass(
        precision=ratio(right, said),
        recall=ratio(right, support),
        f1=ratio(2 * right, said + support),
        support=np.asarray(support, np.int64),
    )


def macro_f1(confusion: NDArray[np.int64]) -> float:
    """The mean F1 of the classes that occur, truly or as a prediction.

    A class that neither the examples nor the predictions have says nothing about the model: to
    count its 0 / 0 as 0 would make a small test split look bad.
    """
    return mean_f1_of_occurring(per_class(confusion), said=confusion.sum(axis=0))


def mean_f1_of_occurring(scores: PerClass, said: NDArray[np.int64]) -> float:
    occurs = (scores.support + said) > 0
    return float(scores.f1[occurs].mean()) if occurs.any() else 0.0


def balanced_accuracy(confusion: NDArray[np.int64]) -> float:
    """The mean recall of the classes that truly occur; 1 / classes by chance.

    Reference: Brodersen et al., "The balanced accuracy and its posterior distribution", 2010.
    """
    scores = per_class(confusion)
    occurs = scores.support > 0
    return float(scores.recall[occurs].mean()) if occurs.any() else 0.0


def majority_share(true: Integers, classes: int) -> float:
    """The accuracy of always saying the commonest class: what a model must at least beat."""
    if len(true) == 0:
        return 0.0
    return float(np.bincount(np.asarray(true, np.int64), minlength=classes).max() / len(true))


def ratio(numerator: NDArray[Any], denominator: NDArray[Any]) -> NDArray[np.float64]:
    """Element by element; 0 / 0 is 0."""
    zeros = np.zeros(np.shape(denominator), np.float64)
    return np.divide(numerator, denominator, out=zeros, where=denominator != 0)
