"""The list of sha256 that lies beside a set of thousands of files, and the check against it."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from mmzoo.errors import DataError
from mmzoo.sources.media import MAX_BYTES

_LINE = re.compile(r"([0-9a-f]{64}) [ *](?:\./)?(.+)")
_NAMED = 5
"""How many files a message names."""


def check_listed(sums: Path, folders: Collection[str], where: str) -> None:
    """Checks all files of some folders against the list of their sha256.

    Args:
        sums: The list, as `sha256sum` writes it, itself checked; the files lie beside it.
        folders: Those that count, relative to the list: "recordings".
        where: What the files are of, for errors.

    Raises:
        DataError: A file is not there, cannot be read or is another one.
    """
    listed = list(_listed(sums, folders))
    wrong = []
    for name, digest in listed:
        problem = _problem(sums.parent / name, digest)
        if problem:
            wrong.append(f"{name}: {problem}")
    if wrong:
        raise DataError(
            f"{where}: {len(wrong):,} of {len(listed):,} files in {sums.parent} are not the "
            f"official ones:\n{_shortened(wrong)}\nPut the right ones there."
        )


def _listed(sums: Path, folders: Collection[str]) -> Iterator[tuple[str, str]]:
    """The name and sha256 of each file in the folders."""
    for line in sums.read_text(encoding="utf-8").splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise DataError(f"{sums} is not a list of sha256: '{line[:80]}'.")
        digest, name = match.groups()
        if os.path.dirname(name) in folders:
            yield name, digest


def _problem(path: Path, digest: str) -> str | None:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return "it is no ordinary file"  # To open a pipe may wait for ever.
        if status.st_size > MAX_BYTES:
            return f"it has {status.st_size:,} bytes"
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return "there is no such file"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None if found == digest else f"its sha256 is {found}, expected {digest}"


def _shortened(lines: Sequence[str]) -> str:
    shown = [f"  {line}" for line in lines[:_NAMED]]
    if len(lines) > _NAMED:
        shown.append(f"  and {len(lines) - _NAMED:,} more")
    return "\n".join(shown)
