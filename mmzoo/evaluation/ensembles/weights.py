"""The weights of an average: those that are best on given examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_STEPS = 5_000
_NO_CHANGE = 1e-10
"""Of weights in one step: no more are taken."""
_SMALLEST = 1e-7
"""Keras' cross-entropies clip probabilities to this too."""


def best_weights(
    decides: str, predictions: Sequence[NDArray[np.float32]], targets: NDArray[np.float64]
) -> tuple[float, ...]:
    """Weights, none negative and with a sum of one, whose average has the least loss.

    Args:
        decides: "classes", "chances" or "numbers": the loss is the mean of -ln p of what is true,
            or the squared error, each number's divided by its variance.
        predictions: of each member, `[rows, width]`.
        targets: likewise: zeros and ones, or numbers.
    """
    said = np.stack(predictions).astype(np.float64)
    if decides == "numbers":
        spread = targets.std(axis=0)
        errors = (said - targets) / np.where(spread > 0, spread, 1.0)
        return _of_least_squares(errors.reshape(len(said), -1))
    of_truth = (
        targets * said if decides == "classes" else targets * said + (1 - targets) * (1 - said)
    )
    if decides == "classes":
        of_truth = of_truth.sum(axis=2)
    return _of_likeliest(np.clip(of_truth.reshape(len(said), -1), _SMALLEST, 1))


def _of_likeliest(of_truth: NDArray[np.float64]) -> tuple[float, ...]:
    """Of probabilities of what is true, `[members, cases]`.

    By expectation maximisation, whose every step lowers the loss and keeps the sum at one.

    Reference: Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM
    algorithm", 1977.
    """
    weights = np.full(len(of_truth), 1 / len(of_truth))
    for _ in range(_STEPS):
        before, weights = weights, weights * (of_truth / (weights @ of_truth)).mean(axis=1)
        weights = weights / weights.sum()
        if np.abs(weights - before).max() < _NO_CHANGE:
            break
    return tuple(weights.tolist())


def _of_least_squares(errors: NDArray[np.float64]) -> tuple[float, ...]:
    """Of errors `[members, cases]`, by projected gradients with momentum.

    As the weights have a sum of one, the error of the average is the average of the errors.

    Reference: Beck and Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear
    inverse problems", 2009.
    """
    products = errors @ errors.T / errors.shape[1]
    rate = 1 / max(float(np.linalg.eigvalsh(products)[-1]), 1e-300)
    weights = ahead = np.full(len(errors), 1 / len(errors))
    for step in range(_STEPS):
        before, weights = weights, _on_simplex(ahead - rate * products @ ahead)
        ahead = weights + step / (step + 3) * (weights - before)
    return tuple(weights.tolist())


def _on_simplex(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest numbers that are not negative and have a sum of one.

    Reference: Duchi et al., "Efficient projections onto the l1-ball for learning in high
    dimensions", 2008.
    """
    descending = np.sort(values)[::-1]
    excess = (np.cumsum(descending) - 1) / np.arange(1, len(values) + 1)
    count = np.flatnonzero(descending > excess)[-1]
    return np.maximum(values - excess[count], 0.0)
