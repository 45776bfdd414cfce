"""Cuts splits off the training split, so that each class keeps its share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mmzoo.errors import DataError
from mmzoo.sources.data import Splits

if TYPE_CHECKING:
    import numpy as np

_TEST_SEED = 0
"""The same test split in every run, so that runs of several seeds can be compared."""


def cut_missing_splits(
    name: str,
    splits: Splits,
    by: str,
    class_names: Sequence[str],
    shares: Mapping[str, float],
    seed: int,
) -> tuple[dict[str, tuple[float, int]], tuple[str, ...]]:
    """Cuts the test and validation splits that there are not off the training split, in place.

    Args:
        name: What the data are called.
        splits: With `train`; all other splits are left as they are.
        by: The column of classes that are to keep their shares.
        class_names: Of those classes.
        shares: Of the training examples, for `test` and then, of those left, for `validation`.
        seed: Decides which examples are cut off for validation.

    Returns:
        The share and seed of each split that was cut, and a sentence on each.

    Raises:
        DataError: A class would have no row in one of the parts.
    """
    cuts, notes = {}, []
    for split, split_seed in (("test", _TEST_SEED), ("validation", seed)):
        if split in splits:
            continue
        train = splits["train"]
        try:
            kept, cut = stratified_cut(train[by], shares[split], split_seed, class_names)
        except DataError as error:
            raise DataError(f"source.{split}: {error}") from error
        splits[split] = {column: values[cut] for column, values in train.items()}
        # A column at a time, so that only one is in memory twice.
        for column in train:
            train[column] = train[column][kept]
        cuts[split] = (shares[split], split_seed)
        notes.append(
            f"{name} has no {split} split of its own: cut {len(cut):,} of "
            f"{len(cut) + len(kept):,} training examples, stratified by {by}, seed {split_seed}"
        )
    return cuts, tuple(notes)


def stratified_cut(
    classes: np.ndarray, fraction: float, seed: int, class_names: Sequence[str] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Draws `fraction` of the rows of every class.

    The whole cut has `round(rows * fraction)` rows; what is left after rounding down goes to the
    classes that lost most by it. Both parts keep the order of the rows.

    Args:
        classes: int64 `[rows]`, the class of each row.
        fraction: Between 0 and 1.
        seed: Decides which rows of a class are drawn.
        class_names: The name of class 0, 1, ... for the error; their numbers serve without.

    Returns:
        Rows kept and rows cut, int64, ascending.

    Raises:
        DataError: A class would have no row in one of the parts.
    """
    import numpy as np

    present, members = np.unique(classes, return_counts=True)
    shares = members * fraction
    taken = np.floor(shares).astype(np.int64)
    left = round(len(classes) * fraction) - int(taken.sum())
    taken[np.argsort(taken - shares, kind="stable")[:left]] += 1
    emptied = np.flatnonzero((taken < 1) | (taken >= members))
    if emptied.size:
        worst = emptied[np.argmin(members[emptied])]
        name = f"'{class_names[present[worst]]}'" if class_names else present[worst]
        raise DataError(
            f"a share of {fraction:g} takes {taken[worst]:,} of the {members[worst]:,} examples of "
            f"class {name}; at least 1 must be taken and 1 left: "
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
