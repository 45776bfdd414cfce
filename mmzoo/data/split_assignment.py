"""Assigns rows to train, validation and test splits where the source does not provide them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated

from annotated_types import Gt, Lt, MinLen

from mmzoo.data.splits import SPLITS, TEST_SEED, Fold, assign_folds, hold_out
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
"""Most values or classes that a message names."""

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


@dataclass(frozen=True)
class SplitInfo:
    """The facts of each row that sampling the missing splits depends on.

    Attributes:
        given: int64 `[rows]`, the split that the source gives each row, as an index into `SPLITS`;
            0 if it gives none.
        usable: bool `[rows]`, the rows that may be sampled; others keep their split. None for all.
        folds: int64 `[rows]`, the fold of each row, counted from 0, if the source has folds.
        classes: int64 `[rows]`, the classes to stratify by; None to sample at random.
        class_names: The names of the classes, for notes.
        by: What messages call the classes.
        known: bool `[rows]`, False for rows of unknown classes, which may have only one row.
        groups: `[rows]`, the name of each row's group; rows of a group are sampled together.
        grouped_by: The column of the groups.
    """

    given: np.ndarray
    usable: np.ndarray | None = None
    folds: np.ndarray | None = None
    classes: np.ndarray | None = None
    class_names: Sequence[str] = ()
    by: str = "class"
    known: np.ndarray | None = None
    groups: pl.Series | None = None
    grouped_by: str | None = None

    @cached_property
    def group_ids(self) -> np.ndarray | None:
        """int64 `[rows]`, or None."""
        if self.groups is None:
            return None
        return self.groups.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()

    @property
    def how(self) -> str:
        """How rows are sampled, for messages."""
        parts = [f"stratified by {self.by}"] if self.classes is not None else []
        parts += [f"grouped by {self.grouped_by}"] if self.groups is not None else []
        return ", ".join(parts) or "at random"

    def take(self, rows: np.ndarray) -> SplitInfo:
        """The information on these rows, in this order."""
        return replace(
            self,
            given=self.given[rows],
            usable=_take(self.usable, rows),
            folds=_take(self.folds, rows),
            classes=_take(self.classes, rows),
            known=_take(self.known, rows),
            groups=None if self.groups is None else self.groups.gather(rows),
        )

    def free(self, given: np.ndarray) -> np.ndarray:
        """The usable training rows."""
        return np.flatnonzero((given == 0) & (True if self.usable is None else self.usable))

    def of_fold(self, fold: Fold) -> np.ndarray:
        """bool `[rows]`, the rows of a fold: of the source's folds, or assigned here.

        The only row of a class is a training row in all assigned folds.

        Raises:
            DataError: There are fewer rows or groups than folds.
        """
        folds = self.folds
        if folds is None:
            free = self.free(self.given)
            if self.groups is None and len(free) < fold.of:
                raise DataError(
                    f"source.fold: {len(free):,} rows cannot be split into {fold.of} folds."
                )
            folds = np.full(len(self.given), -1)
            folds[free] = assign_folds(
                len(free), fold.of, _take(self.classes, free), _take(self.group_ids, free)
            )
            folds[self._only_of_class(free)] = -1
        return (folds == fold.index - 1) & (True if self.usable is None else self.usable)

    def _only_of_class(self, rows: np.ndarray) -> np.ndarray:
        """The rows, among these, that are the only one of their class."""
        if self.classes is None or self.groups is not None:
            return rows[:0]
        _, class_of, counts = np.unique(self.classes[rows], return_inverse=True, return_counts=True)
        return rows[(counts[class_of] == 1) & (self.classes[rows] < len(self.class_names))]

    def hold_out(self, rows: np.ndarray, share: float, seed: int) -> np.ndarray:
        """Samples a share of some rows."""
        _, drawn = hold_out(
            len(rows),
            share,
            seed,
            _take(self.classes, rows),
            _take(self.group_ids, rows),
        )
        return rows[drawn]

    def without_single_unknown(self, rows: np.ndarray) -> np.ndarray:
        """The rows, without the only row of a class that the model does not know."""
        if self.classes is None or self.known is None or self.groups is not None:
            return rows
        _, class_of, counts = np.unique(self.classes[rows], return_inverse=True, return_counts=True)
        return rows[self.known[rows] | (counts[class_of] > 1)]


def assign_splits(
    name: str,
    info: SplitInfo,
    shares: Mapping[str, float],
    seed: int,
    fold: Fold | None = None,
    *,
    is_table: bool = False,
) -> tuple[np.ndarray, dict[str, tuple[float, int]], tuple[str, ...]]:
    """Samples the test and validation splits that neither the source nor a fold gives.

    Args:
        name: The data set's name.
        info: Its rows.
        shares: Split -> share. Of a table, both are shares of all rows without a given split; else
            `validation` is a share of what remains after `test`.
        seed: Decides which rows are validation rows.
        fold: The test fold, for cross-validation.
        is_table: Whether the rows are those of a table.

    Returns:
        int64 `[rows]`, the split of each row; split -> share and seed, for sampled splits; and
        sentences on the splits that were sampled.

    Raises:
        DataError: No class has two rows, or there are too few rows or groups.
    """
    given, sampled, notes = info.given.copy(), {}, []
    has = {split: bool((given == index).any()) for index, split in enumerate(SPLITS)}
    if fold is not None:
        given[info.of_fold(fold)] = SPLITS.index("test")
        has["test"] = True
        notes.append(f"{name}: fold {fold.index} of {fold.of} is the test split")
    drawn_from = info.free(given)
    pool = len(drawn_from)
    for split, split_seed in (("test", TEST_SEED), ("validation", seed)):
        if has[split]:
            continue
        rows = info.free(given)
        share, of = shares[split], len(rows)
        if is_table:
            rows, of = info.without_single_unknown(rows), pool
            share = min(share * pool / max(len(rows), 1), 1.0)
        try:
            drawn = info.hold_out(rows, share, split_seed)
        except DataError as error:
            field = "source.split" if is_table else "source"
            raise DataError(f"{field}.{split}: {error}") from error
        given[drawn] = SPLITS.index(split)
        sampled[split] = (shares[split], split_seed)
        held_out = f"held out {len(drawn):,} of {of:,}"
        notes.append(
            f"{name}: {held_out} rows for {split}, {info.how}, seed {split_seed}"
            if is_table
            else f"{name} has no {split} split: {held_out} training examples, {info.how}, seed "
            f"{split_seed}"
        )
    if sampled:
        notes += [
            f"{name}: {clause}" for clause in _rare_classes(info, drawn_from, 1 + len(sampled))
        ]
    return given, sampled, tuple(notes)


def _rare_classes(info: SplitInfo, rows: np.ndarray, splits: int) -> Iterator[str]:
    """A clause on classes with fewer rows than there are splits."""
    if info.classes is None or info.groups is not None:
        return
    ids, counts = np.unique(info.classes[rows], return_counts=True)
    rare = [
        f"'{shorten(info.class_names[index])}' ({count} {'row' if count == 1 else 'rows'})"
        for index, count in zip(ids.tolist(), counts.tolist(), strict=True)
        if count < splits and index < len(info.class_names)
    ]
    if rare:
        more = f" and {len(rare) - _MAX_NAMED:,} more" if len(rare) > _MAX_NAMED else ""
        have = "1 class has" if len(rare) == 1 else f"{len(rare):,} classes have"
        yield f"{have} too few rows to be in every split: {', '.join(rare[:_MAX_NAMED])}{more}"


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


def _take(values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if values is None else values[rows]


def shared_groups(info: SplitInfo, splits: np.ndarray) -> Iterator[str]:
    """A clause on groups with rows in several splits, which a column or files may assign."""
    if info.groups is None or info.group_ids is None:
        return
    usable = np.ones(len(splits), bool) if info.usable is None else info.usable
    pairs = np.unique(np.stack([info.group_ids[usable], splits[usable]]), axis=1)
    found, counts = np.unique(pairs[0], return_counts=True)
    shared = found[counts > 1]
    if len(shared):
        row = int(np.flatnonzero(info.group_ids == shared[0])[0])
        yield (
            f"{len(shared):,} values of `{info.grouped_by}` have rows in several splits, as "
            f"`source.split` assigns them, such as '{shorten(str(info.groups[row]))}'"
        )
