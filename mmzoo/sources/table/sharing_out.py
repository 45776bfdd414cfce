"""Which rows of a table train, validate and test, by all that is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.sources.cut import TEST_SEED, random_cut, stratified_cut
from mmzoo.sources.folds import Fold, dealt
from mmzoo.sources.groups import dealt_groups, grouped_cut
from mmzoo.sources.table.cells import texts
from mmzoo.sources.table.column import Made
from mmzoo.sources.table.split import SPLITS, TableSplit, folds_of, given_splits
from mmzoo.sources.table.stacked import Stacked
from mmzoo.spec.wording import shorten
from mmzoo.wanted import Wanted


@dataclass(frozen=True)
class RowFacts:
    """What decides which split each row goes to; the arrays are `[rows]`."""

    given: np.ndarray
    """int64, the split of each row as far as the table says it, a place in `SPLITS`."""
    usable: np.ndarray
    """bool, the rows that may be cut off; all others stay where they are."""
    folds: np.ndarray | None
    """int64 from 0, the fold of each row, where a column says it."""
    classes: np.ndarray | None
    """int64, the class of each row, where classes keep their shares."""
    known: np.ndarray | None
    """bool, whether that is a class which is known, if not all are. Of one that is not, a single
    row is no reason to refuse."""
    class_names: Sequence[str]
    """Of the classes, for errors."""
    groups: np.ndarray | None
    """int64, the group of each row, where there are groups."""
    group_names: pl.Series | None
    """The name of each row's group."""


def facts_of(
    table: Stacked,
    usable: np.ndarray,
    made: Mapping[str, Made],
    wanted: Mapping[str, Wanted],
    split: TableSplit,
    fold: Fold | None,
) -> RowFacts:
    """What a table says of its rows.

    Args:
        table: With the columns that decide splits.
        usable: bool `[rows]`.
        made: What was made of the columns that are wanted. Rows keep the shares of the first class.
        wanted: What each is wanted for.
        split: Names the columns that decide splits.
        fold: The fold that tests, if one does.

    Raises:
        DataError: One of these columns holds something else than it should.
    """

    frame, where = table.cells.frame, f"table {table.cells.shown}: column"
    given, folds, groups, names = table.given, None, None, None
    if column := split.column:
        given = given_splits(frame[column], f"{where} `{column}`")
    if (column := split.folds) and fold:
        folds = folds_of(frame[column], fold, f"{where} `{column}`")
    if column := split.group:
        names = texts(frame[column], f"{where} `{column}`", "the names of groups")
        groups = names.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    by = next((name for name, one in wanted.items() if one.role == "class"), None)
    class_names = (made[by].names or ()) if by else ()
    return RowFacts(
        given,
        usable,
        folds,
        # Rows without a class are shared out like those of one more.
        np.where(made[by].values < 0, len(class_names), made[by].values) if by else None,
        _is_known(made[by], wanted[by]) if by else None,
        class_names,
        groups,
        names,
    )


def share_out(
    facts: RowFacts, split: TableSplit, fold: Fold | None, seed: int
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """The rows of each split, and clauses on those that were cut.

    Args:
        facts: Of the rows.
        split: The shares of what is cut.
        fold: The fold that tests, if one does.
        seed: Decides which rows validate.

    Returns:
        For each of `SPLITS` its rows, int64, ascending.

    Raises:
        DataError: There are too few rows to cut.
    """

    given = facts.given.copy()
    notes = []
    has = {name: bool((given == number).any()) for number, name in enumerate(SPLITS)}
    if fold is not None:
        given[_is_tested(facts, fold)] = SPLITS.index("test")
        has["test"] = True
        notes.append(f"fold {fold.index} of {fold.of} is the test split")
    pool = len(_free(facts, given))
    how = "at random" if facts.classes is None else "stratified by class"
    how += "" if facts.groups is None else ", groups kept whole"
    for name, its_seed in (("test", TEST_SEED), ("validation", seed)):
        if has[name]:
            continue
        cut = _cut(facts, _free(facts, given), name, getattr(split, name) * pool, its_seed)
        given[cut] = SPLITS.index(name)
        notes.append(f"cut {len(cut):,} of {pool:,} rows for {name}, {how}, seed {its_seed}")
    splits = {name: np.flatnonzero(given == place) for place, name in enumerate(SPLITS)}
    return splits, (*notes, *_crossing(facts, splits, split.group))


def _free(facts: RowFacts, given: np.ndarray) -> np.ndarray:
    """The rows that are still to train on, and may be cut off."""

    return np.flatnonzero(facts.usable & (given == 0))


def _is_tested(facts: RowFacts, fold: Fold) -> np.ndarray:
    """bool `[rows]`: which are of the fold that tests."""

    folds = facts.folds
    if folds is None:
        free = _free(facts, facts.given)
        folds = np.full(len(facts.given), -1)
        folds[free] = _dealt(fold.of, _of(facts.classes, free), _of(facts.groups, free), len(free))
    return (folds == fold.index - 1) & facts.usable


def _dealt(of: int, classes: np.ndarray | None, groups: np.ndarray | None, rows: int) -> np.ndarray:
    if groups is None:
        if rows < of:
            raise DataError(f"source.fold: {rows:,} rows cannot be dealt into {of} folds.")
        return dealt(rows, of, classes)
    return dealt_groups(groups, of, classes)


def _cut(facts: RowFacts, free: np.ndarray, name: str, expected: float, seed: int) -> np.ndarray:
    """Those of the free rows that are cut off for a split, about so many as are expected."""

    if facts.classes is not None and facts.known is not None and facts.groups is None:
        _, number, rows = np.unique(facts.classes[free], return_inverse=True, return_counts=True)
        free = free[facts.known[free] | (rows[number] > 1)]
    share = min(expected / max(len(free), 1), 1.0)
    try:
        if facts.groups is not None:
            _, cut = grouped_cut(facts.groups[free], share, seed, _of(facts.classes, free))
        elif facts.classes is not None:
            _, cut = stratified_cut(facts.classes[free], share, seed, facts.class_names)
        else:
            _, cut = random_cut(len(free), share, seed)
    except DataError as error:
        raise DataError(f"source.split.{name}: {error}") from error
    return free[cut]


def _of(values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if values is None else values[rows]


def _crossing(
    facts: RowFacts, splits: Mapping[str, np.ndarray], column: str | None
) -> tuple[str, ...]:
    """A clause on groups that have rows in two splits or more, as a column or files may put them.

    Args:
        facts: Of the rows.
        splits: Split -> rows.
        column: The one that has the groups.
    """

    if facts.groups is None or facts.group_names is None:
        return ()
    looked = [np.unique(facts.groups[rows[facts.usable[rows]]]) for rows in splits.values()]
    found, counts = np.unique(np.concatenate(looked), return_counts=True)
    crossing = found[counts > 1]
    if not len(crossing):
        return ()
    row = int(np.flatnonzero(facts.groups == crossing[0])[0])
    return (
        f"{len(crossing):,} values of `{column}` have rows in two splits, such as "
        f"'{shorten(str(facts.group_names[row]))}', as `source.split` puts them there",
    )


def _is_known(made: Made, wanted: Wanted) -> np.ndarray | None:
    """bool `[rows]`: whether the class is one of those that are known, where any are."""

    if made.names is None or (wanted.names is None and not wanted.optional):
        return None
    known = np.isin(made.names, wanted.names or made.names)[made.values]
    # A single row without a class, too, need not be in every split.
    return known & (made.values >= 0) if wanted.optional else known | (made.values < 0)
