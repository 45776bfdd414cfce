"""Cuts splits off the training split, at random or so that each class keeps its share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.sources.data import Splits
from mmzoo.sources.groups import grouped_cut
from mmzoo.spec.wording import printable

_NAMED = 5
"""How many classes a message names."""
TEST_SEED = 0
"""The same test split in every run, so that runs of several seeds can be compared."""


def cut_missing_splits(
    name: str,
    splits: Splits,
    by: str | None,
    class_names: Sequence[str],
    shares: Mapping[str, float],
    seed: int,
    groups: str | None = None,
) -> tuple[dict[str, tuple[float, int]], tuple[str, ...]]:
    """Cuts the test and validation splits that there are not off the training split, in place.

    Args:
        name: What the data are called.
        splits: With `train`; all other splits are left as they are.
        by: The column of classes that are to keep their shares; None to cut at random.
        class_names: Of those classes.
        shares: Of the training examples, for `test` and then, of those left, for `validation`.
        seed: Decides which examples are cut off for validation.
        groups: The column whose equal values stay in one split, if any.

    Returns:
        The share and seed of each split that was cut, and a sentence on each.

    Raises:
        DataError: A class has a single row, or there is a single row or group in all.
    """

    how = "at random" if by is None else f"stratified by {by}"
    if groups is not None:
        how = f"all of one {groups} together"
    cuts, notes = {}, []
    for split, split_seed in (("test", TEST_SEED), ("validation", seed)):
        if split in splits:
            continue
        train = splits["train"]
        try:
            if groups is not None:
                _, group = np.unique(train[groups], return_inverse=True)
                kept, cut = grouped_cut(group, shares[split], split_seed)
            elif by is None:
                rows = len(next(iter(train.values())))
                kept, cut = random_cut(rows, shares[split], split_seed)
            else:
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
            f"{len(cut) + len(kept):,} training examples, {how}, seed {split_seed}"
        )
    return cuts, tuple(notes)


def stratified_cut(
    classes: np.ndarray, fraction: float, seed: int, class_names: Sequence[str] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Draws `fraction` of the rows of every class.

    The whole cut has `round(rows * fraction)` rows; what is left after rounding down goes to the
    classes that lost most by it. A class that is so small that a part would have none of it still
    has one row there. Both parts keep the order of the rows.

    Args:
        classes: int64 `[rows]`, the class of each row.
        fraction: Between 0 and 1.
        seed: Decides which rows of a class are drawn.
        class_names: The name of class 0, 1, ... for the error; their numbers serve without.

    Returns:
        Rows kept and rows cut, int64, ascending.

    Raises:
        DataError: A class has a single row.
    """

    present, members = np.unique(classes, return_counts=True)
    shares = members * fraction
    taken = np.floor(shares).astype(np.int64)
    left = round(len(classes) * fraction) - int(taken.sum())
    taken[np.argsort(taken - shares, kind="stable")[:left]] += 1
    if (members < 2).any():
        alone = [_name(int(one), class_names) for one in present[members < 2]]
        raise DataError(
            f"nothing can be cut off {_listed(alone)}, of which there is a single example: add "
            "examples, leave the class out, or give the data splits of its own"
        )
    taken = np.clip(taken, 1, members - 1)

    drawn = np.random.RandomState(seed).permutation(len(classes))
    by_class = drawn[np.argsort(classes[drawn], kind="stable")]
    first_of_class = np.repeat(np.cumsum(members) - members, members)
    is_cut = np.arange(len(classes)) - first_of_class < np.repeat(taken, members)
    return np.sort(by_class[~is_cut]), np.sort(by_class[is_cut])


def random_cut(rows: int, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws `fraction` of the rows, one at least, and leaves one at least.

    Args:
        rows: How many there are.
        fraction: Between 0 and 1.
        seed: Decides which rows are drawn.

    Returns:
        Rows kept and rows cut, int64, ascending.

    Raises:
        DataError: There is a single row.
    """

    if rows < 2:
        raise DataError("nothing can be cut off a single example: add examples")
    drawn = np.random.RandomState(seed).permutation(rows)
    taken = min(max(round(rows * fraction), 1), rows - 1)
    return np.sort(drawn[taken:]), np.sort(drawn[:taken])


def _name(number: int, class_names: Sequence[str]) -> str:
    return f"'{printable(class_names[number])}'" if class_names else str(number)


def _listed(names: Sequence[str]) -> str:
    shown, more = ", ".join(names[:_NAMED]), len(names) - _NAMED
    kind = "class" if len(names) == 1 else "classes"
    return f"{kind} {shown} and {more} more" if more > 0 else f"{kind} {shown}"
