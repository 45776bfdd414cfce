"""A column as what it is wanted for, and the rows of which nothing can be made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mmzoo.errors import DataError
from mmzoo.sources.media import problems
from mmzoo.sources.table import cells
from mmzoo.sources.table.format import TableFormat
from mmzoo.spec.words import printable, shorten
from mmzoo.wanted import Wanted

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

MAX_CELL = 1_000_000
"""Bytes of a cell. A longer one is most often half of a file in one pair of quotes."""
_MAX_PATH = 4096
"""Bytes, as Linux has them."""


@dataclass(frozen=True)
class Made:
    """A column of a table."""

    values: np.ndarray
    """`[rows]` or `[rows, labels]`, of all rows; something harmless stands in bad ones."""
    bad: dict[int, str] = field(default_factory=dict)
    """Rows, counted from 0, and a clause on each: "its `price` is 'abc', expected a number"."""
    names: tuple[str, ...] | None = None
    """Of classes or labels."""
    notes: tuple[str, ...] = ()
    """Clauses that the user should see."""


def made_columns(
    frame: pl.DataFrame, wanted: Mapping[str, Wanted], form: TableFormat, root: str, shown: str
) -> dict[str, Made]:
    """All columns that are wanted.

    Args:
        frame: Has them.
        wanted: What is wanted of each.
        form: How labels are written in a cell.
        root: The folder of the files that the table names.
        shown: The table's name.

    Raises:
        DataError: Nothing of the kind can be made of a column.
    """
    return {
        column: _made(frame[column], column, one, form, root, f"table {shown}: column `{column}`")
        for column, one in wanted.items()
    }


def _made(
    column: pl.Series, name: str, wanted: Wanted, form: TableFormat, root: str, where: str
) -> Made:
    match wanted.role:
        case "file":
            return _files(column, name, root, where)
        case "text":
            return _texts(column, name, where)
        case "value":
            return _values(column, name, where)
        case "class":
            return _classes(column, name, wanted.names, where)
        case "labels":
            return _labels(column, name, wanted.names, form.label_separator, where)
        case "number":
            return _numbers(column, name, where)


def _files(column: pl.Series, name: str, root: str, where: str) -> Made:
    import numpy as np

    paths = cells.texts(column, where, "paths of files")
    bad = _empty(paths, name)
    long = paths.str.len_bytes().fill_null(0) > _MAX_PATH
    bad |= dict.fromkeys(_rows(long), f"its `{name}` is too long for a path")
    written = paths.set(long, None).fill_null("").to_list()
    for row, why in problems(written, root).items():
        if row not in bad:
            bad[row] = f"its `{name}` is '{shorten(written[row])}': {why}"
    if len(bad) == len(written):
        row, why = next(iter(bad.items()))
        raise DataError(
            f"{where}: none of its {len(written):,} files can be opened. Of row {row + 1}, {why}. "
            f"Paths are relative to {printable(root)}; `source.media_root` sets another folder."
        )
    # An array has room for its longest text in every row: a bad one must not be that.
    files = ["" if row in bad else os.path.join(root, path) for row, path in enumerate(written)]
    return Made(np.array(files, dtype=np.str_), bad)


def _texts(column: pl.Series, name: str, where: str) -> Made:
    import numpy as np

    texts = cells.texts(column, where, "text")
    long = texts.str.len_bytes().fill_null(0) > MAX_CELL
    bad = dict.fromkeys(
        _rows(long), f"its `{name}` has more than {MAX_CELL:,} bytes; is a quote never closed?"
    )
    values = texts.set(long, None).to_list() if bad else texts.to_list()
    return Made(np.array(values, dtype=object), bad)


def _values(column: pl.Series, name: str, where: str) -> Made:
    import polars as pl

    values, note = cells.values(column, where)
    if values.dtype == pl.String:
        made = _texts(values, name, where)
        return replace(made, notes=(f"`{name}`: {note}; it is read as text",) if note else ())
    if values.dtype == pl.Float64:
        bad = dict.fromkeys(
            _rows(values.is_infinite().fill_null(False)), f"its `{name}` is infinite"
        )
        return Made(values.fill_null(float("nan")).to_numpy(writable=True), bad)
    return Made(values.to_numpy(writable=True))


def _numbers(column: pl.Series, name: str, where: str) -> Made:
    import numpy as np
    import polars as pl

    kind = column.dtype
    if not kind.is_numeric() and kind not in (pl.Boolean, pl.Null):
        column = cells.texts(column, where, "numbers")
    found = cells.numbers(column).fill_null(float("nan")).to_numpy(writable=True)
    with np.errstate(over="ignore"):
        values = found.astype(np.float32)
    bad = _empty(column, name)
    for row in np.flatnonzero(~np.isfinite(values)).tolist():
        if row not in bad:
            bad[row] = _no_number(name, column[row])
    values[list(bad)] = 0
    return Made(values, bad)


def _no_number(name: str, cell: object) -> str:
    if not isinstance(cell, str):
        return f"its `{name}` is {cell}, expected a finite number"
    hint = " with a point and nothing between the thousands" if "," in cell else ""
    return f"its `{name}` is '{shorten(cell)}', expected a number{hint}"


def _classes(column: pl.Series, name: str, known: tuple[str, ...] | None, where: str) -> Made:
    import polars as pl

    texts = cells.texts(column, where, "classes")
    bad = _empty(texts, name)
    names = known or cells.sorted_names(texts.drop_nulls().unique().to_list())
    _require_names(names, where)
    numbers = texts.cast(pl.Enum(names), strict=False).to_physical().cast(pl.Int64).fill_null(-1)
    if known:
        for row in _rows((numbers < 0) & texts.is_not_null()):
            bad[row] = _unknown_class(name, texts[row], names)
    return Made(numbers.to_numpy(writable=True), bad, names, _alike(name, names))


def _labels(
    column: pl.Series, name: str, known: tuple[str, ...] | None, separator: str, where: str
) -> Made:
    import numpy as np
    import polars as pl

    if isinstance(column.dtype, pl.List | pl.Array):
        lists = column.cast(pl.List(column.dtype.inner))
    else:
        lists = cells.texts(column, where, "labels").str.split(separator)
    bad = _empty(lists, name)
    rows = pl.DataFrame({"row": pl.Series(range(len(lists)), dtype=pl.Int64), "label": lists})
    rows = rows.explode("label")
    rows = rows.with_columns(cells.texts(rows["label"], where, "labels").str.strip_chars())
    rows = rows.filter(pl.col("label").is_not_null() & (pl.col("label") != ""))
    names = known or cells.sorted_names(rows["label"].unique().to_list())
    _require_names(names, where)
    rows = rows.with_columns(
        number=pl.col("label").cast(pl.Enum(names), strict=False).to_physical().cast(pl.Int64)
    )
    if known:
        strange = rows.filter(pl.col("number").is_null())
        for row, label, _ in strange.iter_rows():
            bad[row] = _unknown_class(name, label, names, "label")
        rows = rows.filter(pl.col("number").is_not_null())
    values = np.zeros((len(lists), len(names)), np.uint8)
    values[rows["row"].to_numpy(), rows["number"].to_numpy()] = 1
    return Made(values, bad, names, _alike(name, names))


def _require_names(names: Sequence[str], where: str) -> None:
    if not names:
        raise DataError(f"{where} is empty in all rows.")


def _unknown_class(name: str, found: str, known: Sequence[str], what: str = "class") -> str:
    shown = ", ".join(f"'{shorten(one)}'" for one in known[:5])
    more = f" and {len(known) - 5:,} more" if len(known) > 5 else ""
    return f"its `{name}` has {what} '{shorten(found)}', and the {what}s are {shown}{more}".replace(
        "classs", "classes"
    )


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


def _empty(column: pl.Series, name: str) -> dict[int, str]:
    return dict.fromkeys(_rows(column.is_null()), f"its `{name}` is empty")


def _rows(mask: pl.Series) -> list[int]:
    return mask.arg_true().to_list()


def media_folder(path: str, given: str | None) -> str:
    """The folder of the files that a table names: the one that is given, or the table's own.

    Raises:
        DataError: There is no such folder.
    """
    folder = os.path.realpath(os.path.expanduser(given or os.path.dirname(path) or "."))
    if not os.path.isdir(folder):
        raise DataError(f"source.media_root: there is no folder {printable(folder)}.")
    return folder


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
