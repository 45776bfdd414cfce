"""Weights for the examples of each class, against imbalance."""

from __future__ import annotations

from typing import Literal

from mmzoo.lazy import np
from mmzoo.spec import NonNegativeFloat, Problem

ClassWeights = dict[str, NonNegativeFloat] | Literal["auto"] | None


def balanced_weights(labels: np.ndarray, classes: int) -> list[float]:
    """`rows / (classes * rows of the class)`: every class counts the same, and the mean stays 1.

    A class without rows gets weight 0, which nothing will ever use.
    """

    counts = np.bincount(labels, minlength=classes)
    weights = np.where(counts > 0, len(labels) / (classes * np.maximum(counts, 1)), 0.0)
    return [float(weight) for weight in weights]


def weights_problem(weights: ClassWeights, class_names: tuple[str, ...]) -> Problem | None:
    """The problem with weights that name a class which is not there."""
    if not isinstance(weights, dict):
        return None
    unknown = [name for name in weights if name not in class_names]
    if not unknown:
        return None
    return Problem(
        ("class_weights", unknown[0]),
        f"unknown class {unknown[0]!r}; the classes are: {', '.join(class_names)}",
    )
