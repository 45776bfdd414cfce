"""The bootstrap: what the mean of some examples might as well have been."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmzoo.metrics.predictions import Floats

_CHUNK = 1 << 20
"""How many examples are drawn at once: 8 MB of their numbers."""


def bootstrap_means(scores: Floats, draws: int = 1000, seed: int = 0) -> NDArray[np.float64]:
    """The means of the examples in as many drawn sets, each as large and with replacement.

    All columns have the same drawn sets, so the difference of two columns of the means is that of
    a paired bootstrap. What the columns cost beside the first is one product of matrices.

    Args:
        scores: float `[rows, columns]`, all finite, at least one row.
        draws: how many sets are drawn.
        seed: of the draws; equal seeds give equal sets, in all versions of numpy.

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
    """The bounds `[columns]` that leave out as many drawn means `[draws, columns]` on either side.

    Args:
        means: of `bootstrap_means`, or differences of such.
        confidence: the share of the draws that lies within.
    """
    outside = (1 - confidence) / 2
    low, high = np.quantile(means, [outside, 1 - outside], axis=0)
    return low, high
