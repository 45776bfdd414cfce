"""The source `table`: rows of CSV, TSV, JSON lines or Parquet files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Literal

from annotated_types import MinLen

from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.sources.bad_rows import unreadable
from mmzoo.sources.data import Data, OnBadRow, Skipped
from mmzoo.sources.folds import Fold
from mmzoo.sources.table.column import Made
from mmzoo.sources.table.duplicates import OnDuplicate, without_duplicates
from mmzoo.sources.table.format import TableFormat
from mmzoo.sources.table.made import made_columns, media_folder
from mmzoo.sources.table.names import only_known
from mmzoo.sources.table.sharing_out import facts_of, share_out
from mmzoo.sources.table.split import TableSplit
from mmzoo.sources.table.stacked import Stacked, stacked
from mmzoo.sources.table.unlabelled import with_missing_labels
from mmzoo.spec import Problem, Spec
from mmzoo.spec.wording import printable
from mmzoo.wanted import OF_INPUTS, Wanted


class TableRows(Spec):
    """Which rows there are, and what for: the fields that come first."""

    type: Literal["table"] = "table"
    path: Annotated[str, MinLen(1)]
    """The table's file, relative to the working directory."""
    split: TableSplit = TableSplit()
    """Which rows train, validate and test."""
    fold: Fold | None = None
    """For cross-validation: which of so many folds tests. The folds are the same for all seeds."""
    on_bad_row: OnBadRow = "error"
    """What to do about rows without a label or with cells that cannot be used: stop, or skip them
    and list them in the run."""
    on_duplicate: OnDuplicate = "warn"
    """What to do about rows whose inputs are equal to those of a row in another split: say so,
    stop, or leave them out of the split that is nearer to training."""


class Table(TableFormat, TableRows):
    """A table with an example in each row: CSV, TSV, JSON lines or Parquet.

    Text files may be compressed: `.csv.gz`, `.tsv.xz`, `.jsonl.zst`. Its columns are what inputs
    and heads ask for: numbers, texts, classes, or paths of files relative to the table's folder.
    Rows are counted from 1, below the line of names.
    """

    def rules(self) -> Iterator[Problem]:
        yield from super().rules()
        if "\0" in self.path:
            yield Problem(("path",), "a path cannot hold the character \\0")
        if self.split.folds is not None and self.fold is None:
            yield Problem(
                ("fold",), "expected one beside `split.folds`, such as {index: 1, of: 10}"
            )
        for name in ("column", "files"):
            if self.fold is not None and getattr(self.split, name) is not None:
                yield Problem(
                    ("fold",), f"expected none beside `split.{name}`: both say what tests"
                )

    def columns(self) -> dict[str, Literal["input", "target"]] | None:
        """None: they are known once the table is read."""
        return None

    def load(self, wanted: Mapping[str, Wanted], seed: int) -> Data:
        """Reads the table, splits it and makes of its columns what is wanted.

        Files that it names are looked for and not opened. Whoever reads them adds what is in them
        to the fingerprint.

        Args:
            wanted: What each column is wanted for.
            seed: Decides which rows are cut off for validation.

        Returns:
            Data with all rows but duplicates that are dropped; `bad` has those with cells of which
            nothing can be made.

        Raises:
            DataError: A file cannot be read, a column is not there or cannot be what it is wanted
                for, or there are too few rows for the splits.
        """

        columns = dict.fromkeys([*wanted, *self.split.columns()])
        table = stacked(self.path, self.split.files, self, columns)
        frame, shown = table.cells.frame, table.cells.shown
        name = printable(os.path.basename(self.path))
        made, bad = self._made(table, wanted)
        usable = np.ones(frame.height, bool)
        usable[list(bad)] = False
        try:
            facts = facts_of(table, usable, made, wanted, self.split, self.fold)
            splits, notes = share_out(facts, self.split, self.fold, seed)
            inputs = [column for column, one in wanted.items() if one.role in OF_INPUTS]
            splits, duplicates = without_duplicates(
                frame, inputs, splits, usable, self.on_duplicate, table.row_name, f"table {shown}"
            )
        except DataError:
            if bad and self.on_bad_row == "error":
                raise unreadable(name, _skipped(bad, table), "row") from None
            raise
        made, strange = only_known(made, splits, usable, wanted)
        bad = strange | bad
        notes = (*notes, *(note for one in made.values() for note in one.notes), *duplicates)
        return Data(
            name=name,
            fingerprint=self._fingerprint(table, splits),
            splits={
                split: {column: one.values[rows] for column, one in made.items()}
                for split, rows in splits.items()
            },
            class_names={
                column: one.names for column, one in made.items() if one.names is not None
            },
            notes=tuple(f"{name}: {note}" for note in notes),
            row_names={split: table.row_names[rows] for split, rows in splits.items()},
            rows_are="row",
            bad={split: _within(rows, bad) for split, rows in splits.items()},
        )

    def _made(
        self, table: Stacked, wanted: Mapping[str, Wanted]
    ) -> tuple[dict[str, Made], dict[int, str]]:
        """What is wanted of each column; and the rows that cannot be used, each with why."""
        frame, shown = table.cells.frame, table.cells.shown
        root = media_folder(self.path, self.media_root)
        # Which classes are known must not change who is cut off: a run knows those of its training
        # rows, and finds the same splits again.
        unnamed = {column: replace(one, names=None) for column, one in wanted.items()}
        made = made_columns(frame, unnamed, self, root, shown)
        made, unlabelled = with_missing_labels(made, wanted)
        bad = unlabelled | {row: why for one in made.values() for row, why in one.bad.items()}
        bad |= table.cells.bad
        if self.split.group is not None:
            empty = frame[self.split.group].is_null().arg_true().to_list()
            bad |= dict.fromkeys(empty, f"its `{self.split.group}` is empty")
        return made, bad

    def _fingerprint(self, table: Stacked, splits: Mapping[str, np.ndarray]) -> str:
        form = {name: getattr(self, name) for name in TableFormat.model_fields}
        told = {
            "files": table.sha256s,
            "format": {name: value for name, value in form.items() if name != "media_root"},
            "splits": {
                split: hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()
                for split, rows in splits.items()
            },
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _within(rows: np.ndarray, bad: Mapping[int, str]) -> dict[int, str]:
    """The bad ones of a split's rows, by their places in the split."""

    places = np.flatnonzero(np.isin(rows, list(bad))).tolist()
    return {place: bad[int(rows[place])] for place in places}


def _skipped(bad: Mapping[int, str], table: Stacked) -> tuple[Skipped, ...]:
    return tuple(Skipped(table.row_name(row), "", bad[row]) for row in sorted(bad))
