"""Cuts a split off another one, so that each class keeps its share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmzoo.errors import DataError

if TYPE_CHECKING:
    import numpy as np


def stratified_cut(
    classes: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draws `fraction` of the rows of every class.

    The whole cut has `round(rows * fraction)` rows; what is left after rounding down goes to the
    classes that lost most by it. Both parts keep the order of the rows.

    Args:
        classes: int64 `[rows]`, the class of each row.
        fraction: Between 0 and 1.
        seed: Decides which rows of a class are drawn.

    Returns:
        Rows kept and rows cut, int64, ascending.

    Raises:
        DataError: A class would have no row in one of the parts.
    """
    import numpy as np

    names, members = np.unique(classes, return_counts=True)
    shares = members * fraction
    taken = np.floor(shares).astype(np.int64)
    left = round(len(classes) * fraction) - int(taken.sum())
    taken[np.argsort(taken - shares, kind="stable")[:left]] += 1
    emptied = np.flatnonzero((taken < 1) | (taken >= members))
    if emptied.size:
        worst = emptied[np.argmin(members[emptied])]
        raise DataError(
            f"a share of {fraction:g} takes {taken[worst]:,} of the {members[worst]:,} examples of "
            f"class {names[worst]}; at least 1 must be taken and 1 left: "
            f"{_mend(int(members.min()))}"
        )

    drawn = np.random.RandomState(seed).permutation(len(classes))
    by_class = drawn[np.argsort(classes[drawn], kind="stable")]
    first_of_class = np.repeat(np.cumsum(members) - members, members)
    is_cut = np.arange(len(classes)) - first_of_class < np.repeat(taken, members)
    return np.sort(by_class[~is_cut]), np.sort(by_class[is_cut])


def _mend(smallest: int) -> str:
    if smallest < 2:
        return "no share will do, as a class has a single example"
    return f"take a share from 1/{smallest} to {smallest - 1}/{smallest}"
