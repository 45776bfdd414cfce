"""Data: what every source yields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mmzoo.lazy import np

Splits = dict[str, dict[str, "np.ndarray"]]
"""Split -> column -> array; the arrays of a split are equally long."""

BadRows = Mapping[str, Mapping[int, str]]
"""Split -> row -> why it cannot be used, as a clause: "it has no bytes"."""

OnBadRow = Literal["error", "skip"]
"""What becomes of rows that cannot be read: an error that names them, or they are left out."""


@dataclass(frozen=True)
class Skipped:
    """A row that was left out."""

    file: str
    """The name of the row, on one line: a file relative to the source's folder, or "row 3"."""
    split: str
    """The split that it would have been in."""
    reason: str
    """Why it could not be read, as a clause: "it has no bytes"."""


@dataclass(frozen=True)
class Data:
    """What a source yields: named columns of arrays, already split.

    Images are uint8 `[examples, height, width, channels]`, or text `[examples]`: the absolute paths
    of their files. Classes are int64 `[examples]`; `mmzoo.wanted.Role` has the rest. The columns
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
    row_names: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Split -> what people call each row: text `[examples]`, a file relative to the source's
    folder; or int64 `[examples]`, the number of a table's row, counted from 1 below its header.
    Without the splits whose rows have no names."""
    rows_are: Literal["file", "row"] = "file"
    """What a message calls one: a file, or a row of a table."""
    bad: BadRows = field(default_factory=dict)
    """The rows that the source found bad. Whoever takes the data settles what becomes of them."""
    skipped: tuple[Skipped, ...] = ()
    """The rows that were left out as they could not be read."""

    def examples(self, split: str) -> int:
        """How many examples the split has."""
        return len(next(iter(self.splits[split].values())))

    def row_name(self, split: str, row: int) -> str:
        """What people call a row: its name, or its number counted from 0."""
        names = self.row_names.get(split)
        if names is None:
            return f"row {row}"
        return str(names[row]) if names.dtype.kind == "U" else f"row {names[row]}"
