"""The bytes of a table's file: opened with care, unpacked up to a limit, and what it claims."""

from __future__ import annotations

import errno
import gzip
import hashlib
import lzma
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from mmzoo.errors import DataError
from mmzoo.sources.table.format import Compression, Encoding, Kind, kind_of
from mmzoo.spec import nearest
from mmzoo.spec.words import printable

MAX_BYTES = 4_000_000_000
"""Of text, once it is unpacked: all of it is held in memory. A file of a few megabytes can unpack
to more than any machine holds."""
_CHUNK = 1 << 22
_ZSTD_CHUNK = 1 << 12
"""Of packed bytes: each can become 32,000, and there is no way to ask for less of them."""

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
    (b"version https://git-lfs", "a pointer of Git LFS: run `git lfs pull` for the file itself"),
    (b"<!doctype html", "a web page, as of a download that went wrong"),
    (b"<html", "a web page, as of a download that went wrong"),
)
_SUFFIX = {
    "a Parquet file": ".parquet",
    "compressed by gzip": ".gz",
    "compressed by xz": ".xz",
    "compressed by zstd": ".zst",
}
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def checked_file(path: str, field: str = "source.path") -> tuple[str, Kind, Compression | None]:
    """The absolute path of a table, what it is and how it is compressed.

    The path may be a link: a config names it. To open a pipe may wait for ever, so only ordinary
    files are opened.

    Args:
        path: As it was written, relative to the working directory.
        field: Where it was written, for errors.

    Raises:
        DataError: It is no ordinary file with something in it, or not what its name says.
    """
    place = os.path.abspath(os.path.expanduser(path))
    shown = printable(path)
    try:
        status = os.stat(place)
    except OSError as error:
        raise DataError(_not_there(path, place, field, error)) from None
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise DataError(f"{field}: {shown} is {_KINDS.get(kind, 'something else')}, not a file.")
    if status.st_size == 0:
        raise DataError(f"{field}: {shown} is empty. Expected a table with a line of names first.")
    form, compression = kind_of(path)
    try:
        with open(place, "rb") as file:
            start = file.read(64)
    except OSError as error:
        raise DataError(f"{field}: {shown} cannot be read ({error.strerror}).") from None
    _check_magic(shown, start, form, compression)
    return place, form, compression


def content_of(place: str, shown: str, compression: Compression | None) -> bytearray:
    """All bytes of a text file, unpacked.

    Raises:
        DataError: It cannot be read, is damaged or larger than `MAX_BYTES`.
    """
    content = bytearray()
    try:
        with open(place, "rb") as file:
            for chunk in _chunks(file, compression):
                content += chunk
                if len(content) > MAX_BYTES:
                    unpacked = " unpacked" if compression else ""
                    raise DataError(
                        f"{shown}: it has more than {MAX_BYTES:,} bytes{unpacked}, which is what "
                        "mmzoo reads of a table of text. Write it as Parquet, or cut it up."
                    )
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        why = str(error).rstrip(".")
        raise DataError(
            f"{shown}: the compressed file is damaged or not complete ({why}). Get it anew."
        ) from None
    except OSError as error:
        raise DataError(f"{shown}: it cannot be read ({error.strerror}).") from None
    return content


def sha256_of(place: str, shown: str) -> str:
    """Of a file's bytes as they are on the disk.

    Raises:
        DataError: They cannot be read.
    """
    try:
        with open(place, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{shown}: it cannot be read ({error.strerror}).") from None


def _chunks(file: BinaryIO, compression: Compression | None) -> Iterator[bytes]:
    match compression:
        case "zst":
            yield from _unpacked_zstd(file)
            return
        case "gz":
            read: Callable[[int], bytes] = gzip.GzipFile(fileobj=file).read
        case "xz":
            read = lzma.LZMAFile(file).read  # noqa: SIM115 (closed by who opened `file`)
        case _:
            read = file.read
    while chunk := read(_CHUNK):
        yield chunk


def _unpacked_zstd(file: BinaryIO) -> Iterator[bytes]:
    import zstandard

    unpacker = zstandard.ZstdDecompressor().decompressobj()
    packed = file.read(_ZSTD_CHUNK)
    try:
        while packed:
            yield unpacker.decompress(packed)
            if unpacker.eof:  # A file may have several frames, one after the other.
                packed = unpacker.unused_data or file.read(_ZSTD_CHUNK)
                if packed:
                    unpacker = zstandard.ZstdDecompressor().decompressobj()
            else:
                packed = file.read(_ZSTD_CHUNK)
    except zstandard.ZstdError as error:
        raise EOFError(str(error)) from None
    if not unpacker.eof:
        raise EOFError("it ends too early")


def as_utf8(content: bytearray, shown: str, encoding: Encoding) -> bytearray:
    """The same text in UTF-8, without a byte order mark.

    Raises:
        DataError: It is not text of this encoding; says where not.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) and encoding != "utf-16":
        raise DataError(
            f"{shown}: it is UTF-16 text. Write `encoding: utf-16` into the config's source, or "
            "save it as UTF-8."
        )
    nul = content[:1000].count(0)
    if encoding != "utf-16" and nul * 3 > min(len(content), 1000):
        raise DataError(
            f"{shown}: every other byte of it is 0, so it seems to be UTF-16 text. Write "
            "`encoding: utf-16` into the config's source, or save it as UTF-8."
        )
    if encoding != "utf-8":
        try:
            content = bytearray(content.decode(encoding).encode("utf-8"))
        except UnicodeError as error:
            raise DataError(
                f"{shown}: it is not {encoding} text ({error}). Set `source.encoding` to another."
            ) from None
    if content.startswith(b"\xef\xbb\xbf"):
        del content[:3]
    if encoding == "utf-8" and not content.isascii():
        _check_utf8(content, shown)
    place = content.find(0)
    if place >= 0:
        raise DataError(
            f"{shown}: line {line_of(content, place):,} has a NUL byte, which no text has: the "
            "file is damaged or no text. Get it anew, or take such bytes out."
        )
    return content


def line_of(content: bytearray, place: int) -> int:
    """The number of the line that a byte is in, counted from 1."""
    return content.count(b"\n", 0, place) + 1


def _check_utf8(content: bytearray, shown: str) -> None:
    start, size = 0, 1 << 24
    while start < len(content):
        end = min(start + size, len(content))
        # A chunk must not end within a character: those bytes begin with the bits 10.
        while end < len(content) and content[end] & 0xC0 == 0x80 and end > start + size - 4:
            end -= 1
        try:
            content[start:end].decode("utf-8")
        except UnicodeDecodeError as error:
            place = start + error.start
            raise DataError(
                f"{shown}: line {line_of(content, place):,} is not UTF-8 text, at byte "
                f"0x{content[place]:02x}. Save it as UTF-8, or write `encoding: windows-1252` or "
                "`encoding: latin-1` into the config's source if that is what it is."
            ) from None
        start = end


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
        raise DataError(f"{shown}: it is {found}, not what its name says.{rename}")
    raise DataError(
        f"{shown}: its name says that it is {expected}, and its first bytes are of something else. "
        "Rename it after what it is, or get it anew."
    )


def _not_there(path: str, place: str, field: str, error: OSError) -> str:
    shown = printable(path)
    if error.errno == errno.ELOOP:
        return f"{field}: {shown} is a link that leads to itself."
    if os.path.islink(place):
        return f"{field}: {shown} is a link to a file that is not there."
    if error.errno == errno.EACCES:
        return f"{field}: there is no permission to read {shown}."
    if error.errno not in (errno.ENOENT, errno.ENOTDIR):
        return f"{field}: {shown} cannot be read ({error.strerror})."
    folder = os.path.dirname(place)
    relative = "" if os.path.isabs(path) else ", as seen from the working directory"
    if not os.path.isdir(folder):
        parent = printable(os.path.dirname(path))
        return f"{field}: there is no file {shown}{relative}, nor a folder {parent}."
    try:
        near = nearest(os.path.basename(place), os.listdir(folder))
    except OSError:
        near = None
    meant = f" Did you mean {printable(os.path.join(os.path.dirname(path), near))}?" if near else ""
    return f"{field}: there is no file {shown}{relative}.{meant}"
