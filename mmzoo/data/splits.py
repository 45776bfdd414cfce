"""Splits: hold-out samples and cross-validation folds, random, stratified by class or grouped."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Annotated

from annotated_types import Ge, Le

from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.spec import Problem, Spec

SPLITS = ("train", "validation", "test")
TEST_SEED = 0
"""The seed of test splits: the same in every run, so that runs of several seeds are comparable."""
_FOLD_SEED = 0
"""The seed of folds: the same in every run, so that together they test each example once."""


class Fold(Spec):
    """A fold of a k-fold cross-validation: the test split, with the other folds for training."""

    index: Annotated[int, Ge(1)]
    """The fold that is the test split, counted from 1."""
    of: Annotated[int, Ge(2), Le(1_000)] = 10
    """Number of folds."""

    def rules(self) -> Iterator[Problem]:
        if self.index > self.of:
            yield Problem(("index",), f"expected at most {self.of}, the number of folds")


def hold_out(
    rows: int,
    fraction: float,
    seed: int,
    classes: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Holds out a fraction of the rows: whole groups if given, else stratified by class if given.

    Args:
        rows: Number of rows.
        fraction: Between 0 and 1.
        seed: Decides which rows are held out.
        classes: int64 `[rows]`, the class of each row.
        groups: int64 `[rows]`, the group of each row.

    Returns:
        Remaining rows and held-out rows, int64, ascending.

    Raises:
        DataError: No class has two rows, or there is only one row or group.
    """
    if groups is not None:
        return hold_out_groups(groups, fraction, seed, classes)
    if classes is not None:
        return hold_out_stratified(classes, fraction, seed)
    return hold_out_random(rows, fraction, seed)


def hold_out_stratified(
    classes: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Holds out a fraction of the rows of every class.

    In total `round(rows * fraction)` rows are held out. The counts of the classes are rounded
    down, and the rest goes to the classes with the largest remainders. Every class has at least
    one row in both parts; the row of a class that has no other remains.

    Args:
        classes: int64 `[rows]`, the class of each row.
        fraction: Between 0 and 1.
        seed: Decides which rows of a class are held out.

    Returns:
        Remaining rows and held-out rows, int64, ascending.

    Raises:
        DataError: No class has two rows.
    """
    _, members = np.unique(classes, return_counts=True)
    if (members < 2).all():
        raise DataError(
            "no class has two examples left, so none can be held out: add examples, or provide "
            "the splits"
        )
    shares = members * fraction
    counts = np.floor(shares).astype(np.int64)
    remainder = round(len(classes) * fraction) - int(counts.sum())
    counts[np.argsort(counts - shares, kind="stable")[:remainder]] += 1
    counts = np.clip(counts, np.minimum(1, members - 1), members - 1)

    order = np.random.RandomState(seed).permutation(len(classes))
    by_class = order[np.argsort(classes[order], kind="stable")]
    first_of_class = np.repeat(np.cumsum(members) - members, members)
    held_out = np.arange(len(classes)) - first_of_class < np.repeat(counts, members)
    return np.sort(by_class[~held_out]), np.sort(by_class[held_out])


def hold_out_random(rows: int, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Holds out a fraction of the rows. Both parts have at least one row.

    Args:
        rows: Number of rows.
        fraction: Between 0 and 1.
        seed: Decides which rows are held out.

    Returns:
        Remaining rows and held-out rows, int64, ascending.

    Raises:
        DataError: There is only one row.
    """
    if rows < 2:
        raise DataError("a single example cannot be split: add examples")
    order = np.random.RandomState(seed).permutation(rows)
    count = min(max(round(rows * fraction), 1), rows - 1)
    return np.sort(order[count:]), np.sort(order[:count])


def hold_out_groups(
    groups: np.ndarray, fraction: float, seed: int, classes: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Holds out whole groups that have about a fraction of the rows.

    With classes, groups are stratified by their most frequent class. The group of a class that has
    only one is not held out.

    Args:
        groups: int64 `[rows]`, the group of each row.
        fraction: Between 0 and 1.
        seed: Decides which groups are held out.
        classes: int64 `[rows]`.

    Returns:
        Remaining rows and held-out rows, int64, ascending.

    Raises:
        DataError: There is only one group.
    """
    group_ids, sizes, strata = _describe_groups(groups, classes)
    if len(sizes) < 2:
        raise DataError("a single group cannot be split: add others, or leave out `group`")
    order = np.random.RandomState(seed).permutation(len(sizes))
    held_out = np.zeros(len(sizes), bool)
    for stratum in np.unique(strata):
        members = order[strata[order] == stratum]
        if len(members) > 1:
            target = sizes[members].sum() * fraction
            # The number of groups whose total size is nearest to the target: neither none nor all.
            count = 1 + int(np.abs(np.cumsum(sizes[members[:-1]]) - target).argmin())
            held_out[members[:count]] = True
    if not held_out.any():  # Each class has a single group.
        held_out[order[np.abs(sizes[order] - len(groups) * fraction).argmin()]] = True
    rows = held_out[group_ids]
    return np.flatnonzero(~rows), np.flatnonzero(rows)


def assign_folds(
    rows: int,
    of: int,
    classes: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Assigns rows to folds, always in the same way.

    Fold sizes differ by one row at most, in total and per class. With groups, see
    `assign_group_folds`.

    Args:
        rows: Number of rows.
        of: Number of folds.
        classes: int64 `[rows]`, the class of each row, to stratify by.
        groups: int64 `[rows]`, the group of each row.

    Returns:
        int64 `[rows]`, the fold of each row, counted from 0.

    Raises:
        DataError: There are fewer groups than folds.
    """
    if groups is not None:
        return assign_group_folds(groups, of, classes)
    order = np.random.RandomState(_FOLD_SEED).permutation(rows)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    folds = np.empty(rows, np.int64)
    folds[order] = np.arange(rows) % of
    return folds


def assign_group_folds(
    groups: np.ndarray, of: int, classes: np.ndarray | None = None
) -> np.ndarray:
    """Assigns whole groups to folds of about equal size, always in the same way.

    Groups are assigned by descending size, each to the fold with the fewest rows: of the group's
    most frequent class, if there are classes, then in total.

    Args:
        groups: int64 `[rows]`, the group of each row.
        of: Number of folds.
        classes: int64 `[rows]`.

    Returns:
        int64 `[rows]`, the fold of each row, counted from 0.

    Raises:
        DataError: There are fewer groups than folds.
    """
    group_ids, sizes, strata = _describe_groups(groups, classes)
    if len(sizes) < of:
        raise DataError(f"source.fold: {len(sizes):,} groups cannot be split into {of} folds.")
    order = np.random.RandomState(_FOLD_SEED).permutation(len(sizes))
    order = order[np.lexsort((-sizes[order], strata[order]))]
    fold_of = np.zeros(len(sizes), np.int64)
    totals = [0] * of
    for stratum in np.unique(strata):
        smallest = [(0, totals[fold], fold) for fold in range(of)]
        heapq.heapify(smallest)
        for group in order[strata[order] == stratum].tolist():
            rows, _, fold = smallest[0]
            totals[fold] += int(sizes[group])
            heapq.heapreplace(smallest, (rows + int(sizes[group]), totals[fold], fold))
            fold_of[group] = fold
    return fold_of[group_ids]


def _describe_groups(
    groups: np.ndarray, classes: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The group id of each row; and the size and most frequent class of each group."""
    _, group_ids, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if classes is None:
        return group_ids, sizes, np.zeros(len(sizes), np.int64)
    _, class_ids = np.unique(classes, return_inverse=True)
    width = int(class_ids.max()) + 1
    pairs, counts = np.unique(group_ids * width + class_ids, return_counts=True)
    group, its_class = pairs // width, pairs % width
    # Sorted so that the last pair of each group has its most frequent class, the lower if tied.
    order = np.lexsort((-its_class, counts, group))
    last = np.searchsorted(group[order], np.arange(len(sizes)), side="right") - 1
    return group_ids, sizes, its_class[order][last]
