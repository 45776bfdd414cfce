"""Layout: what stands where in a row of a table."""

from __future__ import annotations

from dataclasses import dataclass

MISSING = 0
"""The number of a category that a row lacks."""
UNSEEN = 1
"""The number of all categories that training does not know; those it knows follow."""


@dataclass(frozen=True)
class Layout:
    """What stands where in a row: float32, first the numbers and then the categories."""

    numbers: int
    """How many normalised numbers there are; NaN where one is missing."""
    categories: tuple[int, ...]
    """Of each category, from how many values a row has one, `MISSING` and `UNSEEN` among them."""

    @property
    def width(self) -> int:
        """How many values a row has."""
        return self.numbers + len(self.categories)
