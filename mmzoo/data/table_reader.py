"""Table files: opening, decompressing and parsing them, each in a single pass."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import lzma
import os
import stat
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

from mmzoo.data.csv_dialect import as_utf8, read_delimited
from mmzoo.data.frame import ROW, SPLIT, Frame, Issues, issues_table
from mmzoo.data.media_paths import KINDS_OF_PATHS
from mmzoo.data.parse_columns import check_columns
from mmzoo.data.split_assignment import SplitFiles
from mmzoo.data.splits import SPLITS
from mmzoo.data.table_format import (
    Compression,
    Kind,
    TableFormat,
    format_for,
    kind_of,
    separator_of,
)
from mmzoo.data.typed_tables import read_json_lines, read_parquet
from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.spec import nearest
from mmzoo.spec.wording import escape

_MAGIC = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"\xfd7zXZ\x00", "compressed by xz"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    (b"BZh91AY&SY", "compressed by bzip2"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel workbook"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"\x89HDF", "an HDF5 file"),
    (b"%PDF-", "a PDF document"),
    (b"version https://git-lfs", "a Git LFS pointer: run `git lfs pull` for the file itself"),
    (b"<!doctype html", "a web page, probably from a failed download"),
    (b"<html", "a web page, probably from a failed download"),
)
"""First bytes, case-insensitive, and the kind of file that they identify."""
_SUFFIX = {
    "a Parquet file": ".parquet",
    "compressed by gzip": ".gz",
    "compressed by xz": ".xz",
    "compressed by zstd": ".zst",
}


@contextmanager
def open_table(
    path: str, field: str = "source.path"
) -> Iterator[tuple[BinaryIO, Kind, Compression | None]]:
    """Opens a table's file; yields it with its kind and compression.

    The path may be a link, as the user named it. Only regular files are opened: opening a pipe
    could block forever.

    Args:
        path: The path as the user wrote it, relative to the working directory.
        field: The field or option that has the path, for errors.

    Raises:
        DataError: It is not a regular file, is empty, is not of the kind that its suffix implies,
            or cannot be read.
    """
    absolute = os.path.abspath(os.path.expanduser(path))
    shown = escape(path)
    try:
        status = os.stat(absolute)
    except OSError as error:
        raise DataError(_describe_missing(path, absolute, field, error)) from None
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise DataError(
            f"{field}: {shown} is {KINDS_OF_PATHS.get(kind, 'something else')}, not a file."
        )
    if status.st_size == 0:
        raise DataError(f"{field}: {shown} is empty. Expected a table that begins with a header.")
    form, compression = kind_of(path)
    try:
        with open(absolute, "rb") as file:
            start = file.read(64)
            file.seek(0)
            _check_magic(shown, start, form, compression)
            yield file, form, compression
    except OSError as error:
        raise DataError(f"{field}: {shown} cannot be read ({error.strerror}).") from None


def _check_magic(shown: str, start: bytes, kind: Kind, compression: Compression | None) -> None:
    if compression:
        expected = {"gz": "compressed by gzip", "xz": "compressed by xz"}.get(
            compression, "compressed by zstd"
        )
    else:
        expected = "a Parquet file" if kind == "parquet" else ""
    lower = start.lower()
    found = next((what for magic, what in _MAGIC if lower.startswith(magic.lower())), "")
    if found == expected:
        return
    if found:
        rename = f" Add {_SUFFIX[found]} to its name." if found in _SUFFIX else ""
        raise DataError(f"{shown}: it is {found}, which does not match its suffix.{rename}")
    raise DataError(
        f"{shown}: by its suffix it is {expected}, but its content is not. Rename it to match its "
        "content, or download it again."
    )


def _describe_missing(path: str, absolute: str, field: str, error: OSError) -> str:
    shown = escape(path)
    if error.errno == errno.ELOOP:
        return f"{field}: {shown} is a link to itself."
    if os.path.islink(absolute):
        return f"{field}: {shown} is a link to a file that does not exist."
    if error.errno == errno.EACCES:
        return f"{field}: {shown} cannot be read: permission denied."
    if error.errno not in (errno.ENOENT, errno.ENOTDIR):
        return f"{field}: {shown} cannot be read ({error.strerror})."
    folder = os.path.dirname(absolute)
    relative = "" if os.path.isabs(path) else ", relative to the working directory"
    if not os.path.isdir(folder):
        parent = escape(os.path.dirname(path))
        return f"{field}: there is no file {shown}{relative}, nor a folder {parent}."
    try:
        near = nearest(os.path.basename(absolute), os.listdir(folder))
    except OSError:
        near = None
    meant = f" Did you mean {escape(os.path.join(os.path.dirname(path), near))}?" if near else ""
    return f"{field}: there is no file {shown}{relative}.{meant}"


MAX_BYTES = 4_000_000_000
"""Most bytes of a text file after decompression, as all of it is held in memory. A file of a few
megabytes may decompress to more than the memory of any machine."""
_CHUNK = 1 << 22
_ZSTD_CHUNK = 1 << 12
"""Compressed bytes per step: each may decompress to 32,000, and zstandard offers no limit."""


def read_content(
    file: BinaryIO, shown: str, compression: Compression | None, enough: int | None = None
) -> bytearray:
    """Reads and decompresses a text file, or only its beginning.

    Args:
        file: The open file, at its beginning.
        shown: Its name, for errors.
        compression: Its compression; None if it is not compressed.
        enough: Stop after this number of bytes.

    Raises:
        DataError: It is damaged, or larger than `MAX_BYTES`.
    """
    content = bytearray()
    try:
        for chunk in _chunks(file, compression):
            content += chunk
            if len(content) > MAX_BYTES:
                unpacked = " uncompressed" if compression else ""
                raise DataError(
                    f"{shown}: it has more than {MAX_BYTES:,} bytes{unpacked}, the limit for text "
                    "tables. Write it as Parquet, or split it."
                )
            if enough is not None and len(content) >= enough:
                break
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        why = str(error).rstrip(".")
        raise DataError(
            f"{shown}: the compressed file is damaged or incomplete ({why}). Download it again."
        ) from None
    return content


def _chunks(file: BinaryIO, compression: Compression | None) -> Iterator[bytes]:
    match compression:
        case "zst":
            yield from _decompress_zstd(file)
            return
        case "gz":
            read: Callable[[int], bytes] = gzip.GzipFile(fileobj=file).read
        case "xz":
            read = lzma.LZMAFile(file).read  # noqa: SIM115 (the caller closes `file`)
        case _:
            read = file.read
    while chunk := read(_CHUNK):
        yield chunk


def _decompress_zstd(file: BinaryIO) -> Iterator[bytes]:
    import zstandard

    decompressor = zstandard.ZstdDecompressor().decompressobj()
    compressed = file.read(_ZSTD_CHUNK)
    try:
        while compressed:
            yield decompressor.decompress(compressed)
            if decompressor.eof:  # A file may have several frames in a row.
                compressed = decompressor.unused_data or file.read(_ZSTD_CHUNK)
                if compressed:
                    decompressor = zstandard.ZstdDecompressor().decompressobj()
            else:
                compressed = file.read(_ZSTD_CHUNK)
    except zstandard.ZstdError as error:
        raise EOFError(str(error)) from None
    if not decompressor.eof:
        raise EOFError("unexpected end of file")


def read_table(
    path: str,
    form: TableFormat,
    columns: Collection[str] | None = None,
    field: str = "source.path",
    *,
    optional: Collection[str] = (),
    one_of: Collection[str] = (),
    others: bool = False,
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

    Raises:
        DataError: The file cannot be read, is malformed, or lacks a required column.
    """
    shown = escape(path)
    wanted = None if others else columns
    issues: Mapping[int, str] = {}
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
        content = as_utf8(content, shown, form.encoding)
        if kind == "jsonl":
            table, names = read_json_lines(content, shown)
        else:
            table, names, issues = read_delimited(
                content, shown, form.separator, separator_of(kind, None), form.quote, wanted
            )
    known = [name for name in names if name]
    chosen = known
    if columns is not None:
        needed = [column for column in columns if column in known or column not in optional]
        # A table without any of the columns is the wrong table.
        needed = list(dict.fromkeys(needed or columns))
        check_columns(f"table {shown}", known, needed)
        if not set(one_of) & set(known):
            check_columns(f"table {shown}", known, one_of)
        chosen = known if others else needed
    table = table.select(chosen).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    strings = pl.col(pl.String)
    is_missing = strings.is_in(["", *form.missing_values])
    table = table.with_columns(
        pl.when(is_missing).then(None).otherwise(strings).name.keep(),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(ROW),
    )
    found = issues_table({row: (None, reason) for row, reason in issues.items()})
    return Frame(table, shown, sha256, found, rows_are="row")


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
    for column in first.table.columns:
        kinds = {split: table.schema[column] for split, table in tables.items()}
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
    return replace(first, table=table, issues=issues_table(issues))


def _short_names(paths: list[str]) -> list[str]:
    """The names of files without their folders, unless these are ambiguous."""
    names = [os.path.basename(path) for path in paths]
    return names if len(set(names)) == len(names) else paths
