"""The splits of a table: the field `split`, and columns with the split or fold of each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from annotated_types import Gt, Lt, MinLen

from mmzoo.data.splits import SPLITS, Fold
from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.spec import Problem, Spec
from mmzoo.spec.wording import shorten

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""Lower-case name -> split."""

_MAX_NAMED = 5
"""Most values that a message names."""

ColumnName = Annotated[str, MinLen(1)]
Share = Annotated[float, Gt(0), Lt(1)]


class SplitFiles(Spec):
    """Separate tables for the validation and test splits, with the same columns as the first."""

    validation: Annotated[str, MinLen(1)] | None = None
    """The table with the validation rows, relative to the working directory."""
    test: Annotated[str, MinLen(1)] | None = None
    """The table with the test rows, relative to the working directory."""

    def rules(self) -> Iterator[Problem]:
        if self.validation is None and self.test is None:
            yield Problem((), "expected a file for `validation` or `test`, or no `files` at all")


class TableSplit(Spec):
    """The splits of a table: sampled, from a column, or from separate files.

    Splits that no column, file or fold provides are sampled from the remaining rows, stratified by
    class if a head predicts classes; the only row of a class is a training row. The test split does
    not depend on the seed.
    """

    validation: Share = 0.1
    """Share of the rows without a given split that is held out for validation. The seed decides
    which rows."""
    test: Share = 0.1
    """Share of the rows without a given split that is held out for testing, the same rows for all
    seeds."""
    column: ColumnName | None = None
    """The column with the split of each row: train, validation (or valid, val, dev) or test."""
    files: SplitFiles | None = None
    """Separate tables for other splits; the rows of `path` are then the training split."""
    folds: ColumnName | None = None
    """The column with the fold of each row; `source.fold` chooses the test fold."""
    group: ColumnName | None = None
    """A column such as the patient's id: rows with the same value are sampled into the same
    split."""

    def rules(self) -> Iterator[Problem]:
        given = [name for name in ("column", "files", "folds") if getattr(self, name) is not None]
        for name in given[1:]:
            yield Problem((name,), f"expected none with `{given[0]}`: both define the test split")
        if not given and self.validation + self.test >= 1:
            yield Problem(
                ("test",),
                "expected shares for validation and test that leave rows to train on; their sum is "
                f"{self.validation + self.test:g}",
            )

    def columns(self) -> tuple[str, ...]:
        """The columns that define splits."""
        return tuple(name for name in (self.column, self.folds, self.group) if name is not None)


def splits_in_column(words: pl.Series, where: str) -> np.ndarray:
    """The split of each row, from a column with names of splits.

    Args:
        words: The column, as strings.
        where: The column, for errors.

    Returns:
        int64 `[rows]`, an index into `SPLITS`.

    Raises:
        DataError: The column has other values, or no row is a training row.
    """
    found = words.str.strip_chars().str.to_lowercase()
    indices = {word: SPLITS.index(split) for word, split in SPLIT_NAMES.items()}
    splits = found.replace_strict(indices, default=-1, return_dtype=pl.Int64)
    splits = splits.set(found.is_null(), -1)
    wrong = (splits == -1).arg_true().to_list()
    if wrong:
        kinds = words.gather(wrong).unique(maintain_order=True).to_list()
        shown = ", ".join(
            "an empty cell" if one is None else f"'{shorten(one)}'" for one in kinds[:_MAX_NAMED]
        )
        more = f" and {len(kinds) - _MAX_NAMED:,} more" if len(kinds) > _MAX_NAMED else ""
        raise DataError(
            f"{where}: {len(wrong):,} rows, the first of them row {wrong[0] + 1:,}, have {shown}"
            f"{more}. Expected train, validation (or valid, val, dev) or test in each."
        )
    if not (splits == 0).any():
        raise DataError(f"{where}: no row is `train`, so there is nothing to train on.")
    return splits.to_numpy(writable=True)


def folds_in_column(words: pl.Series, names: Sequence[str], fold: Fold, where: str) -> np.ndarray:
    """The fold of each row, from a column with numbers or names of folds.

    Args:
        words: The column, as strings.
        names: Its distinct values, in the order of the folds.
        fold: The number of folds that the config expects.
        where: The column, for errors.

    Returns:
        int64 `[rows]`, counted from 0.

    Raises:
        DataError: The column has empty cells, or another number of folds.
    """
    empty = words.is_null().arg_true()
    if len(empty):
        raise DataError(f"{where} is empty in {len(empty):,} rows, such as row {empty[0] + 1:,}.")
    if len(names) != fold.of:
        shown = ", ".join(f"'{shorten(name)}'" for name in names[:_MAX_NAMED])
        more = f" and {len(names) - _MAX_NAMED:,} more" if len(names) > _MAX_NAMED else ""
        raise DataError(
            f"{where} has {len(names):,} folds, {shown}{more}; `source.fold.of` is {fold.of}."
        )
    indices = words.cast(pl.Enum(names)).to_physical().cast(pl.Int64)
    return indices.to_numpy(writable=True)
