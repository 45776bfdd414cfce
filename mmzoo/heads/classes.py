"""Checks of class names and class weights, shared by classification heads."""

from __future__ import annotations

from typing import Literal

from mmzoo.lazy import np
from mmzoo.spec import NonNegativeFloat, Problem
from mmzoo.spec.wording import shorten

ClassWeights = dict[str, NonNegativeFloat] | Literal["auto"] | None
"""Class name -> weight; "auto" for balanced weights; None for equal weights."""


def order_problem(given: tuple[str, ...] | None, found: tuple[str, ...] | None) -> str | None:
    """An error message if class names are those of the data in another order, else None.

    Other names rename the classes, but the same names in another order would swap them.

    Args:
        given: the names in the config.
        found: the names in the data, in the order of the class ids.
    """
    if given and found and given != found and set(given) == set(found):
        return (
            f"the data has the classes in the order {', '.join(found)}. Write `class_names` in "
            "this order, or leave it out"
        )
    return None


def balanced_weights(labels: np.ndarray, classes: int) -> list[float]:
    """Balanced class weights, as in scikit-learn: `rows / (classes * rows of the class)`.

    All classes have the same total weight, and the mean weight of the examples is 1. A class
    without rows gets weight 0, which is never used.
    """
    counts = np.bincount(labels, minlength=classes)
    weights = np.where(counts > 0, len(labels) / (classes * np.maximum(counts, 1)), 0.0)
    return [float(weight) for weight in weights]


def weights_problem(weights: ClassWeights, class_names: tuple[str, ...]) -> Problem | None:
    """A `Problem` if there is a weight of a class that does not exist, else None."""
    if not isinstance(weights, dict):
        return None
    unknown = [name for name in weights if name not in class_names]
    if not unknown:
        return None
    return Problem(
        ("class_weights", unknown[0]),
        f"unknown class {unknown[0]!r}; the classes are: {', '.join(class_names)}",
    )


def one_class_problem(name: str) -> str:
    """Why a head cannot be trained on rows of one class, which other splits may have more of."""
    return (
        f"all training rows have the class {shorten(name)}; expected two or more classes. Add rows "
        "of other classes to the training split, or remove the head"
    )
