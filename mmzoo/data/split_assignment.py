"""Assigns rows to train, validation and test splits where the source does not provide them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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


def fill_missing_splits(
    name: str,
    given: np.ndarray,
    shares: Mapping[str, float],
    seed: int,
    by: str | None = None,
    classes: np.ndarray | None = None,
    class_names: Sequence[str] = (),
    grouped_by: str | None = None,
    groups: np.ndarray | None = None,
) -> tuple[np.ndarray, dict[str, tuple[float, int]], tuple[str, ...]]:
    """Samples the missing test and validation splits of a data set from its training split.

    Args:
        name: The data set's name.
        given: int64 `[rows]`, the split of each row as an index into `SPLITS`.
        shares: Split -> share of the training rows; `validation` is sampled after `test`.
        seed: Decides which rows are validation rows.
        by: The column of classes to stratify by; None to sample at random.
        classes: int64 `[rows]`, the values of that column.
        class_names: The names of those classes, for notes.
        grouped_by: The column whose equal values stay in one split, if any.
        groups: int64 `[rows]`, the values of that column. With groups, classes are ignored.

    Returns:
        The split of each row; split -> share and seed, for sampled splits; a sentence on each.

    Raises:
        DataError: No class has two rows, or there is only one row or group.
    """
    how = "at random" if by is None else f"stratified by {by}"
    if groups is not None:
        how, classes = f"grouped by {grouped_by}", None
    given, sampled, notes = given.copy(), {}, []
    drawn_from = given == 0
    for split, split_seed in (("test", TEST_SEED), ("validation", seed)):
        index = SPLITS.index(split)
        if (given == index).any():
            continue
        free = np.flatnonzero(given == 0)
        try:
            _, drawn = hold_out(
                len(free), shares[split], split_seed, _take(classes, free), _take(groups, free)
            )
        except DataError as error:
            raise DataError(f"source.{split}: {error}") from error
        given[free[drawn]] = index
        sampled[split] = (shares[split], split_seed)
        notes.append(
            f"{name} has no {split} split: held out {len(drawn):,} of {len(free):,} training "
            f"examples, {how}, seed {split_seed}"
        )
    if classes is not None and sampled:
        rare = _rare_classes(classes[drawn_from], class_names, 1 + len(sampled))
        notes += [f"{name}: {clause}" for clause in rare]
    return given, sampled, tuple(notes)


def assign_splits(
    given: np.ndarray,
    usable: np.ndarray,
    split: TableSplit,
    fold: Fold | None,
    seed: int,
    *,
    folds: np.ndarray | None = None,
    classes: np.ndarray | None = None,
    class_names: Sequence[str] = (),
    known: np.ndarray | None = None,
    group_names: pl.Series | None = None,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Assigns the rows of a table to train, validation and test splits.

    Args:
        given: int64 `[rows]`, the split of each row in the table, as an index into `SPLITS`; 0 if
            the table does not assign one.
        usable: bool `[rows]`, the rows that may be sampled; all others keep their split.
        split: The shares of sampled splits.
        fold: The test fold, for cross-validation.
        seed: Decides which rows are validation rows.
        folds: int64 `[rows]`, the fold of each row, counted from 0, if a column has it.
        classes: int64 `[rows]`, the class of each row, to stratify by.
        class_names: The names of the classes, for notes.
        known: bool `[rows]`, False for rows of unknown classes, which may have only one row.
        group_names: The name of each row's group, if rows are grouped.

    Returns:
        int64 `[rows]`, the split of each row; and clauses on the splits that were sampled.

    Raises:
        DataError: There are too few rows.
    """
    given, notes = given.copy(), []
    groups = None
    if group_names is not None:
        groups = group_names.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    has = {name: bool((given == index).any()) for index, name in enumerate(SPLITS)}
    if fold is not None:
        if folds is None:
            free = np.flatnonzero(usable & (given == 0))
            if groups is None and len(free) < fold.of:
                raise DataError(
                    f"source.fold: {len(free):,} rows cannot be split into {fold.of} folds."
                )
            folds = np.full(len(given), -1)
            folds[free] = assign_folds(
                len(free), fold.of, _take(classes, free), _take(groups, free)
            )
        given[(folds == fold.index - 1) & usable] = SPLITS.index("test")
        has["test"] = True
        notes.append(f"fold {fold.index} of {fold.of} is the test split")
    drawn_from = usable & (given == 0)
    pool = int(drawn_from.sum())
    how = "at random" if classes is None else "stratified by class"
    how += "" if groups is None else f", grouped by {split.group}"
    for name, split_seed in (("test", TEST_SEED), ("validation", seed)):
        if has[name]:
            continue
        free = np.flatnonzero(usable & (given == 0))
        if classes is not None and known is not None and groups is None:
            _, class_of, rows = np.unique(classes[free], return_inverse=True, return_counts=True)
            free = free[known[free] | (rows[class_of] > 1)]
        share = min(getattr(split, name) * pool / max(len(free), 1), 1.0)
        try:
            _, drawn = hold_out(
                len(free), share, split_seed, _take(classes, free), _take(groups, free)
            )
        except DataError as error:
            raise DataError(f"source.split.{name}: {error}") from error
        given[free[drawn]] = SPLITS.index(name)
        notes.append(
            f"held out {len(drawn):,} of {pool:,} rows for {name}, {how}, seed {split_seed}"
        )
    if groups is not None and group_names is not None:
        notes += _shared_groups(given, usable, groups, group_names, split.group)
    elif classes is not None:
        drawn_from &= classes < len(class_names)
        sampled = 2 - has["test"] - has["validation"]
        notes += _rare_classes(classes[drawn_from], class_names, 1 + sampled)
    return given, tuple(notes)


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


def _rare_classes(classes: np.ndarray, names: Sequence[str], splits: int) -> Iterator[str]:
    """A clause on classes with fewer rows than there are splits."""
    ids, rows = np.unique(classes, return_counts=True)
    rare = [
        f"'{shorten(names[index]) if names else index}' ({count} {'row' if count == 1 else 'rows'})"
        for index, count in zip(ids.tolist(), rows.tolist(), strict=True)
        if count < splits
    ]
    if rare:
        more = f" and {len(rare) - _MAX_NAMED:,} more" if len(rare) > _MAX_NAMED else ""
        have = "1 class has" if len(rare) == 1 else f"{len(rare):,} classes have"
        yield f"{have} too few rows to be in every split: {', '.join(rare[:_MAX_NAMED])}{more}"


def _shared_groups(
    given: np.ndarray,
    usable: np.ndarray,
    groups: np.ndarray,
    names: pl.Series,
    column: str | None,
) -> Iterator[str]:
    """A clause on groups with rows in several splits, which a column or files may assign."""
    pairs = np.unique(np.stack([groups[usable], given[usable]]), axis=1)
    found, counts = np.unique(pairs[0], return_counts=True)
    shared = found[counts > 1]
    if len(shared):
        row = int(np.flatnonzero(groups == shared[0])[0])
        yield (
            f"{len(shared):,} values of `{column}` have rows in several splits, as "
            f"`source.split` assigns them, such as '{shorten(str(names[row]))}'"
        )
