"""Reading: the bytes of files from anywhere, with care and in threads."""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from mmzoo.errors import DataError

logger = logging.getLogger(__name__)

MAX_BYTES = 200_000_000

_THREADS = 8
_TOGETHER = 32
"""Files that a thread takes at once: to hand over a single one costs as much as to open it."""
_TOLD_EVERY = 10.0
"""Seconds between sentences on the progress."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class UnreadableError(DataError):
    """Why a file cannot be read, as a clause that does not name it."""


def read_file(path: str | Path, what: str) -> bytes:
    """All bytes of an ordinary file of moderate size.

    Args:
        path: The file's.
        what: Is expected in it: "picture".

    Raises:
        UnreadableError: It is none such, or cannot be read.
    """
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            found = os.fstat(file.fileno())
            # A device would be read without end.
            if not stat.S_ISREG(found.st_mode):
                raise UnreadableError(f"expected a {what} file, found a device or a pipe")
            if found.st_size > MAX_BYTES:
                raise UnreadableError(
                    f"the file has {found.st_size:,} bytes, and mmzoo reads up to {MAX_BYTES:,}: "
                    f"make the {what} smaller"
                )
            return file.read(MAX_BYTES)
    except IsADirectoryError:
        raise UnreadableError(f"expected a {what} file, found a folder") from None
    except OSError as error:
        raise UnreadableError(error.strerror) from None


def _without_waiting(path: str, flags: int) -> int:
    """Opens at once even what is a pipe that nobody writes to."""
    return os.open(path, flags | os.O_NONBLOCK)


def in_threads(
    do: Callable[[_Item], _Result], items: Sequence[_Item], done: str, what: str
) -> list[_Result]:
    """What `do` gives for each item, in their order; says now and then how many are done.

    Args:
        do: Spends its time outside of Python's lock: in the kernel, or in a decoder.
        items: Of which there may be very many.
        done: What was done to those that the sentences count: "Opened".
        what: They are: "pictures".
    """
    results: list[_Result] = []
    told = time.monotonic()
    pool = ThreadPoolExecutor(_THREADS)
    try:
        chunks = (items[start : start + _TOGETHER] for start in range(0, len(items), _TOGETHER))
        for part in pool.map(lambda chunk: [do(item) for item in chunk], chunks):
            results += part
            if time.monotonic() - told >= _TOLD_EVERY:
                logger.info(f"{done} {len(results):,} of {len(items):,} {what}.")
                told = time.monotonic()
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C does not wait for the files that are left.
    return results
