"""Numeric and date columns: statistics of the training split, and normalization."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from mmzoo.errors import RunError
from mmzoo.lazy import np, pl
from mmzoo.modalities.tabular.categorical_columns import Categories
from mmzoo.modalities.tabular.cell_parsing import LARGEST_NUMBER
from mmzoo.spec import PositiveFloat, Problem, Spec
from mmzoo.spec.wording import escape, shorten

_DAY_SECONDS = 86_400
_FIRST_WEEKDAY = 3
"""Weekday of 1970-01-01, a Thursday; Monday is 0."""


class Dates(Spec):
    """Encoding of dates: scaled days since 1970, and cyclic features.

    Each of the positions in the year, in the week and, for datetimes, in the day is the sine and
    cosine of an angle, so that the end of a cycle is close to its beginning.
    """

    kind: Literal["date", "datetime"]
    elapsed: ScaledNumbers
    """Scaling of the days since 1970."""

    @property
    def width(self) -> int:
        return 7 if self.kind == "datetime" else 5

    def transform(self, dates: pl.Series) -> np.ndarray:
        """Encodes dates as float32 `[rows, width]`, NaN where missing."""
        values = dates.to_numpy().astype("datetime64[s]")
        days = days_since_1970(values, self.kind)
        years = values.astype("datetime64[Y]")
        ends = [(years + more).astype("datetime64[D]").astype(np.float64) for more in (0, 1)]
        of_day = days % 1
        places = [(days - ends[0]) / (ends[1] - ends[0]), (days + _FIRST_WEEKDAY) % 7 / 7]
        angles = 2 * np.pi * np.stack([*places, of_day][: self.width // 2], axis=1)
        circles = np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(values), -1)
        circles[np.isnat(values)] = np.nan
        return np.concatenate([self.elapsed.scale(days), circles.astype(np.float32)], axis=1)

    def to_texts(self, transformed: np.ndarray) -> list[str]:
        """Transformed dates `[rows, width]` as text."""
        days = transformed[:, 0].astype(np.float64) * self.elapsed.spread + self.elapsed.centre
        return ["missing" if day != day else _date_text(round(day)) for day in days.tolist()]


def fit_dates(dates: pl.Series, kind: Literal["date", "datetime"]) -> Dates:
    """Fits statistics to training dates, null where missing."""
    values = dates.to_numpy().astype("datetime64[s]")
    elapsed = fit_numbers(days_since_1970(values, kind), "standard")
    assert isinstance(elapsed, ScaledNumbers)
    return Dates(kind=kind, elapsed=elapsed)


def days_since_1970(values: np.ndarray, kind: Literal["date", "datetime"]) -> np.ndarray:
    """Days since 1970, float64 `[rows]`: whole days for dates, NaN where missing."""
    seconds = values.astype("datetime64[s]").astype(np.float64)
    days = np.where(np.isnat(values), np.nan, seconds) / _DAY_SECONDS
    return np.floor(days) if kind == "date" else days


def _date_text(day: int) -> str:
    return str(np.datetime64(day, "D"))


Normalize = Literal["standard", "minmax", "quantile", "none"]

MAX_NORMALIZED = 1e4
"""Largest absolute value of a normalized number; float16 can represent it."""
_MOST_QUANTILES = 1001
_UNIFORM_SPREAD = 12**0.5
"""Width of a uniform distribution with a standard deviation of 1."""


class ScaledNumbers(Spec):
    """Linear scaling: `(x - centre) / spread`, clipped."""

    kind: Literal["number"] = "number"
    centre: float
    spread: PositiveFloat
    limit: PositiveFloat = MAX_NORMALIZED
    """Absolute value at which scaled numbers are clipped."""

    @property
    def width(self) -> int:
        return 1

    def transform(self, values: pl.Series) -> np.ndarray:
        """Normalizes numbers to float32 `[rows, 1]`, NaN where missing."""
        return self.scale(values.to_numpy())

    def scale(self, values: np.ndarray) -> np.ndarray:
        """Scales float64 `[rows]` to float32 `[rows, 1]`, NaN where missing."""
        with np.errstate(over="ignore"):  # Infinities are clipped.
            scaled = (values - self.centre) / self.spread
        return np.clip(scaled, -self.limit, self.limit).astype(np.float32)[:, None]

    def to_texts(self, transformed: np.ndarray) -> list[str]:
        """Transformed numbers `[rows, 1]` as text."""
        return _number_text(transformed[:, 0].astype(np.float64) * self.spread + self.centre)


class RankedNumbers(Spec):
    """Quantile normalization: the rank among the training numbers, uniform around 0 with std 1."""

    kind: Literal["ranked number"] = "ranked number"
    values: tuple[float, ...]
    """Training quantiles, ascending."""
    places: tuple[float, ...]
    """Share of the training numbers below each of the values."""

    def rules(self) -> Iterator[Problem]:
        both = (self.values, self.places)
        if not self.values or len(self.values) != len(self.places):
            yield Problem(("places",), "expected one place per value, and at least one")
        elif any(list(one) != sorted(set(one)) for one in both):
            yield Problem(("values",), "expected values and places in ascending order")

    @property
    def width(self) -> int:
        return 1

    def transform(self, values: pl.Series) -> np.ndarray:
        """Normalizes numbers to float32 `[rows, 1]`, NaN where missing."""
        places = _interpolated(values.to_numpy(), self.values, self.places)
        return ((places - 0.5) * _UNIFORM_SPREAD).astype(np.float32)[:, None]

    def to_texts(self, transformed: np.ndarray) -> list[str]:
        """Transformed numbers `[rows, 1]` as text."""
        places = transformed[:, 0].astype(np.float64) / _UNIFORM_SPREAD + 0.5
        return _number_text(_interpolated(places, self.places, self.values))


def fit_numbers(values: np.ndarray, normalize: Normalize) -> ScaledNumbers | RankedNumbers:
    """Fits statistics to training numbers, float64 `[rows]`, NaN where missing.

    If all numbers are equal, or all are missing, they are normalized to 0.
    """
    known = values[~np.isnan(values)]
    if normalize == "none":
        return ScaledNumbers(centre=0.0, spread=1.0, limit=LARGEST_NUMBER)
    if not len(known):
        return ScaledNumbers(centre=0.0, spread=1.0)
    if normalize == "quantile":
        return _ranked(known)
    low, high = float(known.min()), float(known.max())
    if low == high:
        return ScaledNumbers(centre=low, spread=1.0)
    half = high / 2 - low / 2
    if normalize == "minmax":
        return ScaledNumbers(centre=low / 2 + high / 2, spread=half or 1.0)
    return ScaledNumbers(centre=float(known.mean()), spread=float(known.std()) or half or 1.0)


def _ranked(known: np.ndarray) -> RankedNumbers:
    grid = (
        np.linspace(0, 1, min(len(known), _MOST_QUANTILES)) if len(known) > 1 else np.array([0.5])
    )
    # Use actual values: rounding interpolated ones could split ties.
    values, first, count = np.unique(
        np.quantile(known, grid, method="nearest"), return_index=True, return_counts=True
    )
    # A value with ties gets their mean rank.
    places = (grid[first] + grid[first + count - 1]) / 2
    return RankedNumbers(values=tuple(values.tolist()), places=tuple(places.tolist()))


def _interpolated(numbers: np.ndarray, xs: tuple[float, ...], ys: tuple[float, ...]) -> np.ndarray:
    # With a single known number, `interp` would map NaN, too.
    return np.where(np.isnan(numbers), np.nan, np.interp(numbers, xs, ys))


def _number_text(numbers: np.ndarray) -> list[str]:
    return ["missing" if number != number else f"{number:.4g}" for number in numbers.tolist()]


STATISTICS = "statistics.json"
"""File name."""

Column = Annotated[ScaledNumbers | RankedNumbers | Categories | Dates, Field(discriminator="kind")]


class Statistics(Spec):
    """Contents of the statistics file."""

    columns: dict[str, Column]


def format_statistics(columns: Mapping[str, Column]) -> str:
    """Content of the statistics file."""
    values = Statistics(columns=dict(columns)).model_dump(mode="json")
    return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_statistics(
    text: str | None, kinds: Mapping[str, str], sizes: Mapping[str, int], where: str
) -> dict[str, Column]:
    """Statistics of each column, from the statistics file.

    Args:
        text: content of the file; None if it is missing.
        kinds: column -> expected type.
        sizes: categorical column -> expected number of categories.
        where: names the input in errors.

    Raises:
        RunError: the file is missing or damaged.
    """
    place = f"{where}: {STATISTICS} in the run's folder `preprocessing`"
    fix = "Restore the file, or train again."
    if text is None:
        raise RunError(f"{place} is missing. {fix}")
    try:
        columns = Statistics.model_validate_json(text).columns
    except ValidationError as error:
        first = error.errors()[0]
        location = shorten(".".join(map(str, first["loc"])))
        at = f", at {location}" if location else ""
        raise RunError(f"{place} is damaged{at}: {escape(first['msg'])}. {fix}") from error
    found = {name: column.kind.removeprefix("ranked ") for name, column in columns.items()}
    known = {
        name: len(column.values)
        for name, column in columns.items()
        if isinstance(column, Categories)
    }
    for what, actual, expected in (("columns", found, kinds), ("values", known, sizes)):
        if list(actual.items()) != list(expected.items()):
            raise RunError(
                f"{place} is damaged: its {what} differ from config.yaml: found "
                f"{_listed(actual)}, expected {_listed(expected)}. {fix}"
            )
    return columns


def _listed(mapping: Mapping[str, object]) -> str:
    return shorten(", ".join(f"{name}: {value}" for name, value in mapping.items()) or "none")
