"""Numbers: what is known of a column of them, and how that makes them small."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo.inputs.tabular.cells import LARGEST_NUMBER
from mmzoo.lazy import np
from mmzoo.spec import PositiveFloat, Problem, Spec

Normalize = Literal["standard", "minmax", "quantile", "none"]

FARTHEST = 1e4
"""What a normalised number is at most: a half-precision float still holds it."""
_MOST_QUANTILES = 1001
_UNIFORM_SPREAD = 12**0.5
"""Numbers that are even over such a width have a deviation of 1."""


class ScaledNumbers(Spec):
    """Numbers less a centre, divided by a spread."""

    kind: Literal["number"] = "number"
    centre: float
    spread: PositiveFloat
    limit: PositiveFloat = FARTHEST
    """What a scaled number is at most; one that is farther away counts as that."""

    @property
    def width(self) -> int:
        return 1

    def prepared(self, values: np.ndarray) -> np.ndarray:
        """Numbers float64 `[rows]`, NaN where missing, as float32 `[rows, 1]`."""

        with np.errstate(over="ignore"):  # What is infinite then is cut off.
            scaled = (values - self.centre) / self.spread
        return np.clip(scaled, -self.limit, self.limit).astype(np.float32)[:, None]

    def written(self, prepared: np.ndarray) -> list[str]:
        """Prepared numbers `[rows, 1]` as text."""

        return _written(prepared[:, 0].astype(np.float64) * self.spread + self.centre)


class RankedNumbers(Spec):
    """Numbers by how many of the training numbers are below them, evenly spread around 0."""

    kind: Literal["ranked number"] = "ranked number"
    values: tuple[float, ...]
    """Numbers of which the places are known, ascending."""
    places: tuple[float, ...]
    """Of each, the share of the training numbers that are below it."""

    def rules(self) -> Iterator[Problem]:
        both = (self.values, self.places)
        if not self.values or len(self.values) != len(self.places):
            yield Problem(("places",), "expected a place for each of one or more values")
        elif any(list(one) != sorted(set(one)) for one in both):
            yield Problem(("values",), "expected values and places that ascend")

    @property
    def width(self) -> int:
        return 1

    def prepared(self, values: np.ndarray) -> np.ndarray:
        """Numbers float64 `[rows]`, NaN where missing, as float32 `[rows, 1]`."""

        places = _interpolated(values, self.values, self.places)
        return ((places - 0.5) * _UNIFORM_SPREAD).astype(np.float32)[:, None]

    def written(self, prepared: np.ndarray) -> list[str]:
        """Prepared numbers `[rows, 1]` as text."""

        places = prepared[:, 0].astype(np.float64) / _UNIFORM_SPREAD + 0.5
        return _written(_interpolated(places, self.places, self.values))


def fit_numbers(values: np.ndarray, normalize: Normalize) -> ScaledNumbers | RankedNumbers:
    """What is known of training numbers, float64 `[rows]` with NaN where one is missing.

    Where they are all the same, or there is none, they become 0.
    """

    there = values[~np.isnan(values)]
    if normalize == "none":
        return ScaledNumbers(centre=0.0, spread=1.0, limit=LARGEST_NUMBER)
    if not len(there):
        return ScaledNumbers(centre=0.0, spread=1.0)
    if normalize == "quantile":
        return _ranked(there)
    low, high = float(there.min()), float(there.max())
    if low == high:
        return ScaledNumbers(centre=low, spread=1.0)
    half = high / 2 - low / 2
    if normalize == "minmax":
        return ScaledNumbers(centre=low / 2 + high / 2, spread=half or 1.0)
    return ScaledNumbers(centre=float(there.mean()), spread=float(there.std()) or half or 1.0)


def _ranked(there: np.ndarray) -> RankedNumbers:

    grid = (
        np.linspace(0, 1, min(len(there), _MOST_QUANTILES)) if len(there) > 1 else np.array([0.5])
    )
    # Values that are there themselves: between two, equal ones would be split by rounding.
    values, first, count = np.unique(
        np.quantile(there, grid, method="nearest"), return_index=True, return_counts=True
    )
    # A value that stands at several places is in the middle of them.
    places = (grid[first] + grid[first + count - 1]) / 2
    return RankedNumbers(values=tuple(values.tolist()), places=tuple(places.tolist()))


def _interpolated(
    numbers: np.ndarray, known: tuple[float, ...], meant: tuple[float, ...]
) -> np.ndarray:

    # With a single known number `interp` gives what that means for NaN too.
    return np.where(np.isnan(numbers), np.nan, np.interp(numbers, known, meant))


def _written(numbers: np.ndarray) -> list[str]:
    return ["missing" if number != number else f"{number:.4g}" for number in numbers.tolist()]
