"""What is made of the columns of a table, by what each is wanted for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.sources.media import NOT_THERE, problems
from mmzoo.sources.table import cells
from mmzoo.sources.table.column import Made, empty_cells, rows_of
from mmzoo.sources.table.format import TableFormat
from mmzoo.sources.table.names import made_classes, made_labels
from mmzoo.spec.wording import printable, shorten
from mmzoo.wanted import Wanted

MAX_CELL = 1_000_000
"""Bytes of a cell. A longer one is most often half of a file in one pair of quotes."""
_MAX_PATH = 4096
"""Bytes, as Linux has them."""


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
            return _files(column, name, wanted, root, where)
        case "text" | "category":
            return _texts(column, name, where)
        case "value":
            return _values(column, name, where)
        case "class":
            return made_classes(column, name, wanted.names, where)
        case "labels":
            return made_labels(column, name, wanted.names, form.label_separator, where)
        case "number":
            return _numbers(column, name, where)


def _files(column: pl.Series, name: str, wanted: Wanted, root: str, where: str) -> Made:

    paths = cells.texts(column, where, "paths of files")
    bad = {} if wanted.optional else empty_cells(paths, name)
    long = paths.str.len_bytes().fill_null(0) > _MAX_PATH
    bad |= dict.fromkeys(rows_of(long), f"its `{name}` is too long for a path")
    written = paths.set(long, None).fill_null("").to_list()
    lost: list[int] = []
    for row, why in problems(written, root).items():
        if wanted.missing_files and why in NOT_THERE:
            lost.append(row)
        elif written[row] and row not in bad:
            hint = "; folders end in / here" if "\\" in written[row] else ""
            bad[row] = f"its `{name}` is '{shorten(written[row])}': {why}{hint}"
    if len(bad) == len(written):
        row, why = next(iter(bad.items()))
        raise DataError(
            f"{where}: none of its {len(written):,} files can be opened. Of row {row + 1}, {why}. "
            f"Paths are relative to {printable(root)}; `source.media_root` sets another folder."
        )
    # An array has room for its longest text in every row: a bad one must not be that.
    none = {row for row, path in enumerate(written) if not path}.union(bad, lost)
    files = ["" if row in none else os.path.join(root, path) for row, path in enumerate(written)]
    notes: tuple[str, ...] = ()
    if lost:
        notes = (
            f"`{name}`: {len(lost):,} of its files are not there, such as "
            f"'{shorten(written[lost[0]])}' below {printable(root)}: these rows are without",
        )
    return Made(np.array(files, dtype=np.str_), bad, notes=notes)


def _texts(column: pl.Series, name: str, where: str) -> Made:

    texts = cells.texts(column, where, "text")
    long = texts.str.len_bytes().fill_null(0) > MAX_CELL
    bad = dict.fromkeys(
        rows_of(long), f"its `{name}` has more than {MAX_CELL:,} bytes; is a quote never closed?"
    )
    values = texts.set(long, None).to_list() if bad else texts.to_list()
    return Made(np.array(values, dtype=object), bad)


def _values(column: pl.Series, name: str, where: str) -> Made:

    values, note = cells.values(column, where)
    if values.dtype == pl.String:
        made = _texts(values, name, where)
        return replace(made, notes=(f"`{name}`: {note}; it is read as text",) if note else ())
    if values.dtype == pl.Float64:
        bad = dict.fromkeys(
            rows_of(values.is_infinite().fill_null(False)), f"its `{name}` is infinite"
        )
        return Made(values.fill_null(float("nan")).to_numpy(writable=True), bad)
    return Made(values.to_numpy(writable=True))


def _numbers(column: pl.Series, name: str, where: str) -> Made:

    kind = column.dtype
    if not kind.is_numeric() and kind not in (pl.Boolean, pl.Null):
        column = cells.texts(column, where, "numbers")
    found = cells.numbers(column).fill_null(float("nan")).to_numpy(writable=True)
    with np.errstate(over="ignore"):
        values = found.astype(np.float32)
    empty = empty_cells(column, name)
    bad = dict(empty)
    for row in np.flatnonzero(~np.isfinite(values)).tolist():
        if row not in bad:
            bad[row] = _no_number(name, column[row])
    values[list(bad)] = 0
    return Made(values, bad, empty=frozenset(empty))


def _no_number(name: str, cell: object) -> str:
    if not isinstance(cell, str):
        return f"its `{name}` is {cell}, expected a finite number"
    hint = " with a point and nothing between the thousands" if "," in cell else ""
    return f"its `{name}` is '{shorten(cell)}', expected a number{hint}"


def media_folder(path: str, given: str | None) -> str:
    """The folder of the files that a table names: the one that is given, or the table's own.

    Raises:
        DataError: There is no such folder.
    """
    folder = os.path.realpath(os.path.expanduser(given or os.path.dirname(path) or "."))
    if not os.path.isdir(folder):
        raise DataError(f"source.media_root: there is no folder {printable(folder)}.")
    return folder
