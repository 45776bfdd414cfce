"""How a table is split, and what its columns say of that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from annotated_types import Gt, Lt, MinLen

from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.sources.folds import Fold
from mmzoo.sources.table.cells import sorted_names, texts
from mmzoo.spec import Problem, Spec
from mmzoo.spec.wording import shorten

SPLITS = ("train", "validation", "test")
WORDS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""The split that each word means, in capitals or not."""

_NAMED = 5
"""How many values a message names."""

ColumnName = Annotated[str, MinLen(1)]
Share = Annotated[float, Gt(0), Lt(1)]


class SplitFiles(Spec):
    """Tables with the rows of one split each, which have the same columns as the first."""

    validation: Annotated[str, MinLen(1)] | None = None
    """The file whose rows validate, relative to the working directory."""
    test: Annotated[str, MinLen(1)] | None = None
    """The file whose rows test, relative to the working directory."""

    def rules(self) -> Iterator[Problem]:
        if self.validation is None and self.test is None:
            yield Problem((), "expected a file for `validation` or `test`, or none of this")


class TableSplit(Spec):
    """How a table is split: by shares, by a column, or by files.

    What neither a column nor a file nor a fold gives is cut off the rows left to train on. Classes
    keep their shares where a head predicts classes; the rows that test are the same for all seeds.
    """

    validation: Share = 0.1
    """Share of the rows without a split yet that is cut off for validation, which the seed
    decides."""
    test: Share = 0.1
    """Share of the rows without a split yet that is cut off for testing."""
    column: ColumnName | None = None
    """The column that has the split of each row: train, validation (or valid, val, dev) or test."""
    files: SplitFiles | None = None
    """Tables that hold the rows of other splits; the rows of `path` then are those to train on."""
    folds: ColumnName | None = None
    """The column whose values are folds; `source.fold` says which of them tests."""
    group: ColumnName | None = None
    """A column such as that of patients: rows with the same value are never cut apart."""

    def rules(self) -> Iterator[Problem]:
        given = [name for name in ("column", "files", "folds") if getattr(self, name) is not None]
        for name in given[1:]:
            yield Problem((name,), f"expected none beside `{given[0]}`: both say what tests")
        if not given and self.validation + self.test >= 1:
            yield Problem(
                ("test",),
                "expected shares for validation and testing that leave something to train on; "
                f"together they are {self.validation + self.test:g}",
            )

    def columns(self) -> tuple[str, ...]:
        """The columns that decide splits."""
        return tuple(name for name in (self.column, self.folds, self.group) if name is not None)


def given_splits(column: pl.Series, where: str) -> np.ndarray:
    """The split of each row as a column says it: int64 `[rows]`, a place in `SPLITS`.

    Raises:
        DataError: It has other values, or no row is to train on.
    """

    words = texts(column, where, "the names of splits")
    found = words.str.strip_chars().str.to_lowercase()
    numbers = {word: SPLITS.index(split) for word, split in WORDS.items()}
    splits = found.replace_strict(numbers, default=-1, return_dtype=pl.Int64)
    splits = splits.set(found.is_null(), -1)
    wrong = (splits == -1).arg_true().to_list()
    if wrong:
        kinds = words.gather(wrong).unique(maintain_order=True).to_list()
        shown = ", ".join(
            "an empty cell" if one is None else f"'{shorten(one)}'" for one in kinds[:_NAMED]
        )
        more = f" and {len(kinds) - _NAMED:,} more" if len(kinds) > _NAMED else ""
        raise DataError(
            f"{where}: {len(wrong):,} rows, the first of them row {wrong[0] + 1:,}, have {shown}"
            f"{more}. Expected train, validation (or valid, val, dev) or test in each."
        )
    if not (splits == 0).any():
        raise DataError(f"{where}: no row is `train`, so there is nothing to train on.")
    return splits.to_numpy(writable=True)


def folds_of(column: pl.Series, fold: Fold, where: str) -> np.ndarray:
    """The fold of each row as a column says it, int64 `[rows]`, counted from 0.

    Raises:
        DataError: It has empty cells, or not as many values as `fold` says.
    """

    words = texts(column, where, "the numbers or names of folds")
    empty = words.is_null().arg_true()
    if len(empty):
        raise DataError(f"{where} is empty in {len(empty):,} rows, such as row {empty[0] + 1:,}.")
    names = sorted_names(words.unique().to_list())
    if len(names) != fold.of:
        shown = ", ".join(f"'{shorten(name)}'" for name in names[:_NAMED])
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        raise DataError(
            f"{where} has {len(names):,} folds, {shown}{more}; `source.fold.of` says {fold.of}."
        )
    numbers = words.cast(pl.Enum(names)).to_physical().cast(pl.Int64)
    return numbers.to_numpy(writable=True)
