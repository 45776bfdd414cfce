"""What linear probes share: one product of matrices, and numbers of classes that add up to 1."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from mmzoo.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mmzoo.probes.base import Arrays


def fitted(
    estimator: Any, features: NDArray[np.float64], targets: NDArray[np.generic]
) -> tuple[Arrays, tuple[str, ...]]:
    """Fits a linear model of scikit-learn; its arrays, and a sentence if it did not converge."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(features, targets)
    rows = np.atleast_2d(estimator.coef_)
    arrays = {"weights": rows, "bias": np.broadcast_to(estimator.intercept_, len(rows)).copy()}
    if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
        return arrays, (
            f"stopped after {estimator.max_iter:,} iterations without having converged; more "
            "`regularization` would help",
        )
    return arrays, ()


def linear(arrays: Arrays, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """`[rows, outputs]`."""
    return features @ arrays["weights"].T + arrays["bias"]


def softmax(decisions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of decisions `[rows, classes]`, or `[rows, 1]` for the second of two classes."""

    if decisions.shape[1] == 1:
        decisions = np.concatenate([np.zeros_like(decisions), decisions], axis=1)
    powers = np.exp(decisions - decisions.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
