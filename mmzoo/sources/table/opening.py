"""Whether a path is that of a table which may be opened, and is what its name says."""

from __future__ import annotations

import errno
import hashlib
import os
import stat

from mmzoo.errors import DataError
from mmzoo.sources.media import KINDS_OF_PATHS
from mmzoo.sources.table.format import Compression, Kind, kind_of
from mmzoo.spec import nearest
from mmzoo.spec.wording import printable

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
"""What a file is by its first bytes, in capitals or not."""
_SUFFIX = {
    "a Parquet file": ".parquet",
    "compressed by gzip": ".gz",
    "compressed by xz": ".xz",
    "compressed by zstd": ".zst",
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
        raise DataError(
            f"{field}: {shown} is {KINDS_OF_PATHS.get(kind, 'something else')}, not a file."
        )
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
