"""Whether one model is better than another, by what both say of the same examples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mmzoo.metrics.bootstrap import bootstrap_means, percentile_interval
from mmzoo.metrics.predictions import Floats, check_predictions


class PairedDifference(NamedTuple):
    """By how much the first is better than the second, with the interval of it."""

    difference: float
    low: float
    high: float


def paired_bootstrap(
    score_a: Floats,
    score_b: Floats,
    draws: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> PairedDifference:
    """The mean of `score_a - score_b` and its interval, by a bootstrap of whole examples.

    Both scores of an example are drawn together. What makes an example hard for both then cancels
    out, and the interval is narrower than those of the two means let one think.

    Args:
        score_a: float [rows], higher is better: 1 for right and 0 for wrong, or a negative error.
        score_b: float [rows], of the same examples in the same order.
        draws: how many times as many examples as there are are drawn, with replacement.
        seed: of the draws; equal seeds give equal intervals, in all versions of numpy.
        confidence: the share of the draws whose means lie within the interval.

    Returns:
        (difference, low, high), where `difference` is above 0 if a is better on average; a is
        shown to be better where `low` is above 0 too.

    Raises:
        DataError: there are no examples, or a score is not finite.
        ValueError: the scores are not of equally many examples, one each.

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
