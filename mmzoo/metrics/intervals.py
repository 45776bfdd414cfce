"""Confidence intervals: how far a figure may be off because the examples are only a sample."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from mmzoo.metrics.predictions import Floats


def wilson_interval(correct: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion; unlike the textbook one it holds near 0 and 1.

        (p + z²/2n ± z √(p (1 - p) / n + z²/4n²)) / (1 + z²/n),   p = correct / n

    Of no examples nothing is known: (0.0, 1.0).

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
    """The interval of a mean by the central limit theorem: mean ± z s / √n; of one value, None.

    Args:
        values: float [n], independent of one another.
    """
    if len(values) < 2:
        return None
    mean = float(np.mean(values, dtype=np.float64))
    deviation = float(np.std(values, dtype=np.float64, ddof=1))
    margin = _normal_quantile(confidence) * deviation / math.sqrt(len(values))
    return mean - margin, mean + margin


def _normal_quantile(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
