"""The store's folder: what belongs to it, who may change it, and how things leave it.

    .lock                   held while anything is begun, named or removed
    <key>/                  an entry
    .<key>.<letters>.tmp/   one that is being written or removed; a dead process may have left it

Whether an entry is in use the kernel knows: its readers and its writer hold locks on the files of
its arrays, which end with the process, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from mmzoo.features.entry import DamagedError, folder_size, read_entry

_KEY = re.compile("[0-9a-f]{64}")
_PASSING = re.compile(r"\.[0-9a-f]{64}\.[0-9a-f]+\.tmp")


def is_key(name: str) -> bool:
    return _KEY.fullmatch(name) is not None


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Makes the folder, and lets no other process begin, name or remove anything in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("wb") as file:
        with suppress(OSError):  # Some network disks lock nothing; renaming still guards us.
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def unfinished(folder: Path, key: str) -> Iterator[Path]:
    """A new folder that is no entry before it is renamed, and is gone at the end if it was not."""
    path = _passing_name(folder / key)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def in_use(folder: Path) -> bool:
    with _held(folder) as held:
        return not held


def remove_unless_used(folder: Path) -> bool:
    """Removes an entry that no process reads or writes; returns whether it is gone."""
    with _held(folder) as held:
        if held:
            with suppress(FileNotFoundError):  # Another process was quicker.
                remove(folder)
        return held


def remove(path: Path) -> None:
    """Removes what has the name of an entry: at one moment it is whole, at the next it is none."""
    passing = _passing_name(path)
    os.rename(path, passing)
    _delete(passing)


def remove_leftovers(folder: Path) -> None:
    """Removes what dead processes left, and entries that cannot be read. Only if `alone`."""
    for path in list(folder.iterdir()):
        if _PASSING.fullmatch(path.name):
            with _held(path) as held:
                if held:
                    _delete(path)
        elif is_key(path.name) and _is_damaged(path):
            with suppress(OSError):
                remove_unless_used(path)


def living_size(folder: Path) -> int:
    """Bytes that entries take which are being written."""
    size = 0
    for path in list(folder.iterdir()):
        if _PASSING.fullmatch(path.name):
            with suppress(FileNotFoundError):  # A writer that fails removes its own.
                size += folder_size(path)
    return size


def _passing_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def _is_damaged(folder: Path) -> bool:
    try:
        read_entry(folder)
    except DamagedError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Locks the arrays of an entry against readers; False where one is in use.

    Also where the file system cannot lock: what may be in use is left alone.
    """
    with ExitStack() as stack:
        try:
            for path in folder.glob("*.npy"):
                # For writing, since network disks lock for writers only what is open for writing.
                file = stack.enter_context(path.open("r+b"))
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def _delete(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)
