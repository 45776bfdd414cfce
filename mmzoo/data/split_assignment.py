"""Assigns rows to train, validation and test splits where the source does not provide them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from mmzoo.data.splits import SPLITS, TEST_SEED, Fold, assign_folds, hold_out
from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.spec.wording import shorten

_MAX_NAMED = 5
"""Most classes that a message names."""


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
        by: The noun for the classes in messages.
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

        The only row, or the only group, of a class is for training in all assigned folds.

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
            held_out = free[folds[free] == fold.index - 1]
            folds[np.setdiff1d(held_out, self._keep_classes(free, held_out))] = -1
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
        return self._keep_classes(rows, rows[drawn])

    def _keep_classes(self, rows: np.ndarray, held_out: np.ndarray) -> np.ndarray:
        """The held-out rows without groups that the others need to have every class.

        Of each class that only held-out rows have, its smallest group is not held out; unless
        nothing would be left. Without groups, `hold_out` itself keeps a row of each class.
        """
        if self.classes is None or self.group_ids is None:
            return held_out
        kept = held_out
        rest = np.setdiff1d(rows, held_out)
        classes = np.setdiff1d(self.classes[held_out], self.classes[rest])
        for one in classes[classes < len(self.class_names)]:
            if (self.classes[rest] == one).any():
                continue  # A group that was returned for another class has it too.
            has_it = np.isin(self.group_ids[kept], self.group_ids[kept[self.classes[kept] == one]])
            groups, sizes = np.unique(self.group_ids[kept[has_it]], return_counts=True)
            returned = self.group_ids[kept] == groups[sizes.argmin()]
            rest, kept = np.append(rest, kept[returned]), kept[~returned]
        return kept if len(kept) else held_out

    def without_single_unknown(self, rows: np.ndarray) -> np.ndarray:
        """The rows, without the only row of a class that the model does not know."""
        if self.classes is None or self.known is None or self.groups is not None:
            return rows
        _, class_of, counts = np.unique(self.classes[rows], return_inverse=True, return_counts=True)
        return rows[self.known[rows] | (counts[class_of] > 1)]


@dataclass(frozen=True)
class Assignment:
    """Rows assigned to splits; can be repeated when more rows turn out to be unusable.

    Attributes:
        splits: int64 `[rows]`, the split of each row, as an index into `SPLITS`.
        sampled: Split -> share and seed, for sampled splits.
        notes: Sentences on the splits that were sampled.
        info: The rows.
        assign: Assigns such rows in the same way.
    """

    splits: np.ndarray
    sampled: Mapping[str, tuple[float, int]]
    notes: tuple[str, ...]
    info: SplitInfo
    assign: Callable[[SplitInfo], Assignment]

    def take(self, rows: np.ndarray) -> Assignment:
        """The assignment of these rows, in this order."""
        return replace(self, splits=self.splits[rows], info=self.info.take(rows))

    def with_usable(self, usable: np.ndarray) -> Assignment:
        """The splits assigned again; bool `[rows]`, only these rows may be sampled."""
        return self.assign(replace(self.info, usable=usable))


def assign_splits(
    name: str,
    info: SplitInfo,
    shares: Mapping[str, float],
    seed: int,
    fold: Fold | None = None,
    *,
    is_table: bool = False,
) -> Assignment:
    """Samples the test and validation splits that neither the source nor a fold gives.

    Args:
        name: The data set's name.
        info: Its rows.
        shares: Split -> share. Of a table, both are shares of all rows without a given split; else
            `validation` is a share of what remains after `test`.
        seed: Decides which rows are validation rows.
        fold: The test fold, for cross-validation.
        is_table: Whether the rows are those of a table.

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
    for split, split_seed in (("test", TEST_SEED), ("validation", seed)):
        if not has[split]:
            pool = len(drawn_from) if is_table else None
            drawn, of = _sample(info, given, split, shares[split], split_seed, pool)
            given[drawn] = SPLITS.index(split)
            sampled[split] = (shares[split], split_seed)
            start = f"{name}:" if is_table else f"{name} has no {split} split:"
            rows = f"rows for {split}" if is_table else "training examples"
            notes.append(
                f"{start} held out {len(drawn):,} of {of:,} {rows}, {info.how}, seed {split_seed}"
            )
    clauses = [*_rare_classes(info, drawn_from, 1 + len(sampled))] if sampled else []
    if is_table:
        clauses += _shared_groups(info, given)
    notes += [f"{name}: {clause}" for clause in clauses]
    again = partial(assign_splits, name, shares=shares, seed=seed, fold=fold, is_table=is_table)
    return Assignment(given, sampled, tuple(notes), info, again)


def _sample(
    info: SplitInfo, given: np.ndarray, split: str, share: float, seed: int, pool: int | None
) -> tuple[np.ndarray, int]:
    """Samples a split; returns its rows, and the number of rows that `share` refers to.

    That number is `pool`, by default the number of remaining rows.
    """
    rows = info.free(given)
    of = len(rows)
    if pool is not None:
        rows, of = info.without_single_unknown(rows), pool
        share = min(share * pool / max(len(rows), 1), 1.0)
    try:
        return info.hold_out(rows, share, seed), of
    except DataError as error:
        field = "source" if pool is None else "source.split"
        raise DataError(f"{field}.{split}: {error}") from error


def _rare_classes(info: SplitInfo, rows: np.ndarray, splits: int) -> Iterator[str]:
    """A clause on classes with fewer rows, or groups, than there are splits."""
    if info.classes is None:
        return
    classes, unit = info.classes[rows], "row"
    if info.group_ids is not None:
        classes = np.unique(np.stack([classes, info.group_ids[rows]]), axis=1)[0]
        unit = "group"
    ids, counts = np.unique(classes, return_counts=True)
    rare = [
        f"'{shorten(info.class_names[index])}' ({count} {unit}{'s' * (count > 1)})"
        for index, count in zip(ids.tolist(), counts.tolist(), strict=True)
        if count < splits and index < len(info.class_names)
    ]
    if rare:
        more = f" and {len(rare) - _MAX_NAMED:,} more" if len(rare) > _MAX_NAMED else ""
        have = "1 class has" if len(rare) == 1 else f"{len(rare):,} classes have"
        shown = ", ".join(rare[:_MAX_NAMED])
        yield f"{have} too few {unit}s to be in every split: {shown}{more}"


def _take(values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if values is None else values[rows]


def _shared_groups(info: SplitInfo, splits: np.ndarray) -> Iterator[str]:
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
