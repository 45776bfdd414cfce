"""Metrics of regression, of one number or several."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmzoo.metrics.intervals import mean_interval
from mmzoo.metrics.metric_inputs import Floats, Metrics, check_predictions


def regression_metrics(true: Floats, predicted: Floats) -> Metrics:
    """Metrics of regression, averaged over the `d` numbers predicted.

    The interval is analytic, not a bootstrap: `mean_interval` of the errors per example. It costs
    nothing, needs no seed, and with 100 examples or more the two agree.

    Args:
        true: float [n, d] or [n].
        predicted: float, of the same shape.

    Returns:
        mean_absolute_error, mean_absolute_error_ci95 (None for one example),
        root_mean_squared_error, r2 (mean over those of the `d` numbers that vary; None where none
        does), baseline_mean_absolute_error (of always predicting the mean of `true`).

    Raises:
        DataError: there are no examples, or a prediction is not finite.
        ValueError: the arrays differ in shape.
    """
    check_predictions(true, predicted)
    if np.shape(true) != np.shape(predicted):
        raise ValueError(f"true values {np.shape(true)}, but predictions {np.shape(predicted)}")
    true = np.asarray(true, np.float64).reshape(len(true), -1)
    predicted = np.asarray(predicted, np.float64).reshape(len(true), -1)
    errors = np.abs(predicted - true)
    interval = mean_interval(errors.mean(axis=1))
    return {
        "mean_absolute_error": float(errors.mean()),
        # The normal approximation may go below 0, which an absolute error never is.
        "mean_absolute_error_ci95": [max(0.0, interval[0]), interval[1]] if interval else None,
        "root_mean_squared_error": float(np.sqrt(np.mean(errors**2))),
        "r2": _r2(true, predicted),
        "baseline_mean_absolute_error": float(np.abs(true - true.mean(axis=0)).mean()),
    }


def _r2(true: NDArray[np.float64], predicted: NDArray[np.float64]) -> float | None:
    """1 - (squared error) / (squared distance from the mean)."""
    varies = np.ptp(true, axis=0) > 0
    if not varies.any():
        return None
    residual = np.sum((true - predicted) ** 2, axis=0)[varies]
    total = np.sum((true - true.mean(axis=0)) ** 2, axis=0)[varies]
    return float(np.mean(1 - residual / total))


class ErrorBin(NamedTuple):
    """The errors of the examples whose true value is in a range."""

    low: float
    """The smallest true value."""
    high: float
    """The largest true value."""
    examples: int
    mean_absolute_error: float
    bias: float
    """Mean of predicted minus true: above 0 the predictions are too high."""


def errors_by_size(true: Floats, predicted: Floats, bins: int = 5) -> list[ErrorBin]:
    """Errors of one number, in bins of true values with about as many examples each.

    Equal true values share a bin, so there may be fewer.

    Args:
        true: float [n].
        predicted: float [n].
        bins: the largest number of bins.
    """
    true, predicted = np.asarray(true, np.float64), np.asarray(predicted, np.float64)
    edges = np.unique(np.quantile(true, np.linspace(0, 1, bins + 1)[1:-1], method="lower"))
    which = np.searchsorted(edges, true, side="left")
    found = []
    for number in np.unique(which):
        of_bin = which == number
        errors = predicted[of_bin] - true[of_bin]
        bounds = float(true[of_bin].min()), float(true[of_bin].max())
        means = float(np.abs(errors).mean()), float(errors.mean())
        found.append(ErrorBin(*bounds, int(of_bin.sum()), *means))
    return found
