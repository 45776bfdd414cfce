"""Probes: classical models fitted to the features that the heads of a trained network read.

scikit-learn fits them once the network is trained; from then on they are named arrays from which
numpy alone predicts. Features are standardized by the mean and std of the training examples.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from mmzoo.column_spec import Role
from mmzoo.lazy import np
from mmzoo.spec import PositiveFloat, PositiveInt, Spec

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays = dict[str, "np.ndarray"]
"""The state of a fitted probe."""

_NEIGHBOUR_NUMBERS = 4_000_000
"""Numbers that `KNN` holds in memory at a time: 32 MB."""


class BaseProbe(Spec):
    """A classical model that predicts the labels of a head from the head's input features."""

    predicts: ClassVar[tuple[Role, ...]]
    """The roles of the labels that it can learn."""
    has_probabilities: ClassVar[bool] = True
    """Whether its outputs for classes are probabilities, not only decision values."""

    if TYPE_CHECKING:  # Each probe declares this field with its own name.
        type: str

    examples: PositiveInt = 50_000
    """Most training examples that it is fitted to; a larger training split is sampled, seeded by
    `train.seed`."""

    def fit(
        self, features: NDArray[np.float32], targets: NDArray[np.generic], seed: int
    ) -> tuple[Arrays, tuple[str, ...]]:
        """Fits the probe.

        Args:
            features: `[rows, width]`, finite.
            targets: class indices int64 `[rows]`, of two or more classes; or numbers, float
                `[rows, numbers]`.
            seed: for random choices.

        Returns:
            The arrays that `predict` takes, and messages for the user.
        """
        wide = features.astype(np.float64)
        mean, std = wide.mean(axis=0), wide.std(axis=0)
        # A feature that is constant, up to rounding, carries no information.
        std[std <= 1e-9 * np.maximum(1, abs(mean))] = 1.0
        arrays = {"mean": mean, "std": std}
        if targets.dtype.kind in "iu":
            arrays["classes"], targets = np.unique(targets, return_inverse=True)
        own, notes = self._fit(_standardized(arrays, features), targets, seed)
        return arrays | own, notes

    def prepare(self, arrays: Arrays) -> Arrays:
        """The arrays with precomputed values for fast repeated predictions."""
        return arrays

    def predict(self, arrays: Arrays, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predictions, computed by numpy alone.

        Args:
            arrays: the result of `fit` or `prepare`.
            features: `[rows, width]`.

        Returns:
            For classes `[rows, classes]`, with columns as in `arrays["classes"]` and rows that sum
            to 1; otherwise numbers, `[rows, numbers]`.
        """
        return self._predict(arrays, _standardized(arrays, features))

    @abstractmethod
    def _fit(
        self, features: NDArray[np.float64], targets: NDArray[np.generic], seed: int
    ) -> tuple[Arrays, tuple[str, ...]]:
        """Like `fit`, for standardized features and classes numbered without gaps."""

    @abstractmethod
    def _predict(self, arrays: Arrays, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Like `predict`, for standardized features."""


class _LinearProbe(BaseProbe):
    """A linear model of scikit-learn: `features @ weights.T + bias`, then softmax for classes."""

    @abstractmethod
    def _estimator(self, seed: int) -> Any:
        """The scikit-learn estimator to fit."""

    def _fit(
        self, features: NDArray[np.float64], targets: NDArray[np.generic], seed: int
    ) -> tuple[Arrays, tuple[str, ...]]:
        from sklearn.exceptions import ConvergenceWarning

        estimator = self._estimator(seed)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            estimator.fit(features, targets)
        rows = np.atleast_2d(estimator.coef_)
        arrays = {"weights": rows, "bias": np.broadcast_to(estimator.intercept_, len(rows)).copy()}
        if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
            return arrays, (
                f"did not converge in {estimator.max_iter:,} iterations; more `regularization` "
                "would help",
            )
        return arrays, ()

    def _predict(self, arrays: Arrays, features: NDArray[np.float64]) -> NDArray[np.float64]:
        outputs = features @ arrays["weights"].T + arrays["bias"]
        if "classes" not in arrays:
            return outputs
        if outputs.shape[1] == 1:  # The decision for the second of two classes.
            outputs = np.concatenate([np.zeros_like(outputs), outputs], axis=1)
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


class SVM(_LinearProbe):
    """A linear support vector machine, one-vs-rest.

    It has decision values but no probabilities. So its cross-entropy and calibration are not
    computed, and a binary head's `threshold` does not apply.

    Reference: Tang, "Deep learning using linear support vector machines", 2013.
    """

    predicts = ("class",)
    has_probabilities = False

    type: Literal["svm"] = "svm"
    regularization: PositiveFloat = 1.0
    """Weight of the L2 penalty relative to the squared hinge losses: 1 / C."""

    def _estimator(self, seed: int) -> Any:
        from sklearn.svm import LinearSVC

        return LinearSVC(C=1 / self.regularization, random_state=seed, max_iter=2_000)


class Logistic(_LinearProbe):
    """Multinomial logistic regression: the most common probe in the literature.

    Reference: Alain and Bengio, "Understanding intermediate layers using linear classifier
    probes", 2016.
    """

    predicts = ("class",)

    type: Literal["logistic"] = "logistic"
    regularization: PositiveFloat = 1.0
    """Weight of the L2 penalty relative to the cross-entropies: 1 / C."""

    def _estimator(self, seed: int) -> Any:
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=1 / self.regularization, max_iter=1_000)


class Ridge(_LinearProbe):
    """Ridge regression: linear regression with an L2 penalty, for heads that predict numbers.

    Reference: Hoerl and Kennard, "Ridge regression: biased estimation for nonorthogonal problems",
    1970.
    """

    predicts = ("number",)

    type: Literal["ridge"] = "ridge"
    regularization: PositiveFloat = 1.0
    """Weight of the L2 penalty relative to the squared errors."""

    def _estimator(self, seed: int) -> Any:
        from sklearn import linear_model

        return linear_model.Ridge(alpha=self.regularization)


class KNN(BaseProbe):
    """K-nearest neighbors: the share of each class, or the mean, of the nearest training examples.

    The features of the training examples are stored in the run, as float32.

    Reference: Cover and Hart, "Nearest neighbor pattern classification", 1967.
    """

    predicts = ("class", "number")

    type: Literal["knn"] = "knn"
    neighbours: PositiveInt = 5
    """Number of nearest training examples to average."""
    weights: Literal["uniform", "distance"] = "uniform"
    """Equal weights, or the inverse of the Euclidean distance."""

    def _fit(
        self, features: NDArray[np.float64], targets: NDArray[np.generic], seed: int
    ) -> tuple[Arrays, tuple[str, ...]]:
        # There is nothing to learn, so scikit-learn is not needed.
        return {"features": features.astype("float32"), "targets": targets}, ()

    def prepare(self, arrays: Arrays) -> Arrays:
        known = arrays["features"].astype(np.float64)
        return {**arrays, "features": known, "squares": (known**2).sum(axis=1)}

    def _predict(self, arrays: Arrays, features: NDArray[np.float64]) -> NDArray[np.float64]:
        if "squares" not in arrays:
            arrays = self.prepare(arrays)
        known = arrays["features"]
        queries = features.astype(np.float32).astype(np.float64)
        count = min(self.neighbours, len(known))
        widest = max(known.shape[1], len(arrays.get("classes", ())))
        rows = max(1, _NEIGHBOUR_NUMBERS // max(len(known), count * widest))
        parts = [
            self._average_nearest(arrays, queries[begin : begin + rows], count)
            for begin in range(0, max(1, len(queries)), rows)
        ]
        return np.concatenate(parts)

    def _average_nearest(
        self, arrays: Arrays, queries: NDArray[np.float64], count: int
    ) -> NDArray[np.float64]:
        """The weighted mean over the nearest examples, `[queries, classes or numbers]`."""
        known = arrays["features"]
        # Squared distances without the squared norm of the query, a constant for each query.
        distances = arrays["squares"] - 2 * queries @ known.T
        nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
        values = arrays["targets"][nearest]
        if "classes" in arrays:
            values = np.eye(len(arrays["classes"]))[values]
        if self.weights == "uniform":
            return values.mean(axis=1)
        # Exact distances of the nearest ones: the formula above is inaccurate for small distances.
        distances = np.sqrt(((known[nearest] - queries[:, None]) ** 2).sum(axis=2))
        # A training example with distance 0 decides alone, as in scikit-learn.
        is_same = distances == 0
        with np.errstate(divide="ignore"):
            weights = np.where(is_same.any(axis=1, keepdims=True), is_same, 1 / distances)
        weights = weights / weights.sum(axis=1, keepdims=True)
        return np.einsum("rk,rkv->rv", weights, values)


Probe = Annotated[SVM | KNN | Logistic | Ridge, Field(discriminator="type")]
ProbeName = Literal["svm", "knn", "logistic", "ridge"]

_NAMED: Mapping[str, Callable[[], BaseProbe]] = {
    "svm": SVM,
    "knn": KNN,
    "logistic": Logistic,
    "ridge": Ridge,
}


def _of_name(probe: Any) -> Any:
    """The probe of a name, with all defaults."""
    return _NAMED[probe]() if isinstance(probe, str) else probe


ChosenProbe = Annotated[ProbeName | Probe, AfterValidator(_of_name)]
"""A probe in a config: its fields, or only its name for all defaults."""


def probes_of(chosen: Iterable[ChosenProbe]) -> tuple[Probe, ...]:
    """The probes of a validated config, in which names are replaced by probes."""
    return tuple(probe for probe in chosen if not isinstance(probe, str))


def _standardized(arrays: Arrays, features: NDArray[np.float32]) -> NDArray[np.float64]:
    return (features - arrays["mean"]) / arrays["std"]
