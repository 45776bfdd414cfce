"""The support vector machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.lazy import np
from mmzoo.probes.base import Arrays, BaseProbe
from mmzoo.probes.linear import fitted, linear, softmax
from mmzoo.spec import PositiveFloat

if TYPE_CHECKING:
    from numpy.typing import NDArray


class SVM(BaseProbe):
    """A linear support vector machine, each class against all others.

    It gives decisions and no probabilities, so its cross-entropy and its calibration are not
    measured, and a binary head's `threshold` does not concern it.

    Reference: Tang, "Deep learning using linear support vector machines", 2013.
    """

    predicts = ("class",)
    probable = False

    type: Literal["svm"] = "svm"
    regularization: PositiveFloat = 1.0
    """Weight of the squared weights against the squared hinge losses: 1 / C."""

    def _fit(
        self, features: NDArray[np.float64], targets: NDArray[np.generic], seed: int
    ) -> tuple[Arrays, tuple[str, ...]]:
        from sklearn.svm import LinearSVC

        estimator = LinearSVC(C=1 / self.regularization, random_state=seed, max_iter=2_000)
        return fitted(estimator, features, targets)

    def _predict(self, arrays: Arrays, features: NDArray[np.float64]) -> NDArray[np.float64]:
        return softmax(linear(arrays, features))
