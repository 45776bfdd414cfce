"""Confidence intervals: Wilson, normal, bootstrap, and paired differences of two models."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmzoo.metrics.metric_inputs import Floats, check_predictions

DRAWS = 1000
"""Bootstrap resamples of every interval that mmzoo reports."""
_CHUNK = 1 << 20
"""How many examples are drawn at once: 8 MB of indices."""
_ROUNDING = 1e-12


class Estimate(NamedTuple):
    """A metric with its 95 % confidence interval."""

    value: float
    low: float
    high: float


class PairedDifference(NamedTuple):
    """The difference of two models on the same examples, with its 95 % confidence interval."""

    difference: float
    low: float
    high: float


def negate(found: PairedDifference) -> PairedDifference:
    """The same difference with the sign flipped."""
    return PairedDifference(0.0 - found.difference, 0.0 - found.high, 0.0 - found.low)


def wilson_interval(correct: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion; unlike the normal one it holds near 0 and 1.

        (p + z²/2n ± z √(p (1 - p) / n + z²/4n²)) / (1 + z²/n),   p = correct / n

    Without examples it is (0.0, 1.0). `correct` is a fraction where examples are partly correct.

    Reference: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if not 0 <= correct <= n:
        raise ValueError(f"{correct} correct of {n} examples")
    if n == 0:
        return 0.0, 1.0
    z = _normal_quantile(confidence)
    p = correct / n
    centre = p + z * z / (2 * n)
    margin = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At the ends the bounds are 0 and 1 in theory and some 1e-17 away in floating point.
    low = 0.0 if correct == 0 else (centre - margin) / scale
    high = 1.0 if correct == n else (centre + margin) / scale
    return low, high


def mean_interval(values: Floats, confidence: float = 0.95) -> tuple[float, float] | None:
    """The normal interval of a mean, mean ± z s / √n; None for a single value.

    Args:
        values: float [n], independent of one another.
        confidence: the coverage.
    """
    if len(values) < 2:
        return None
    mean = float(np.mean(values, dtype=np.float64))
    std = float(np.std(values, dtype=np.float64, ddof=1))
    margin = _normal_quantile(confidence) * std / math.sqrt(len(values))
    return mean - margin, mean + margin


def _normal_quantile(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)


def bootstrap_means(scores: Floats, draws: int = DRAWS, seed: int = 0) -> NDArray[np.float64]:
    """Means of resampled examples: as many as there are, drawn with replacement.

    All columns share the resamples, so the difference of two columns of the result is that of a
    paired bootstrap. Further columns cost one matrix product.

    Args:
        scores: float `[rows, columns]`, all finite, at least one row.
        draws: the number of resamples.
        seed: equal seeds give equal resamples, in all versions of numpy.

    Returns:
        float64 `[draws, columns]`.

    Reference: Efron and Tibshirani, "An introduction to the bootstrap", 1993.
    """
    rows = len(scores)
    # Frozen, unlike that of `default_rng`: numpy may never change what it draws.
    random = np.random.RandomState(seed)
    at_once = max(1, _CHUNK // rows)
    means = []
    for begin in range(0, draws, at_once):
        sets = min(at_once, draws - begin)
        drawn = random.randint(0, rows, (sets, rows)) + np.arange(sets)[:, None] * rows
        times = np.bincount(drawn.ravel(), minlength=sets * rows).reshape(sets, rows)
        means.append(times.astype(np.float64) @ np.asarray(scores, np.float64) / rows)
    return np.concatenate(means)


def percentile_interval(
    means: NDArray[np.float64], confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Percentile bootstrap interval: the bounds `[columns]` of resampled means `[draws, columns]`.

    Args:
        means: of `bootstrap_means`, or differences of such.
        confidence: the share of the resamples within the interval.
    """
    outside = (1 - confidence) / 2
    low, high = np.quantile(means, [outside, 1 - outside], axis=0)
    return low, high


def paired_bootstrap(
    score_a: Floats,
    score_b: Floats,
    draws: int = DRAWS,
    seed: int = 0,
    confidence: float = 0.95,
) -> PairedDifference:
    """Mean of `score_a - score_b` with its interval, by a paired bootstrap of the examples.

    Both scores of an example are drawn together. What makes an example hard for both models then
    cancels out, so the interval is narrower than those of the two means suggest.

    Args:
        score_a: float [rows], higher is better: 1 for right and 0 for wrong, or a negative error.
        score_b: float [rows], of the same examples in the same order.
        draws: the number of resamples.
        seed: equal seeds give equal intervals, in all versions of numpy.
        confidence: the share of the resamples within the interval.

    Returns:
        (difference, low, high), where `difference` is above 0 if a is better on average; a is
        significantly better where `low` is above 0 too.

    Raises:
        DataError: there are no examples, or a score is not finite.
        ValueError: the scores differ in shape, or have not one dimension.

    Reference: Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.
    """
    if np.ndim(score_a) != 1 or np.shape(score_a) != np.shape(score_b):
        shapes = f"{np.shape(score_a)} and {np.shape(score_b)}"
        raise ValueError(f"expected a score of each example from both, got shapes {shapes}")
    check_predictions(score_b, score_a)
    check_predictions(score_a, score_b)
    differences = np.asarray(score_a, np.float64) - np.asarray(score_b, np.float64)
    means = bootstrap_means(differences[:, None], draws, seed)[:, 0]
    low, high = percentile_interval(means, confidence)
    return PairedDifference(float(differences.mean()), float(low), float(high))


class BootstrapMetrics:
    """Bootstrap intervals of several variants of a model, and of their paired differences.

    All columns of scores are of the same examples and share their resamples.

    Attributes:
        estimates: the mean score of each column with its interval.
    """

    def __init__(self, scores: NDArray[np.float64]) -> None:
        """Draws the resamples; `scores` are float64 `[rows, columns]`, higher is better."""
        self._means, self._drawn = scores.mean(axis=0), bootstrap_means(scores)
        low, high = percentile_interval(self._drawn)
        bounds = np.stack([self._means, low, high], axis=1).tolist()
        self.estimates = [Estimate(*one) for one in bounds]

    def difference(self, a: int, b: int) -> PairedDifference:
        """How much better column `a` is than column `b`, from the shared resamples."""
        size = max(abs(self._means[a]), abs(self._means[b]), 1e-300)
        difference = _without_rounding(self._means[a] - self._means[b], size)
        low, high = percentile_interval(
            _without_rounding(self._drawn[:, a] - self._drawn[:, b], size)
        )
        return PairedDifference(float(difference), float(low), float(high))


def _without_rounding(differences: NDArray[np.float64], size: float) -> NDArray[np.float64]:
    """Sets rounding errors to 0, which would else look like a difference."""
    return np.where(np.abs(differences) < _ROUNDING * size, 0.0, differences)
