"""Cuts and folds that keep groups of rows together: all of a patient's in one split."""

from __future__ import annotations

import heapq

from mmzoo.errors import DataError
from mmzoo.lazy import np

_SEED = 0
"""The same folds in every run, so that runs on all of them test each example once."""


def grouped_cut(
    groups: np.ndarray, fraction: float, seed: int, classes: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Draws whole groups that have about `fraction` of the rows.

    With classes, a group counts to that which most of its rows have, and the groups of each class
    are cut by themselves. One with a single group keeps it.

    Args:
        groups: int64 `[rows]`, the group of each row.
        fraction: Between 0 and 1.
        seed: Decides which groups are drawn.
        classes: int64 `[rows]`.

    Returns:
        Rows kept and rows cut, int64, ascending.

    Raises:
        DataError: There is a single group.
    """

    numbers, sizes, strata = _described(groups, classes)
    if len(sizes) < 2:
        raise DataError("nothing can be cut off a single group: add others, or leave `group` out")
    drawn = np.random.RandomState(seed).permutation(len(sizes))
    is_cut = np.zeros(len(sizes), bool)
    for stratum in np.unique(strata):
        members = drawn[strata[drawn] == stratum]
        if len(members) > 1:
            wanted = sizes[members].sum() * fraction
            # Of all first so many groups, those that come nearest to the share; never all, or none.
            taken = 1 + int(np.abs(np.cumsum(sizes[members[:-1]]) - wanted).argmin())
            is_cut[members[:taken]] = True
    if not is_cut.any():  # Each class has a single group.
        is_cut[drawn[np.abs(sizes[drawn] - len(groups) * fraction).argmin()]] = True
    rows = is_cut[numbers]
    return np.flatnonzero(~rows), np.flatnonzero(rows)


def dealt_groups(groups: np.ndarray, of: int, classes: np.ndarray | None = None) -> np.ndarray:
    """Deals whole groups into folds of about equal size, the same ones whenever it is asked.

    Large groups are dealt first, each to the fold that has fewest rows: of its class, where there
    are classes, and then in all.

    Args:
        groups: int64 `[rows]`, the group of each row.
        of: How many folds.
        classes: int64 `[rows]`.

    Returns:
        int64 `[rows]`, the fold of each row, counted from 0.

    Raises:
        DataError: There are fewer groups than folds.
    """

    numbers, sizes, strata = _described(groups, classes)
    if len(sizes) < of:
        raise DataError(f"source.fold: {len(sizes):,} groups cannot be dealt into {of} folds.")
    drawn = np.random.RandomState(_SEED).permutation(len(sizes))
    drawn = drawn[np.lexsort((-sizes[drawn], strata[drawn]))]
    fold_of = np.zeros(len(sizes), np.int64)
    in_all = [0] * of
    for stratum in np.unique(strata):
        smallest = [(0, in_all[fold], fold) for fold in range(of)]
        heapq.heapify(smallest)
        for group in drawn[strata[drawn] == stratum].tolist():
            rows, _, fold = smallest[0]
            in_all[fold] += int(sizes[group])
            heapq.heapreplace(smallest, (rows + int(sizes[group]), in_all[fold], fold))
            fold_of[group] = fold
    return fold_of[numbers]


def _described(
    groups: np.ndarray, classes: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each row the number of its group; of each group its size and most frequent class."""

    _, numbers, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if classes is None:
        return numbers, sizes, np.zeros(len(sizes), np.int64)
    _, known = np.unique(classes, return_inverse=True)
    width = int(known.max()) + 1
    pairs, counts = np.unique(numbers * width + known, return_counts=True)
    group, its_class = pairs // width, pairs % width
    # The last of each group is its most frequent class, the lower one where two are.
    order = np.lexsort((-its_class, counts, group))
    last = np.searchsorted(group[order], np.arange(len(sizes)), side="right") - 1
    return numbers, sizes, its_class[order][last]
