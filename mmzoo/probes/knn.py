"""Nearest neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.lazy import np
from mmzoo.probes.base import Arrays, BaseProbe
from mmzoo.spec import PositiveInt

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AT_ONCE = 4_000_000
"""Numbers that are in memory at a time: 32 MB."""


class KNN(BaseProbe):
    """What the nearest training examples are: the share of each class, or the mean of the numbers.

    The training examples' features are kept in the run, as float32.

    Reference: Cover and Hart, "Nearest neighbor pattern classification", 1967.
    """

    predicts = ("class", "number")

    type: Literal["knn"] = "knn"
    neighbours: PositiveInt = 5
    """How many of the nearest training examples are asked; all of them where there are fewer."""
    weights: Literal["uniform", "distance"] = "uniform"
    """Whether all of these count alike, or by the inverse of their Euclidean distance."""

    def _fit(
        self, features: NDArray[np.float64], targets: NDArray[np.generic], seed: int
    ) -> tuple[Arrays, tuple[str, ...]]:
        # There is nothing to learn, so scikit-learn has no part in it.
        return {"features": features.astype("float32"), "targets": targets}, ()

    def opened(self, arrays: Arrays) -> Arrays:

        known = arrays["features"].astype(np.float64)
        return {**arrays, "features": known, "squares": (known**2).sum(axis=1)}

    def _predict(self, arrays: Arrays, features: NDArray[np.float64]) -> NDArray[np.float64]:

        if "squares" not in arrays:
            arrays = self.opened(arrays)
        known = arrays["features"]
        asked = features.astype(np.float32).astype(np.float64)
        count = min(self.neighbours, len(known))
        widest = max(known.shape[1], len(arrays.get("classes", ())))
        rows = max(1, _AT_ONCE // max(len(known), count * widest))
        parts = [
            self._of_nearest(arrays, asked[begin : begin + rows], count)
            for begin in range(0, max(1, len(asked)), rows)
        ]
        return np.concatenate(parts)

    def _of_nearest(
        self, arrays: Arrays, asked: NDArray[np.float64], count: int
    ) -> NDArray[np.float64]:
        """The weighted mean of what the nearest examples have, `[asked, classes or numbers]`."""

        known = arrays["features"]
        # Less the square of what is asked, which is the same for all.
        distances = arrays["squares"] - 2 * asked @ known.T
        nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
        values = arrays["targets"][nearest]
        if "classes" in arrays:
            values = np.eye(len(arrays["classes"]))[values]
        if self.weights == "uniform":
            return values.mean(axis=1)
        # Of the few that count, exactly: the shortcut above leaves little of small distances.
        distances = np.sqrt(((known[nearest] - asked[:, None]) ** 2).sum(axis=2))
        # An example that is there itself decides alone, as scikit-learn has it.
        is_same = distances == 0
        with np.errstate(divide="ignore"):
            weights = np.where(is_same.any(axis=1, keepdims=True), is_same, 1 / distances)
        weights = weights / weights.sum(axis=1, keepdims=True)
        return np.einsum("rk,rkv->rv", weights, values)
