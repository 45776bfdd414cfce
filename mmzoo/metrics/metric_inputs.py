"""Array types of the metrics, and the checks that all of them make of their predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmzoo.errors import DataError

Metrics = dict[str, float | list[float] | None]
"""Metrics by name; an interval is `[low, high]`, and None is a metric that is not defined."""

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any] | np.bool_]


def check_predictions(true: NDArray[Any], predicted: NDArray[Any]) -> None:
    """Rejects predictions whose metrics would be meaningless.

    Raises:
        DataError: there are no examples, or a prediction is NaN or infinite.
        ValueError: the arrays differ in the number of examples.
    """
    if len(true) != len(predicted):
        raise ValueError(f"{len(true)} true values, but {len(predicted)} predictions")
    if len(true) == 0:
        raise DataError("there are no examples, so nothing can be measured")
    finite = np.isfinite(predicted).reshape(len(predicted), -1).all(axis=1)
    if not finite.all():
        raise DataError(
            f"the predictions for {np.sum(~finite)} of {len(finite)} examples are not finite "
            f"numbers, first for example {np.argmin(finite)} (counted from 0): look for values "
            "that are missing, infinite or very large in the inputs of these examples"
        )


def safe_divide(numerator: NDArray[Any], denominator: NDArray[Any]) -> NDArray[np.float64]:
    """Element-wise division in which 0 / 0 is 0."""
    zeros = np.zeros(np.shape(denominator), np.float64)
    return np.divide(numerator, denominator, out=zeros, where=denominator != 0)
