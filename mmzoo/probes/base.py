"""What all probes share."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from mmzoo.lazy import np
from mmzoo.spec import PositiveInt, Spec
from mmzoo.wanted import Role

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays = dict[str, "np.ndarray"]
"""All that a fitted probe is, by name."""


class BaseProbe(Spec):
    """A classical model that predicts what a head predicts, from the features that the head reads.

    It is fitted by scikit-learn once the network is trained, and is arrays from then on: numpy
    alone predicts from them. Features are standardised by what it was fitted to.
    """

    predicts: ClassVar[tuple[Role, ...]]
    """The roles of the labels that it can learn."""
    probable: ClassVar[bool] = True
    """Whether what it says of classes are probabilities, and not merely numbers that order them."""

    if TYPE_CHECKING:  # A field, which each probe declares with its own name.
        type: str

    examples: PositiveInt = 50_000
    """How many training examples it is fitted to at most; of more, so many are drawn by
    `train.seed`."""

    def fit(
        self, features: NDArray[np.float32], targets: NDArray[np.generic], seed: int
    ) -> tuple[Arrays, tuple[str, ...]]:
        """Fits it.

        Args:
            features: `[rows, width]`, finite.
            targets: numbers of classes, int64 `[rows]`, two of them or more; or numbers, float
                `[rows, numbers]`.
            seed: of whatever it draws.

        Returns:
            The arrays that `predict` takes; and sentences that the user should see.
        """

        wide = features.astype(np.float64)
        mean, deviation = wide.mean(axis=0), wide.std(axis=0)
        # A feature that is always the same, up to rounding, says nothing.
        deviation[deviation <= 1e-9 * np.maximum(1, abs(mean))] = 1.0
        arrays = {"mean": mean, "deviation": deviation}
        if targets.dtype.kind in "iu":
            arrays["classes"], targets = np.unique(targets, return_inverse=True)
        own, notes = self._fit(_standardized(arrays, features), targets, seed)
        return arrays | own, notes

    def opened(self, arrays: Arrays) -> Arrays:
        """The arrays in the form that is quickest to predict from, for whoever does so often."""
        return arrays

    def predict(self, arrays: Arrays, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """What it says of examples, in numpy alone.

        Args:
            arrays: of `fit`, or of `opened`.
            features: `[rows, width]`.

        Returns:
            Of classes `[rows, classes]`, where the columns are those of `arrays["classes"]` and
            add up to 1; else the numbers, `[rows, numbers]`.
        """
        return self._predict(arrays, _standardized(arrays, features))

    @abstractmethod
    def _fit(
        self, features: NDArray[np.float64], targets: NDArray[np.generic], seed: int
    ) -> tuple[Arrays, tuple[str, ...]]:
        """As `fit`, of standardised features and of classes that all occur."""

    @abstractmethod
    def _predict(self, arrays: Arrays, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """As `predict`, of standardised features."""


def _standardized(arrays: Arrays, features: NDArray[np.float32]) -> NDArray[np.float64]:
    return (features - arrays["mean"]) / arrays["deviation"]
