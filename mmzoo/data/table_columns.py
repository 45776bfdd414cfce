"""Column names of a table file, read from its beginning to validate a config quickly.

For text files neither polars nor numpy is imported, as that takes longer than everything else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from typing import BinaryIO

from mmzoo.data.csv_dialect import as_utf8
from mmzoo.data.csv_header import check_first_line, header_names
from mmzoo.data.table_format import TableFormat, separator_of
from mmzoo.data.table_reader import open_table, read_content
from mmzoo.lazy import pl
from mmzoo.spec.wording import escape

_START = 1 << 20
"""Bytes read at the beginning of a file."""


def is_there(path: str) -> bool:
    """Whether a table's path exists."""
    return os.path.lexists(os.path.expanduser(path))


def columns_of(
    path: str, form: TableFormat, wanted: Collection[str], field: str = "source.path"
) -> tuple[str, ...] | None:
    """The names of all columns that have one; None if the beginning of the file does not have them.

    Later JSON lines may have other keys. Damaged files are reported by `read_table`.

    Args:
        path: The file, relative to the working directory.
        form: Its format.
        wanted: The search ends as soon as all of these are found.
        field: The field or option that has the path, for errors.

    Raises:
        DataError: The file does not exist, or is not of this format.
    """
    shown = escape(path)
    with open_table(path, field) as (file, kind, compression):
        if kind == "parquet":
            return _parquet_columns(file)
        content = read_content(file, shown, compression, enough=_START + 1)
    is_whole = len(content) <= _START
    if not is_whole:
        _truncate_to_lines(content, form)
    content = as_utf8(content, shown, form.encoding)
    if kind == "jsonl":
        return _json_keys(content, wanted, is_whole)
    mark = separator_of(kind, form.separator)
    if form.separator is None:
        check_first_line(content, shown, mark, form.quote)
    names = header_names(
        content.decode("utf-8"), shown, mark, form.quote, chosen=form.separator is not None
    )
    return None if names is None else tuple(name for name in names if name)


def _truncate_to_lines(content: bytearray, form: TableFormat) -> None:
    """Removes the last, incomplete line, and with it an incomplete character."""
    if form.encoding != "utf-16":
        del content[content.rfind(b"\n", 0, _START) + 1 :]
        return
    mark = "\n".encode("utf-16-be" if content.startswith(b"\xfe\xff") else "utf-16-le")
    end = content.rfind(mark, 0, _START)
    while end % 2 and end > 0:  # The two bytes belong to different characters.
        end = content.rfind(mark, 0, end)
    del content[end + 2 if end > 0 else 2 :]


def _json_keys(
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


def _parquet_columns(file: BinaryIO) -> tuple[str, ...] | None:
    try:
        return tuple(pl.read_parquet_schema(file))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return None
