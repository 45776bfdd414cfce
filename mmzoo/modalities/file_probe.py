"""File probing: headers, content hashes, damage and flaws. Each file is opened once."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from mmzoo.data.frame import Frame, text_path
from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.modalities.integrity_cache import IntegrityCache
from mmzoo.modalities.scan import Scan
from mmzoo.spec.wording import escape

logger = logging.getLogger(__name__)

MAX_BYTES = 200_000_000

_THREADS = 8
_CHUNK_SIZE = 32
"""Files per task of a thread: submitting a single one costs as much as opening it."""
_LOG_SECONDS = 10.0
"""Interval of progress messages."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class UnreadableError(DataError):
    """Why a file cannot be read, as a clause without the file's name."""


def read_file(path: str | Path, what: str) -> bytes:
    """The contents of a regular file of at most `MAX_BYTES`.

    Args:
        path: path of the file.
        what: its expected content, for errors: "image".

    Raises:
        UnreadableError: it is missing, too large, not a regular file or not readable.
    """
    try:
        with open(path, "rb", opener=_open_nonblocking) as file:
            status = os.fstat(file.fileno())
            # Reading a device might never end.
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableError(f"expected an {what} file, found a device or a pipe")
            if status.st_size > MAX_BYTES:
                raise UnreadableError(
                    f"the file has {status.st_size:,} bytes, and mmzoo reads at most "
                    f"{MAX_BYTES:,}: make it smaller"
                )
            return file.read(MAX_BYTES)
    except IsADirectoryError:
        raise UnreadableError(f"expected an {what} file, found a folder") from None
    except OSError as error:
        raise UnreadableError(error.strerror) from None


def _open_nonblocking(path: str, flags: int) -> int:
    """Opens a file without blocking, even a pipe without a writer."""
    return os.open(path, flags | os.O_NONBLOCK)


def in_threads(
    do: Callable[[_Item], _Result], items: Sequence[_Item], done: str, what: str
) -> list[_Result]:
    """Maps a function over items in threads, in order, with progress messages.

    Args:
        do: function that releases the GIL most of the time, such as I/O or decoding.
        items: its arguments; there may be many.
        done: past participle for the messages: "Opened".
        what: plural noun for the messages: "image files".
    """
    results: list[_Result] = []
    logged = time.monotonic()
    pool = ThreadPoolExecutor(_THREADS)
    try:
        starts = range(0, len(items), _CHUNK_SIZE)
        chunks = (items[start : start + _CHUNK_SIZE] for start in starts)
        for part in pool.map(lambda chunk: [do(item) for item in chunk], chunks):
            results += part
            if time.monotonic() - logged >= _LOG_SECONDS:
                logger.info(f"{done} {len(results):,} of {len(items):,} {what}.")
                logged = time.monotonic()
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C must not wait for the remaining files.
    return results


_NO_HASH = "0" * 64
"""Placeholder hash of a missing or unreadable file."""
_NO_INFO = "1"

_Header = TypeVar("_Header")


@dataclass(frozen=True)
class FileKind(Generic[_Header]):
    """A kind of file, and the functions that probe it."""

    type: str
    """`type` of the input that reads it."""
    noun: str
    """What such a file contains: "image"."""
    header: Callable[[bytes], _Header]
    """Parses the header of a file's content; raises an UnreadableError."""
    info: Callable[[_Header], str]
    """The part of the header that decoding or a report on the data needs."""
    find_flaw: Callable[[bytes, str], str | None]
    """Decodes a file's content, given its `info`; raises an UnreadableError if it is damaged.

    Returns how nothing or only a part of its content reaches the model, or None for a good file.
    The text continues "12 of 80 files" and is the same for all files of one kind: "are silent"."""
    flaws_of: str = ""
    """Settings on which flaws depend, for a file name: good files are remembered for each."""


@dataclass(frozen=True)
class _Probed(Generic[_Header]):
    header: _Header
    sha256: str
    flaw: str | None


def scan_files(frame: Frame, column: str, kind: FileKind[_Header]) -> tuple[Scan, list[_Header]]:
    """Reads and decodes each file once, for its header, a hash of its content, damage and flaws.

    Files of rows that already have issues are not opened. Contents that decoded before are not
    decoded again.

    Args:
        frame: all rows.
        column: column of paths, see `path_text`; null where the file is missing.
        kind: kind of the files.

    Returns:
        A scan with structs of `path`, `info` and `sha256`, and the headers of all readable files,
        split by split.
    """
    texts = frame.table[column].to_list()
    paths = [None if text is None else text_path(text) for text in texts]
    known = set(frame.issues["row"].to_list())
    # Rows may share a file, such as several questions about one image.
    unique = list(dict.fromkeys(p for r, p in enumerate(paths) if p is not None and r not in known))
    cache = IntegrityCache(kind.type + kind.flaws_of)
    results = in_threads(
        lambda path: _probe(path, kind, cache), unique, "Checked", f"{kind.noun} files"
    )
    cache.add([one.sha256 for one in results if isinstance(one, _Probed) and one.flaw is None])
    by_path = dict(zip(unique, results, strict=True))
    found = [
        None if path is None or row in known else by_path[path] for row, path in enumerate(paths)
    ]
    values = [
        None if text is None else {"path": text, **_parts(probed, kind)}
        for text, probed in zip(texts, found, strict=True)
    ]
    schema = pl.Struct({"path": pl.String, "info": pl.String, "sha256": pl.String})
    probed_files = pl.Series(column, values, dtype=schema)
    bad = {row: probed for row, probed in enumerate(found) if isinstance(probed, str)}
    headers, content = [], hashlib.sha256()
    for rows in frame.rows.values():
        for row in rows.tolist():
            probed = found[row]
            if isinstance(probed, _Probed):
                headers.append(probed.header)
                content.update(probed.sha256.encode())
    issues = {row: with_file_name(frame, column, paths[row] or "", why) for row, why in bad.items()}
    warnings = tuple(_flaw_warnings(frame, found, paths))
    return Scan(probed_files, issues, content.hexdigest(), warnings=warnings), headers


def _flaw_warnings(
    frame: Frame,
    found: Sequence[_Probed[_Header] | str | None],
    paths: Sequence[str | None],
) -> Iterator[str]:
    """A warning for each kind of flaw, with the number of files and an example."""
    rows: dict[str, dict[str | None, int]] = {}
    for row, probed in enumerate(found):
        if isinstance(probed, _Probed) and probed.flaw is not None:
            rows.setdefault(probed.flaw, {}).setdefault(paths[row], row)
    good = len({path for path, one in zip(paths, found, strict=True) if isinstance(one, _Probed)})
    for flaw, of_files in rows.items():
        path, row = next(iter(of_files.items()))
        name = escape(frame.row_name(row))
        if frame.rows_are != "file":
            name = f"{escape(os.path.basename(path or ''))} ({name})"
        yield f"{len(of_files):,} of {good:,} files {flaw}; for example {name}"


def with_file_name(frame: Frame, column: str, path: str | bytes, reason: str) -> str:
    """A reason preceded by its column and file, unless rows are named by their files anyway."""
    if frame.rows_are == "file":
        return reason
    return f"its `{column}`, {escape(os.path.basename(os.fsdecode(path)))}: {reason}"


def file_array(files: pl.Series) -> np.ndarray:
    """Probed files as bytes `[rows, 3]`: path, info and sha256; a missing file has an empty path.

    Unlike structs, such an array can be passed to TensorFlow.
    """
    table = files.struct.unnest()
    rows = [
        (
            os.fsencode(text_path(path or "")),
            (info or _NO_INFO).encode(),
            (sha256 or _NO_HASH).encode(),
        )
        for path, info, sha256 in table.iter_rows()
    ]
    return np.array(rows, dtype=np.bytes_).reshape(-1, 3)


def are_files(values: np.ndarray) -> bool:
    """Whether a transformed column holds files to decode, rather than arrays."""
    return values.dtype.kind == "S"


def has_file(files: np.ndarray) -> np.ndarray:
    """Which rows of a transformed column of files have a file: bool `[rows]`."""
    return files[:, 0] != b""


def decode_errors(files: np.ndarray, kind: FileKind[_Header]) -> dict[int, str]:
    """Decodes files; returns row -> why its file cannot be decoded, as a clause.

    Args:
        files: bytes `[rows, 3]`, see `file_array`.
        kind: kind of the files.
    """

    def damage(file: np.ndarray) -> str | None:
        try:
            kind.find_flaw(read_file(os.fsdecode(file[0]), kind.noun), file[1].decode())
        except UnreadableError as error:
            return str(error)
        return None

    rows = has_file(files).nonzero()[0]
    reasons = in_threads(damage, list(files[rows]), "Checked", f"{kind.noun} files")
    return {
        row: reason
        for row, reason in zip(rows.tolist(), reasons, strict=True)
        if reason is not None
    }


def _probe(path: str, kind: FileKind[_Header], cache: IntegrityCache) -> _Probed[_Header] | str:
    """Header, content hash and flaw of a file, or why it cannot be read."""
    try:
        content = read_file(path, kind.noun)
        header = kind.header(content)
        digest = hashlib.sha256(content).hexdigest()
        flaw = None if digest in cache else kind.find_flaw(content, kind.info(header))
        return _Probed(header, digest, flaw)
    except UnreadableError as error:
        return str(error)


def _parts(probed: _Probed[_Header] | str | None, kind: FileKind[_Header]) -> dict[str, str]:
    if not isinstance(probed, _Probed):
        return {"info": _NO_INFO, "sha256": _NO_HASH}
    return {"info": kind.info(probed.header), "sha256": probed.sha256}
