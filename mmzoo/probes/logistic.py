"""Logistic regression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.lazy import np
from mmzoo.probes.base import Arrays, BaseProbe
from mmzoo.probes.linear import fitted, linear, softmax
from mmzoo.spec import PositiveFloat

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Logistic(BaseProbe):
    """Logistic regression, over all classes at once: the probe that is usual in the literature.

    Reference: Alain and Bengio, "Understanding intermediate layers using linear classifier
    probes", 2016.
    """

    predicts = ("class",)

    type: Literal["logistic"] = "logistic"
    regularization: PositiveFloat = 1.0
    """Weight of the squared weights against the cross-entropies: 1 / C."""

    def _fit(
        self, features: NDArray[np.float64], targets: NDArray[np.generic], seed: int
    ) -> tuple[Arrays, tuple[str, ...]]:
        from sklearn.linear_model import LogisticRegression

        estimator = LogisticRegression(C=1 / self.regularization, max_iter=1_000)
        return fitted(estimator, features, targets)

    def _predict(self, arrays: Arrays, features: NDArray[np.float64]) -> NDArray[np.float64]:
        return softmax(linear(arrays, features))
