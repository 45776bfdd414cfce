"""Reads table files: all cells as a frame, or only the names of the columns."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO

from mmzoo.data.column_types import has_rounded_ids, rounded_ids_warning, whole_numbers
from mmzoo.data.csv_dialect import (
    check_first_line,
    declared_separator,
    header_names,
    read_delimited,
)
from mmzoo.data.frame import ROW, SPLIT, Frame, Issues, issues_table
from mmzoo.data.parse_columns import check_columns
from mmzoo.data.splits import SPLITS
from mmzoo.data.table_files import open_table, read_content
from mmzoo.data.table_format import TableFormat, format_for, separator_of
from mmzoo.data.table_split import SplitFiles
from mmzoo.data.text_encoding import as_utf8, is_wide
from mmzoo.data.typed_tables import read_json_lines, read_parquet
from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.spec.wording import escape

_START = 1 << 20
"""Bytes read at the beginning of a file for the names of its columns."""


def read_table(
    path: str,
    form: TableFormat,
    columns: Collection[str] | None = None,
    field: str = "source.path",
    *,
    optional: Collection[str] = (),
    one_of: Collection[str] = (),
    others: bool = False,
    guess_encoding: bool = False,
) -> Frame:
    """Reads a table's file into a frame of unparsed cells, without splits.

    Cells of .csv and .tsv files are strings; empty cells are null. Rows are named by their number,
    counted from 1. The fingerprint is the sha256 of the file's bytes. Rows with too few or too many
    cells have issues.

    Args:
        path: The file, relative to the working directory.
        form: Its format.
        columns: The columns to read; None for all that have names.
        field: The field or option that has the path, for errors.
        optional: Columns that may be missing from the file, and then are from the frame.
        one_of: Optional columns of which at least one must exist; empty for no such condition.
        others: Whether to read all other columns that have names too.
        guess_encoding: Whether text in another encoding is read, with a note.

    Raises:
        DataError: The file cannot be read, is malformed, or lacks a required column.
    """
    shown = escape(path)
    wanted = None if others else columns
    issues: Mapping[int, str] = {}
    clauses: tuple[str, ...] = ()
    with open_table(path, field) as (file, kind, compression):
        binary = kind == "parquet" or compression is not None
        # Compressed files are limited by their size after decompression, below.
        content = bytearray(file.read()) if binary else read_content(file, shown, None)
    sha256 = hashlib.sha256(content).hexdigest()
    if kind == "parquet":
        table, names = read_parquet(io.BytesIO(content), shown, wanted)
    else:
        if compression is not None:
            content = read_content(io.BytesIO(content), shown, compression)
        content, clauses = as_utf8(content, shown, form.encoding, guess=guess_encoding)
        if kind == "jsonl":
            table, names = read_json_lines(content, shown)
        else:
            table, names, issues = read_delimited(
                content, shown, form.separator, separator_of(kind, None), form.quote, wanted
            )
    found = issues_table({row: (None, reason) for row, reason in issues.items()})
    raw = Frame(table, shown, sha256, found, notes=clauses, rows_are="row")
    known = [name for name in names if name]
    return require_columns(
        raw, known, form, columns, field, optional=optional, one_of=one_of, others=others
    )


def require_columns(
    raw: Frame,
    known: Sequence[str],
    form: TableFormat,
    columns: Collection[str] | None = None,
    field: str = "",
    *,
    optional: Collection[str] = (),
    one_of: Collection[str] = (),
    others: bool = False,
) -> Frame:
    """The frame with only the chosen columns and the numbers of its rows; see `read_table`.

    `known` are the names of all columns, which the frame need not have if they are not chosen.

    Raises:
        DataError: A required column does not exist.
    """
    table, shown = raw.table, raw.name
    chosen = list(known)
    if columns is not None:
        needed = [column for column in columns if column in known or column not in optional]
        # A table without any of the columns is the wrong table.
        needed = list(dict.fromkeys(needed or columns))
        check_columns(f"table {shown}", known, needed)
        if not set(one_of) & set(known):
            check_columns(f"table {shown}", known, one_of)
        chosen = list(known) if others else needed
    table = table.select(chosen).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    if isinstance(form.missing_values, dict) and field.startswith("source."):
        check_columns(f"source.missing_values: table {shown}", known, form.missing_values)
    read = set(chosen if columns is None else columns)
    table = with_missing(table, {name: form.markers(name) for name in chosen if name in read})
    row = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(ROW)
    return replace(raw, table=table.with_columns(row))


def with_missing(table: pl.DataFrame, markers: Mapping[str, Collection[str]]) -> pl.DataFrame:
    """The table with null for empty cells, and for the markers of missing values by column."""
    columns = [
        pl.when(~pl.col(name).is_in(["", *markers.get(name, ())])).then(pl.col(name))
        for name, kind in table.schema.items()
        if kind == pl.String
    ]
    return table.with_columns(columns)


def concat_tables(
    path: str, files: SplitFiles | None, form: TableFormat, columns: Collection[str]
) -> tuple[Frame, dict[str, str]]:
    """Reads and concatenates the files of a table.

    Args:
        path: The file with the training rows.
        files: The files of the other splits.
        form: The format of the first file, and of others with the same suffix.
        columns: The columns to read.

    Returns:
        A frame with the splits of the files; and split -> sha256 of its file.

    Raises:
        DataError: A file cannot be read, or a column has incompatible types.
    """
    parts = {"train": read_table(path, form, columns)}
    for split in SPLITS[1:]:
        if other := getattr(files, split, None):
            field = f"source.split.files.{split}"
            parts[split] = read_table(other, format_for(other, form, path), columns, field)
    sha256s = {split: part.fingerprint for split, part in parts.items()}
    tables = {
        split: part.table.with_columns(pl.lit(split).alias(SPLIT)) for split, part in parts.items()
    }
    if len(parts) == 1:
        return replace(parts["train"], table=tables["train"]), sha256s
    names = _short_names([part.name for part in parts.values()])
    issues: dict[int, tuple[str | None, str]] = {}
    start = 0
    for (split, part), name in zip(parts.items(), names, strict=True):
        row_name = pl.format("{} row {}", pl.lit(name), ROW).alias(ROW)
        tables[split] = tables[split].with_columns(row_name)
        issues |= {start + row: issue for row, issue in part.found_issues().items()}
        start += part.table.height
    return _concatenated(parts, tables, issues), sha256s


def _concatenated(
    parts: Mapping[str, Frame], tables: Mapping[str, pl.DataFrame], issues: Issues
) -> Frame:
    first = parts["train"]
    tables = dict(tables)
    warnings = []
    for column in first.table.columns:
        kinds = {split: table.schema[column] for split, table in tables.items()}
        rounded = any(has_rounded_ids(table[column]) for table in tables.values())
        rounded = rounded and not all(kind.is_float() for kind in kinds.values())
        if rounded:
            warnings.append(rounded_ids_warning(column))
        if rounded or any(kind.is_integer() for kind in kinds.values()):
            # Else whole numbers would become floats, and large ones lose digits.
            for split in [split for split, kind in kinds.items() if kind.is_float()]:
                tables[split] = tables[split].with_columns(whole_numbers(tables[split][column]))
        for split, kind in kinds.items():
            if kind.is_nested() != kinds["train"].is_nested() and pl.Null not in kinds.values():
                raise DataError(
                    f"table {parts[split].name}: column `{column}` is {kind}, but in {first.name} "
                    f"it is {kinds['train']}. Write both as one type."
                )
    try:
        table = pl.concat(tables.values(), how="vertical_relaxed")
    except pl.exceptions.PolarsError as error:
        why = escape(str(error).splitlines()[0])
        raise DataError(
            f"the tables {', '.join(part.name for part in parts.values())} have incompatible "
            f"types in one column ({why}). Write them as one type."
        ) from None
    notes = tuple(f"{part.name}: {note}" for part in parts.values() for note in part.notes)
    return replace(
        first,
        table=table,
        issues=issues_table(issues),
        notes=notes,
        warnings=(*first.warnings, *warnings),
    )


def _short_names(paths: list[str]) -> list[str]:
    """The names of files without their folders, unless these are ambiguous."""
    names = [os.path.basename(path) for path in paths]
    return names if len(set(names)) == len(names) else paths


# Column names only. Importing numpy and polars would take longer than reading them.


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
        # A line end of such text cannot be found by its bytes.
        read_all = is_wide(form.encoding)
        enough = None if read_all else _START + 1
        content = read_content(file, shown, compression, enough=enough)
    is_whole = read_all or len(content) <= _START
    if not is_whole:  # Drops the last line, which may be cut within a character.
        del content[content.rfind(b"\n", 0, _START) + 1 :]
    content, _ = as_utf8(content, shown, form.encoding)
    if kind == "jsonl":
        return _json_keys(content, wanted, is_whole)
    separator = declared_separator(content) or form.separator
    mark = separator_of(kind, separator)
    if separator is None:
        check_first_line(content, shown, mark, form.quote)
    names = header_names(
        content.decode("utf-8"), shown, mark, form.quote, chosen=separator is not None
    )
    return None if names is None else tuple(name for name in names if name)


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
