"""Frame: the rows of a source as a polars DataFrame, with their splits and issues.

Missing values are null here. In `mmzoo.preprocessing.Arrays` they become masks and placeholders.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from mmzoo.data.split_assignment import Assignment
from mmzoo.data.splits import SPLITS
from mmzoo.lazy import np, pl

SPLIT = "mmzoo.split"
"""The column with the split of each row."""
ROW = "mmzoo.row"
"""The optional column with the name of each row: a file name, or a row number of a table."""

Splits = dict[str, dict[str, "np.ndarray"]]
"""Split -> column -> array, as returned by the readers of named data sets."""
_OTHER = "mmzoo.other."
_TO_PRIVATE = {code: code - 0xDC00 + 0x10FF00 for code in range(0xDC80, 0xDD00)}
"""Python represents bytes of a path that are not UTF-8 as lone surrogates, which polars rejects."""
_FROM_PRIVATE = {private: code for code, private in _TO_PRIVATE.items()}

OnBadRow = Literal["error", "skip"]
"""What to do about rows that cannot be used: raise an error that lists them, or drop them."""
OtherColumns = Literal["none", "unused", "all"]
"""Which columns of a table to read besides those that are required, unparsed: none, those that are
not required, or all."""
Issues = Mapping[int, tuple[str | None, str]]
"""Row -> the bad column, if it is a single one, and the reason, such as "its `age` is empty"."""


@dataclass(frozen=True)
class Skipped:
    """A row that was dropped because it could not be used."""

    file: str
    """The name of the row, on one line: a file relative to the source's folder, or "row 3"."""
    split: str
    """The split of the row."""
    reason: str
    """Why it could not be used, as a clause: "it is empty"."""


@dataclass(frozen=True)
class Frame:
    """The rows of a source, with their columns and splits.

    The columns are those of the source, cast to the role in their `ColumnSpec`: paths and texts
    are strings, classes int64 ids, images uint8 arrays. Scanning adds a column for each input, see
    `scanned_column`. Row indices count from 0 over all splits.
    """

    table: pl.DataFrame
    """The data, a `SPLIT` column, and a `ROW` column if rows have names."""
    name: str
    """The data set that was actually used: "digits" if the fallback was used."""
    fingerprint: str
    """sha256 of the content and the splits. Equal fingerprints mean equal examples."""
    issues: pl.DataFrame = field(default_factory=lambda: issues_table({}))
    """The rows that cannot be used: `row`, `column` and `reason`, a row at most once."""
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Column of classes or labels -> the names of class 0, 1, ..."""
    notes: tuple[str, ...] = ()
    """Sentences to show to the user, such as on a fallback or a sampled split."""
    warnings: tuple[str, ...] = ()
    """Likely faults of the data that do not stop a training, such as silent audio files."""
    fallback_for: str | None = None
    """The data set that was requested, if the fallback was used."""
    rows_are: Literal["file", "row"] = "file"
    """The noun for a row in messages: "file", or "row" of a table."""
    skipped: tuple[Skipped, ...] = ()
    """The rows that were dropped because they could not be used."""
    assignment: Assignment | None = None
    """How rows were assigned to splits; None if they cannot be assigned again, because rows were
    dropped since, or none can be bad."""

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits: train, validation and test, then any others."""
        found = self.table[SPLIT].unique(maintain_order=True).to_list()
        return (*(name for name in SPLITS if name in found), *(set(found) - set(SPLITS)))

    @cached_property
    def rows(self) -> dict[str, np.ndarray]:
        """Split -> the indices of its rows, int64, ascending."""
        return {name: (self.table[SPLIT] == name).arg_true().to_numpy() for name in self.splits}

    @property
    def row_names(self) -> dict[str, np.ndarray]:
        """Split -> the names of its rows: str or int64 `[rows]`; empty if rows have no names."""
        if ROW not in self.table.columns:
            return {}
        names = self.table[ROW]
        return {
            split: to_array(names.gather(rows)).astype(np.str_ if names.dtype == pl.String else int)
            for split, rows in self.rows.items()
        }

    def examples(self, split: str) -> int:
        """The number of rows of a split."""
        return len(self.rows[split])

    def values(self, column: str, split: str) -> pl.Series:
        """The values of a column in one split."""
        series = self.table[column]
        return series if len(self.splits) == 1 else series.filter(self.table[SPLIT] == split)

    def split(self, *names: str) -> Frame:
        """The frame with the rows of the given splits only."""
        if set(names) == set(self.splits):
            return self
        rows = np.sort(np.concatenate([self.rows[name] for name in names]))
        return self._select(rows)

    def row_name(self, row: int) -> str:
        """The name of a row in messages; without names "row" and its index in its split."""
        if ROW not in self.table.columns:
            rows = self.rows[self.table[SPLIT][row]]
            return f"row {int(np.searchsorted(rows, row))}"
        name = self.table[ROW][row]
        return name if isinstance(name, str) else f"row {name}"

    def drop(self, rows: Collection[int]) -> Frame:
        """The frame without the given rows; the others stay in order."""
        return self._select(np.setdiff1d(np.arange(self.table.height), list(rows)))

    def _select(self, rows: np.ndarray) -> Frame:
        new_index = {int(row): index for index, row in enumerate(rows.tolist())}
        issues = {
            new_index[row]: issue for row, issue in self.found_issues().items() if row in new_index
        }
        return replace(self, table=self.table[rows], issues=issues_table(issues), assignment=None)

    def assign_again(self) -> Frame:
        """The frame with its sampled splits drawn again, from the rows without issues only.

        Splits are drawn when a source is read, before its files are known to be readable. A corrupt
        file that was drawn would leave its split without a row, and perhaps without a class.

        Raises:
            DataError: There are too few rows.
        """
        if self.assignment is None:
            return self
        usable = np.ones(self.table.height, bool)
        usable[self.issues["row"].to_numpy()] = False
        before = self.assignment.info.usable
        if (usable | (False if before is None else ~before)).all():
            return self  # All bad rows were known when the splits were drawn.
        found = self.assignment.with_usable(usable)
        content = json.dumps([self.fingerprint, found.splits.tolist()])
        return replace(
            self,
            table=self.table.with_columns(
                pl.Series(SPLIT, [SPLITS[index] for index in found.splits])
            ),
            fingerprint=hashlib.sha256(content.encode()).hexdigest(),
            notes=(*found.notes, *(one for one in self.notes if one not in self.assignment.notes)),
            assignment=None,
        )

    def found_issues(self) -> dict[int, tuple[str | None, str]]:
        """The `issues` as a mapping."""
        return {row: (column, reason) for row, column, reason in self.issues.iter_rows()}

    def with_issues(self, issues: Issues) -> Frame:
        """The frame with more issues; a row that already has one keeps it."""
        if not issues:
            return self
        return replace(self, issues=issues_table({**issues, **self.found_issues()}))

    def other_columns(self) -> dict[str, pl.Series]:
        """The columns of the source that no input or head needs, by name, if they were read."""
        return {
            column.removeprefix(_OTHER): self.table[column]
            for column in self.table.columns
            if column.startswith(_OTHER)
        }

    def messages(self) -> tuple[str, ...]:
        """The notes and warnings as sentences."""
        notes = (f"Note: {note}." for note in self.notes)
        return (*notes, *(f"Warning: {warning}." for warning in self.warnings))

    def only_rows(self) -> Frame:
        """The frame without its data columns: only the splits and names of rows."""
        return replace(self, table=self.table.select(pl.col("^mmzoo\\.(split|row)$")))


def scanned_column(name: str) -> str:
    """The name of the column with the scanned values of an input."""
    return f"mmzoo.scanned.{name}"


def other_column(name: str) -> str:
    """The name of the column that holds a column of the source which no input or head needs."""
    return f"{_OTHER}{name}"


def path_text(path: str) -> str:
    """A path as valid UTF-8 text: bytes that are not UTF-8 become private-use characters."""
    return path.translate(_TO_PRIVATE)


def text_path(text: str) -> str:
    """The inverse of `path_text`."""
    return text.translate(_FROM_PRIVATE)


def issues_table(issues: Issues) -> pl.DataFrame:
    """Issues as a DataFrame, ordered by row."""
    rows = [(row, *issues[row]) for row in sorted(issues)]
    schema = {"row": pl.Int64, "column": pl.String, "reason": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def table_of(splits: Mapping[str, Mapping[str, Any]]) -> pl.DataFrame:
    """The `Frame.table` of split -> column -> numpy array or Series."""
    return pl.concat(
        [
            pl.DataFrame(
                [to_series(name, values) for name, values in columns.items()]
            ).with_columns(pl.lit(split).alias(SPLIT))
            for split, columns in splits.items()
        ],
        how="vertical",
    )


def to_series(name: str, values: np.ndarray | pl.Series) -> pl.Series:
    """Converts a numpy array to a Series without copying large arrays.

    NaN, NaT and None become null.
    """
    if isinstance(values, pl.Series):
        return values.alias(name)
    if values.ndim > 1:
        flat = pl.Series(name, np.ascontiguousarray(values).reshape(len(values), -1))
        return flat.reshape(values.shape) if values.ndim > 2 and len(values) else flat
    match values.dtype.kind:
        case "U" | "O":
            return pl.Series(name, list(_encodable(values.tolist())), dtype=pl.String)
        case "M":
            return pl.Series(name, values.astype("datetime64[us]"))
        case "f":
            return pl.Series(name, values).fill_nan(None)
        case _:
            return pl.Series(name, values)


def to_array(series: pl.Series) -> np.ndarray:
    """Converts a Series to a numpy array without copying large arrays.

    Null becomes NaN, NaT or None.
    """
    if series.dtype == pl.String:
        return np.array(series.to_list(), dtype=object)
    return series.to_numpy()


def _encodable(texts: list[Any]) -> Iterator[str | None]:
    """Texts without lone surrogates, which Python strings may contain and UTF-8 may not."""
    for text in texts:
        try:
            if text is not None and not text.isascii():
                text.encode()
            yield text
        except UnicodeEncodeError:
            yield text.encode("utf-8", "replace").decode()
