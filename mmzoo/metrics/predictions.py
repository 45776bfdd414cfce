"""What every metric asks of the predictions it is given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmzoo.errors import DataError

Metrics = dict[str, float | list[float] | None]
"""Metrics by name; an interval is `[low, high]`, and None is a figure that is not defined."""

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any] | np.bool_]


def check_predictions(true: NDArray[Any], predicted: NDArray[Any]) -> None:
    """Refuses what would give figures without meaning.

    Raises:
        DataError: there are no examples, or a prediction is NaN or infinite.
        ValueError: the arrays disagree about the number of examples.
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
            "that are missing, infinite or very large in what these examples give the model"
        )
