"""Dates as numbers: how long ago, and the place in the year, the week and the day."""

from __future__ import annotations

from typing import Literal

from mmzoo.inputs.tabular.numbers import ScaledNumbers, fit_numbers
from mmzoo.lazy import np
from mmzoo.spec import Spec

_DAY_SECONDS = 86_400
_FIRST_WEEKDAY = 3
"""1970 began on a Thursday, three days after a Monday."""


class Dates(Spec):
    """Dates, as days since 1970 that are scaled, and places on circles.

    The end of a year is near the beginning of the next, so a place in a year is two numbers, the
    sine and cosine of an angle; likewise a place in a week, and in a day.
    """

    kind: Literal["date", "datetime"]
    elapsed: ScaledNumbers
    """Of the days since 1970."""

    @property
    def width(self) -> int:
        return 7 if self.kind == "datetime" else 5

    def prepared(self, values: np.ndarray) -> np.ndarray:
        """Dates datetime64[s] `[rows]`, NaT where missing, as float32 `[rows, width]`."""

        days = days_since_1970(values, self.kind)
        years = values.astype("datetime64[Y]")
        ends = [(years + more).astype("datetime64[D]").astype(np.float64) for more in (0, 1)]
        of_day = days % 1
        places = [(days - ends[0]) / (ends[1] - ends[0]), (days + _FIRST_WEEKDAY) % 7 / 7]
        angles = 2 * np.pi * np.stack([*places, of_day][: self.width // 2], axis=1)
        circles = np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(values), -1)
        circles[np.isnat(values)] = np.nan
        return np.concatenate([self.elapsed.prepared(days), circles.astype(np.float32)], axis=1)

    def written(self, prepared: np.ndarray) -> list[str]:
        """Prepared dates `[rows, width]` as text."""

        days = prepared[:, 0].astype(np.float64) * self.elapsed.spread + self.elapsed.centre
        return ["missing" if day != day else _written(round(day)) for day in days.tolist()]


def fit_dates(values: np.ndarray, kind: Literal["date", "datetime"]) -> Dates:
    """What is known of training dates, datetime64[s] `[rows]` with NaT where one is missing."""
    elapsed = fit_numbers(days_since_1970(values, kind), "standard")
    assert isinstance(elapsed, ScaledNumbers)
    return Dates(kind=kind, elapsed=elapsed)


def days_since_1970(values: np.ndarray, kind: Literal["date", "datetime"]) -> np.ndarray:
    """Float64 `[rows]`, whole days for a date, NaN where there is none."""

    seconds = values.astype("datetime64[s]").astype(np.float64)
    days = np.where(np.isnat(values), np.nan, seconds) / _DAY_SECONDS
    return np.floor(days) if kind == "date" else days


def _written(day: int) -> str:

    return str(np.datetime64(day, "D"))
