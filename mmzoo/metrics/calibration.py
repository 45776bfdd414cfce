"""Calibration: of the predictions made with 80 % confidence, are 80 % right?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmzoo.metrics.confusion import ratio
from mmzoo.metrics.predictions import Floats, Integers


class Reliability(NamedTuple):
    """A reliability curve: figures of equally wide bins, each an array [bins]; empty ones are 0."""

    confidence: NDArray[np.float64]
    """Mean confidence of the predictions in the bin."""
    accuracy: NDArray[np.float64]
    """Share of them that are right."""
    examples: NDArray[np.int64]
    """How many there are."""


def reliability(confidence: Floats, correct: Integers, bins: int = 15) -> Reliability:
    """Sorts predictions into bins (0, 1/bins], (1/bins, 2/bins], ... of confidence.

    Args:
        confidence: float [n], the probability given to what was predicted.
        correct: bool or 0/1 [n], whether it was right.
        bins: how many.

    Reference: Guo et al., "On calibration of modern neural networks", 2017.
    """
    confidence = np.asarray(confidence, np.float64)
    upper_edges = np.linspace(0, 1, bins + 1)[1:-1]
    which = np.digitize(confidence, upper_edges, right=True)
    examples = np.bincount(which, minlength=bins)
    return Reliability(
        confidence=ratio(np.bincount(which, confidence, minlength=bins), examples),
        accuracy=ratio(
            np.bincount(which, np.asarray(correct, np.float64), minlength=bins), examples
        ),
        examples=examples,
    )


def expected_calibration_error(confidence: Floats, correct: Integers, bins: int = 15) -> float:
    """Mean distance between confidence and accuracy, over bins weighted by their predictions.

    Σ (examples_b / n) |accuracy_b - confidence_b|; arguments and reference as in `reliability`.
    """
    curve = reliability(confidence, correct, bins)
    gaps = np.abs(curve.accuracy - curve.confidence)
    return float(np.sum(curve.examples * gaps) / max(1, curve.examples.sum()))
