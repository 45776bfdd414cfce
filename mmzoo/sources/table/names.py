"""Classes and labels: the names that there are, and the number of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mmzoo.errors import DataError
from mmzoo.sources.table import cells
from mmzoo.sources.table.column import Made, empty_cells, rows_of
from mmzoo.spec.words import describe, shorten
from mmzoo.wanted import Wanted

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

_MAX_LABELS = 4_000_000_000
"""Zeros and ones of all rows together."""
_NAMED = 5
"""How many names a message has."""


def made_classes(column: pl.Series, name: str, known: tuple[str, ...] | None, where: str) -> Made:

    texts = cells.texts(column, where, "classes")
    bad = empty_cells(texts, name)
    names = known or cells.sorted_names(texts.drop_nulls().unique().to_list())
    _require_names(names, where)
    numbers = _numbered(texts, names).fill_null(-1)
    if known:
        for row in rows_of((numbers < 0) & texts.is_not_null()):
            bad[row] = _unknown(name, "class", texts[row], "classes", names)
    return Made(numbers.to_numpy(writable=True), bad, names, _alike(name, names))


def made_labels(
    column: pl.Series, name: str, known: tuple[str, ...] | None, separator: str, where: str
) -> Made:
    import numpy as np
    import polars as pl

    if isinstance(column.dtype, pl.List | pl.Array):
        lists = column.cast(pl.List(column.dtype.inner))
    else:
        lists = cells.texts(column, where, "labels").str.split(separator)
    bad = empty_cells(lists, name)
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
            bad[row] = _unknown(name, "label", label, "labels", names)
        rows = rows.filter(pl.col("number").is_not_null())
    if len(lists) * len(names) > _MAX_LABELS:
        raise DataError(
            f"{where} has {len(names):,} different labels, such as '{shorten(names[0])}', too many "
            f"for {len(lists):,} rows. Is something else than {describe(separator)} between them?"
        )
    values = np.zeros((len(lists), len(names)), np.uint8)
    values[rows["row"].to_numpy(), rows["number"].to_numpy()] = 1
    return Made(values, bad, names, _alike(name, names))


def only_of_train(
    made: Mapping[str, Made],
    splits: Mapping[str, np.ndarray],
    usable: np.ndarray,
    wanted: Mapping[str, Wanted],
) -> tuple[dict[str, Made], dict[int, str]]:
    """The columns without classes and labels that no row to train on has.

    Args:
        made: Columns of all rows.
        splits: Split -> rows.
        usable: bool `[rows]`, those that are not bad.
        wanted: What each column is wanted for; names that it knows stay.

    Returns:
        The columns, and the rows of other splits that had such a class or label.
    """
    import numpy as np

    columns = dict(made)
    bad: dict[int, str] = {}
    train = splits["train"][usable[splits["train"]]]
    others = np.concatenate([splits["validation"], splits["test"]])
    for column, one in made.items():
        if one.names is None or wanted[column].names is not None:
            continue
        several = one.values.ndim == 2
        has = np.zeros(len(one.names), bool)
        if several:
            has = one.values[train].any(axis=0)
        else:
            has[one.values[train]] = True
        if has.all():
            continue
        names = tuple(name for name, there in zip(one.names, has, strict=True) if there)
        if several:
            odd = others[one.values[others][:, ~has].any(axis=1)]
            first = {int(row): int(np.argmax(one.values[row] * ~has)) for row in odd}
            values = one.values[:, has]
        else:
            odd = others[(one.values[others] >= 0) & ~has[one.values[others]]]
            first = {int(row): int(one.values[row]) for row in odd}
            number = np.where(has, np.cumsum(has) - 1, -1)
            values = np.where(one.values >= 0, number[one.values], -1)
        what = "label" if several else "class"
        bad |= {
            row: f"its `{column}` has {what} '{shorten(one.names[at])}', and no row to train on has"
            for row, at in first.items()
        }
        columns[column] = replace(one, values=values, names=names)
    return columns, bad


def _require_names(names: Sequence[str], where: str) -> None:
    if not names:
        raise DataError(f"{where} is empty in all rows.")


def _numbered(texts: pl.Series, names: Sequence[str]) -> pl.Series:
    """The place of each text among the names; null where it is none of them."""
    import polars as pl

    places = {name: place for place, name in enumerate(names)}
    return texts.replace_strict(
        list(places), list(places.values()), default=None, return_dtype=pl.Int64
    )


def _unknown(name: str, what: str, found: str, all_of_them: str, known: Sequence[str]) -> str:
    shown = ", ".join(f"'{shorten(one)}'" for one in known[:_NAMED])
    more = f" and {len(known) - _NAMED:,} more" if len(known) > _NAMED else ""
    return f"its `{name}` has {what} '{shorten(found)}', and the {all_of_them} are {shown}{more}"


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
