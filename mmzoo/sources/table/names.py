"""Classes and labels: the names that there are, and the number of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.sources.table import cells
from mmzoo.sources.table.column import Made, empty_cells, rows_of
from mmzoo.spec.wording import describe, shorten
from mmzoo.wanted import Wanted

_MAX_LABELS = 4_000_000_000
"""Zeros and ones of all rows together."""
_SEVERAL = {"class": "classes", "label": "labels"}
_NAMED = 5
"""How many names a message has."""


def made_classes(column: pl.Series, name: str, known: tuple[str, ...] | None, where: str) -> Made:

    texts = cells.texts(column, where, "classes")
    empty = empty_cells(texts, name)
    bad = dict(empty)
    names = known or cells.sorted_names(texts.drop_nulls().unique().to_list())
    _require_names(names, where)
    numbers = _numbered(texts, names).fill_null(-1)
    if known:
        for row in rows_of((numbers < 0) & texts.is_not_null()):
            bad[row] = _unknown(name, "class", texts[row], names)
    values = numbers.to_numpy(writable=True)
    return Made(values, bad, names, _alike(name, names), frozenset(empty))


def made_labels(
    column: pl.Series, name: str, known: tuple[str, ...] | None, separator: str, where: str
) -> Made:

    if isinstance(column.dtype, pl.List | pl.Array):
        lists = column.cast(pl.List(column.dtype.inner))
    else:
        lists = cells.texts(column, where, "labels").str.split(separator)
    empty = empty_cells(lists, name)
    bad = dict(empty)
    rows = pl.DataFrame({"row": pl.Series(range(len(lists)), dtype=pl.Int64), "label": lists})
    rows = rows.explode("label")
    rows = rows.with_columns(cells.texts(rows["label"], where, "labels").str.strip_chars())
    rows = rows.filter(pl.col("label").is_not_null() & (pl.col("label") != ""))
    names = known or cells.sorted_names(rows["label"].unique().to_list())
    _require_names(names, where)
    rows = rows.with_columns(_numbered(rows["label"], names).alias("number"))
    if known:
        strange = rows.filter(pl.col("number").is_null())
        for row, label, _ in strange.iter_rows():
            bad[row] = _unknown(name, "label", label, names)
        rows = rows.filter(pl.col("number").is_not_null())
    if len(lists) * len(names) > _MAX_LABELS:
        raise DataError(
            f"{where} has {len(names):,} different labels, such as '{shorten(names[0])}', too many "
            f"for {len(lists):,} rows. Is something else than {describe(separator)} between them?"
        )
    values = np.zeros((len(lists), len(names)), np.uint8)
    values[rows["row"].to_numpy(), rows["number"].to_numpy()] = 1
    return Made(values, bad, names, _alike(name, names), frozenset(empty))


def only_known(
    made: Mapping[str, Made],
    splits: Mapping[str, np.ndarray],
    usable: np.ndarray,
    wanted: Mapping[str, Wanted],
) -> tuple[dict[str, Made], dict[int, str]]:
    """The columns with those classes and labels only that are known, or that training rows have.

    Args:
        made: Columns of all rows, with all classes and labels that there are.
        splits: Split -> rows.
        usable: bool `[rows]`, those that are not bad.
        wanted: What each column is wanted for, with the names that are known.

    Returns:
        The columns, and the rows that had another class or label.
    """
    columns = dict(made)
    bad: dict[int, str] = {}
    train = splits["train"][usable[splits["train"]]]
    for column, one in made.items():
        if one.names is None:
            continue
        known = wanted[column].names
        columns[column], strange = _with_names(one, known or _names_in(one, train))
        what = "class" if one.values.ndim == 1 else "label"
        for row, name in strange.items():
            if known:
                bad[row] = _unknown(column, what, name, known)
            else:
                bad[row] = (
                    f"its `{column}` has {what} '{shorten(name)}', and no row to train on has"
                )
    return columns, bad


def _names_in(made: Made, rows: np.ndarray) -> tuple[str, ...]:
    """The classes or labels that some rows have."""

    assert made.names is not None
    if made.values.ndim == 2:
        has = (made.values[rows] > 0).any(axis=0)
    else:
        has = np.zeros(len(made.names), bool)
        has[made.values[rows][made.values[rows] >= 0]] = True
    return tuple(name for name, there in zip(made.names, has, strict=True) if there)


def _with_names(made: Made, names: tuple[str, ...]) -> tuple[Made, dict[int, str]]:
    """A column numbered by these names, and the rows that have another, with the first of them."""

    assert made.names is not None
    if made.names == names:
        return made, {}
    places = {name: place for place, name in enumerate(names)}
    # One more for rows without a class, whose number is -1.
    number = np.array([places.get(name, -1) for name in made.names] + [-1])
    if made.values.ndim == 1:
        values = number[made.values]
        strange = np.flatnonzero((values < 0) & (made.values >= 0))
        first = made.values[strange]
    else:
        has = number[:-1] >= 0
        values = np.zeros((len(made.values), len(names)), made.values.dtype)
        values[:, number[:-1][has]] = made.values[:, has]
        if values.dtype.kind == "i":
            values[(made.values < 0).any(axis=1)] = -1
        others = (made.values > 0) & ~has
        strange = np.flatnonzero(others.any(axis=1))
        first = others[strange].argmax(axis=1)
    found = {row: made.names[at] for row, at in zip(strange.tolist(), first.tolist(), strict=True)}
    return replace(made, values=values, names=names), found


def _require_names(names: Sequence[str], where: str) -> None:
    if not names:
        raise DataError(f"{where} is empty in all rows.")


def _numbered(texts: pl.Series, names: Sequence[str]) -> pl.Series:
    """The place of each text among the names; null where it is none of them."""

    places = {name: place for place, name in enumerate(names)}
    return texts.replace_strict(
        list(places), list(places.values()), default=None, return_dtype=pl.Int64
    )


def _unknown(name: str, what: str, found: str, known: Sequence[str]) -> str:
    shown = ", ".join(f"'{shorten(one)}'" for one in known[:_NAMED])
    more = f" and {len(known) - _NAMED:,} more" if len(known) > _NAMED else ""
    return f"its `{name}` has {what} '{shorten(found)}', and the {_SEVERAL[what]} are {shown}{more}"


def _alike(name: str, names: Sequence[str]) -> tuple[str, ...]:
    """A clause on names that differ by spaces or capitals only, as those of one class do."""
    seen: dict[str, str] = {}
    for one in names:
        other = seen.setdefault(" ".join(one.split()).casefold(), one)
        if other != one:
            return (
                f"`{name}`: '{shorten(other)}' and '{shorten(one)}' differ by spaces or capitals "
                "only, and are taken as two",
            )
    return ()
