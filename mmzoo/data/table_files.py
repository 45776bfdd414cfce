"""Table files: opening, checking and decompressing them."""

from __future__ import annotations

import errno
import gzip
import lzma
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from mmzoo.data.media_paths import KINDS_OF_PATHS
from mmzoo.data.table_format import Compression, Kind, kind_of
from mmzoo.errors import DataError
from mmzoo.spec import nearest
from mmzoo.spec.wording import escape

MAX_BYTES = 4_000_000_000
"""Most bytes of a text file after decompression, as all of it is held in memory. A file of a few
megabytes may decompress to more than the memory of any machine."""
_CHUNK = 1 << 22
_ZSTD_CHUNK = 1 << 12
"""Compressed bytes per step: each may decompress to 32,000, and zstandard offers no limit."""
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
_EXPORT = "Open it in the program that wrote it, and export the table as CSV."
_DOWNLOAD = "Download the file itself, or export the table as CSV."
_FIX = {
    "a zip archive or an Excel workbook": "Unpack the archive, or save the Excel sheet as CSV.",
    "an old Excel workbook": "Save the sheet as CSV.",
    "a 7z archive": "Unpack it.",
    "compressed by bzip2": "Unpack it.",
    "an Arrow file": _EXPORT,
    "a SQLite database": _EXPORT,
    "an HDF5 file": _EXPORT,
    "a PDF document": _EXPORT,
    "a web page, probably from a failed download": _DOWNLOAD,
}
"""How to get a table from a file of another kind."""


def table_exists(path: str) -> bool:
    """Whether a table's path exists."""
    return os.path.lexists(os.path.expanduser(path))


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
        fix = f"Add {_SUFFIX[found]} to its name." if found in _SUFFIX else _FIX.get(found, "")
        raise DataError(f"{shown}: it is {found}, which does not match its suffix. {fix}".rstrip())
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
