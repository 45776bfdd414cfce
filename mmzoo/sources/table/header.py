"""The names of a table's columns, without its rows: quick enough to be looked at before anything.

Neither polars nor numpy is imported for text, as that takes longer than all the rest.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection

from mmzoo.lazy import pl
from mmzoo.sources.table.encoding import as_utf8
from mmzoo.sources.table.format import Kind, TableFormat, separator_of
from mmzoo.sources.table.line_of_names import check_first_line, names_in
from mmzoo.sources.table.opening import checked_file
from mmzoo.sources.table.unpacking import content_of
from mmzoo.spec.wording import printable

_START = 1 << 20
"""Bytes at the beginning of a file that are looked at."""


def is_there(path: str) -> bool:
    """Whether there is something by the name of a table."""
    return os.path.lexists(os.path.expanduser(path))


def columns_of(
    path: str, form: TableFormat, wanted: Collection[str], field: str = "source.path"
) -> tuple[str, ...] | None:
    """The names of all columns that have one; None where the beginning of the file does not say.

    JSON lines may have other keys further down, and what is damaged is for `read_cells` to tell.

    Args:
        path: Relative to the working directory.
        form: How its cells are written.
        wanted: Once all of these are found, no others are looked for.
        field: Where the path was written, for errors.

    Raises:
        DataError: There is no such file, or it is written otherwise than `form` says.
    """
    shown = printable(path)
    place, kind, compression = checked_file(path, field)
    if kind == "parquet":
        return _of_parquet(place)
    content = content_of(place, shown, compression, enough=_START + 1)
    is_whole = len(content) <= _START
    if not is_whole:
        _cut(content, form)
    content = as_utf8(content, shown, form.encoding)
    if kind == "jsonl":
        return _of_json_lines(content, wanted, is_whole)
    return _of_cells(content, shown, form, kind)


def _cut(content: bytearray, form: TableFormat) -> None:
    """Leaves whole lines; so no character is cut either."""
    if form.encoding != "utf-16":
        del content[content.rfind(b"\n", 0, _START) + 1 :]
        return
    mark = "\n".encode("utf-16-be" if content.startswith(b"\xfe\xff") else "utf-16-le")
    end = content.rfind(mark, 0, _START)
    while end % 2 and end > 0:  # Halves of two characters.
        end = content.rfind(mark, 0, end)
    del content[end + 2 if end > 0 else 2 :]


def _of_cells(
    content: bytearray, shown: str, form: TableFormat, kind: Kind
) -> tuple[str, ...] | None:
    mark = separator_of(kind, form.separator)
    if form.separator is None:
        check_first_line(content, shown, mark, form.quote)
    line = ""
    for part in content.decode("utf-8").split("\n"):
        line += part
        if form.quote and line.count(form.quote) % 2:  # The line goes on within a name.
            line += "\n"
        elif line.strip():
            line = line.removesuffix("\r")
            names = names_in(line, shown, mark, form.quote, chosen=form.separator is not None)
            return tuple(name for name in names if name)
        else:
            line = ""
    return None


def _of_json_lines(
    content: bytearray, wanted: Collection[str], is_whole: bool
) -> tuple[str, ...] | None:
    names: dict[str, None] = {}
    for line in content.split(b"\n"):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(row, dict):
            return None
        names.update(dict.fromkeys(row))
        if names.keys() >= set(wanted):
            return tuple(names)
    return tuple(names) if is_whole else None


def _of_parquet(place: str) -> tuple[str, ...] | None:

    try:
        return tuple(pl.read_parquet_schema(place))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return None
