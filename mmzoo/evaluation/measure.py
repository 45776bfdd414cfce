"""Measures: a metric with its interval, of the scores of examples."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmzoo.evaluation.scale import Scale
from mmzoo.metrics import PairedDifference, bootstrap_means, percentile_interval

DRAWS = 1000
"""Of the bootstrap."""
_ROUNDING = 1e-12


class Measure(NamedTuple):
    """A metric with its 95 % interval."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, Any]:
        return {"value": self.value, "ci95": [self.low, self.high]}


class Measured:
    """Columns of scores of the same examples, bootstrapped together.

    Attributes:
        measures: the metric that each column comes to.
    """

    def __init__(self, scores: NDArray[np.float64], scale: Scale) -> None:
        """Draws the examples; `scores` are float64 `[rows, columns]`, higher is better."""
        self._means, self._drawn = scores.mean(axis=0), bootstrap_means(scores, DRAWS)
        low, high = percentile_interval(self._drawn)
        self.measures = [
            Measure(scale.metric_of(mean), *scale.bounds_of(*ends))
            for mean, *ends in np.stack([self._means, low, high], axis=1).tolist()
        ]

    def gain(self, one: int, other: int) -> PairedDifference:
        """By how much a column is better than another, with the interval of pairs."""
        size = max(abs(self._means[one]), abs(self._means[other]), 1e-300)
        difference = _exactly(self._means[one] - self._means[other], size)
        drawn = _exactly(self._drawn[:, one] - self._drawn[:, other], size)
        low, high = percentile_interval(drawn)
        return PairedDifference(float(difference), float(low), float(high))


def _exactly(differences: NDArray[np.float64], size: float) -> NDArray[np.float64]:
    """Without what rounding made of no difference, which would else be above 0 or below."""
    return np.where(np.abs(differences) < _ROUNDING * size, 0.0, differences)


def difference_json(found: PairedDifference) -> dict[str, Any]:
    return {"difference": found.difference, "ci95": [found.low, found.high]}


def interval_words(found: PairedDifference, scale: Scale) -> str:
    """As `95 % CI 3.2 to 5.0`, in the unit of the difference."""
    return f"95 % CI {scale.difference(found.low)} to {scale.difference(found.high)}"
