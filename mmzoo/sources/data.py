"""Data: what every source yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Splits = dict[str, dict[str, "np.ndarray"]]
"""Split -> column -> array; the arrays of a split are equally long."""


@dataclass(frozen=True)
class Data:
    """What a source yields: named columns of arrays, already split.

    Images are uint8 `[examples, height, width, channels]`, classes int64 `[examples]`. The columns
    are those that were wanted, no others.
    """

    name: str
    """The data set that was really used: "digits" where the fallback served."""
    fingerprint: str
    """sha256 over the content and whatever decides the split: equal where all examples are."""
    splits: Splits
    """`train`, `validation` and `test`."""
    class_names: dict[str, tuple[str, ...]]
    """Of each column that holds classes, the name of class 0, 1, ..."""
    notes: tuple[str, ...]
    """Sentences that the user should see: a fallback that served, a split that was cut."""
    fallback_for: str | None = None
    """The data set that was asked for, where the fallback served."""

    def examples(self, split: str) -> int:
        """How many examples the split has."""
        return len(next(iter(self.splits[split].values())))
