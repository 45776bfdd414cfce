"""Ridge regression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.lazy import np
from mmzoo.probes.base import Arrays, BaseProbe
from mmzoo.probes.linear import fitted, linear
from mmzoo.spec import PositiveFloat

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Ridge(BaseProbe):
    """Linear regression with a penalty on the squared weights, for heads that predict numbers.

    Reference: Hoerl and Kennard, "Ridge regression: biased estimation for nonorthogonal problems",
    1970.
    """

    predicts = ("number",)

    type: Literal["ridge"] = "ridge"
    regularization: PositiveFloat = 1.0
    """Weight of the squared weights against the squared errors."""

    def _fit(
        self, features: NDArray[np.float64], targets: NDArray[np.generic], seed: int
    ) -> tuple[Arrays, tuple[str, ...]]:
        from sklearn import linear_model

        return fitted(linear_model.Ridge(alpha=self.regularization), features, targets)

    def _predict(self, arrays: Arrays, features: NDArray[np.float64]) -> NDArray[np.float64]:
        return linear(arrays, features)
