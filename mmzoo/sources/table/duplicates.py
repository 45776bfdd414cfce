"""Rows that are in two splits: what is learnt by heart in one is no knowledge in the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mmzoo.errors import DataError
from mmzoo.lazy import np, pl

OnDuplicate = Literal["warn", "error", "drop"]

_NAMED = 3


@dataclass(frozen=True)
class Shared:
    """Rows of a split that are in another one too."""

    split: str
    """`train` or `validation`."""
    other: str
    """The one that they are in too: of these, the one that is further from training."""
    rows: np.ndarray
    """int64, ascending: the rows of `split`."""
    likes: np.ndarray
    """For each of them, a row of `other` that is equal."""


def without_duplicates(
    frame: pl.DataFrame,
    columns: Sequence[str],
    splits: Mapping[str, np.ndarray],
    usable: np.ndarray,
    on_duplicate: OnDuplicate,
    name: Callable[[int], str],
    where: str,
) -> tuple[dict[str, np.ndarray], list[str]]:
    """The splits once `on_duplicate` is applied, and clauses on what was found.

    Args:
        frame: All rows.
        columns: Those that are compared: the inputs'.
        splits: `train`, `validation` and `test` -> rows.
        usable: bool `[rows]`; the others are left out anyway, and so not compared.
        on_duplicate: What to do about rows in two splits.
        name: What people call a row.
        where: What the rows are of, for errors.

    Raises:
        DataError: There are such rows and must not be, or a split has no others.
    """

    left = dict(splits)
    looked = {split: rows[usable[rows]] for split, rows in splits.items()}
    found = shared_rows(frame, columns, looked)
    if not found:
        return left, []
    clauses = [_told(one, name) for one in found]
    if on_duplicate == "error":
        raise DataError(
            f"{where}: rows with the same inputs are in two splits:\n  "
            + "\n  ".join(clauses)
            + "\nTake them out, or write `on_duplicate: drop` into the config's source to have "
            "them left out of the split that is nearer to training."
        )
    if on_duplicate == "warn":
        return left, [
            "rows with the same inputs are in two splits, so figures may be too good: "
            f"{'; '.join(clauses)}. `on_duplicate: drop` leaves them out"
        ]
    for one in found:
        left[one.split] = np.setdiff1d(left[one.split], one.rows)
        if not len(left[one.split]):
            raise DataError(
                f"{where}: nothing is left of its {one.split} split, as all rows of it are in "
                f"{one.other} too."
            )
    return left, [
        "left out rows, as there are others with the same inputs in a later split: "
        + "; ".join(clauses)
    ]


def shared_rows(
    frame: pl.DataFrame, columns: Sequence[str], splits: Mapping[str, np.ndarray]
) -> list[Shared]:
    """Finds the rows that are equal in some columns and in different splits.

    Rows in which all of the columns are empty are like no other.

    Args:
        frame: All rows.
        columns: Those that are compared.
        splits: `train`, `validation` and `test` -> rows, without those that are left out anyway.
    """

    if not columns:
        return []
    # Hashes are compared first; what they find is compared itself.
    hashes = frame.select(columns).hash_rows()
    there = frame.select(~pl.all_horizontal(pl.col(columns).is_null())).to_series()
    found = []
    for split, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
        mine, its = (
            pl.DataFrame({"row": splits[name], "hash": hashes.gather(splits[name])}).filter(
                there.gather(splits[name])
            )
            for name in (split, other)
        )
        pairs = mine.join(its.unique("hash", keep="first"), on="hash").sort("row")
        rows, likes = pairs["row"], pairs["row_right"]
        same = pl.Series([True] * len(pairs), dtype=pl.Boolean)
        for column in columns:
            same &= frame[column].gather(rows).eq_missing(frame[column].gather(likes))
        if same.any():
            found.append(
                Shared(split, other, rows.filter(same).to_numpy(), likes.filter(same).to_numpy())
            )
    return found


def _told(one: Shared, name: Callable[[int], str]) -> str:
    rows = "1 train row is" if len(one.rows) == 1 else f"{len(one.rows):,} train rows are"
    pairs = zip(one.rows[:_NAMED].tolist(), one.likes[:_NAMED].tolist(), strict=True)
    named = ", ".join(f"{name(row)} (as {name(like)})" for row, like in pairs)
    more = f" and {len(one.rows) - _NAMED:,} more" if len(one.rows) > _NAMED else ""
    return f"{rows.replace('train', one.split)} in {one.other} too: {named}{more}"
