"""Opening: what must be known of files before a pipeline decodes them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from mmzoo.inputs.found_whole import newly_damaged
from mmzoo.inputs.opened import Opened, Unopened, has_file
from mmzoo.inputs.reading import UnreadableError, in_threads, read_file
from mmzoo.lazy import np

_UNREAD = "0" * 64
"""In the place of a hash, where there is nothing to hash."""

_Header = TypeVar("_Header")


@dataclass(frozen=True)
class FileKind(Generic[_Header]):
    """A kind of file, and how it is looked into."""

    type: str
    """Of the input that reads it."""
    noun: str
    """What is in one: "picture"."""
    header: Callable[[bytes], _Header]
    """From a file's content to what it says of itself; or raises an UnreadableError."""
    told: Callable[[_Header], str]
    """What of that a pipeline, or whoever looks at the column, must know."""
    damage: Callable[[np.ndarray], str | None]
    """Decodes an opened file, bytes `[3]`; why it cannot be, as a clause, if it cannot."""


def opened_files(column: Unopened, kind: FileKind[_Header]) -> tuple[Opened, list[_Header]]:
    """Reads files once, for what their headers say and for a hash of what is in them.

    Where they are to be decoded too, it is for damage that no header tells of, and without those
    that were found whole before.

    Args:
        column: Paths, text `[examples]`.
        kind: Of the files.

    Returns:
        Columns of bytes `[examples, 3]`, path, what the kind tells and sha256; and the headers of
        all files that can be read.
    """
    values, bad, headers, content = {}, {}, [], hashlib.sha256()
    for split, paths in column.values.items():
        shut = set(column.known_bad(split))
        names = ["" if row in shut else path for row, path in enumerate(paths.tolist())]
        # Several rows may have one file: the questions on a picture.
        once = list(dict.fromkeys(names))
        each = in_threads(lambda path: _opened(path, kind), once, "Opened", f"{kind.noun}s")
        of_name = dict(zip(once, each, strict=True))
        found = [of_name[name] for name in names]
        values[split] = _column(paths.tolist(), found, kind)
        bad[split] = {
            row: file for row, file in enumerate(found) if isinstance(file, str) and row not in shut
        }
        if column.decode:
            whole = [row for row, file in enumerate(found) if not isinstance(file, str)]
            damaged = newly_damaged(
                kind.type, values[split][whole], lambda files: damaged_files(files, kind)
            )
            bad[split] |= {whole[place]: reason for place, reason in damaged.items()}
        for row, file in enumerate(found):
            if row not in bad[split] and not isinstance(file, str):
                header, sha256 = file
                headers.append(header)
                content.update(sha256.encode())
    return Opened(values, bad, content.hexdigest()), headers


def damaged_files(files: np.ndarray, kind: FileKind[_Header]) -> dict[int, str]:
    """Decodes all files; row -> why it cannot be, as a clause, for those that cannot.

    Args:
        files: Bytes `[examples, 3]`, as `opened_files` has them.
        kind: Of the files.
    """
    there = has_file(files).nonzero()[0]
    given = list(files[there])
    reasons = in_threads(kind.damage, given, "Looked for damage in", f"{kind.noun}s")
    return {
        row: reason
        for row, reason in zip(there.tolist(), reasons, strict=True)
        if reason is not None
    }


def _opened(path: str, kind: FileKind[_Header]) -> tuple[_Header, str] | str:
    """Header and hash of a file, or why it cannot be read."""
    try:
        content = read_file(path, kind.noun)
        return kind.header(content), hashlib.sha256(content).hexdigest()
    except UnreadableError as error:
        return str(error)


def _column(
    paths: Sequence[str], found: Sequence[tuple[_Header, str] | str], kind: FileKind[_Header]
) -> np.ndarray:

    parts = [("1", _UNREAD) if isinstance(f, str) else (kind.told(f[0]), f[1]) for f in found]
    rows = [
        (os.fsencode(path), told.encode(), sha256.encode())
        for path, (told, sha256) in zip(paths, parts, strict=True)
    ]
    return np.array(rows, dtype=np.bytes_).reshape(-1, 3)
