"""Files of a run: written atomically, and checked when they are read again."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmzoo.errors import RunError
from mmzoo.lazy import np


@contextmanager
def replacing(path: Path, suffix: str = "") -> Iterator[Path]:
    """Yields a temporary path next to `path`, which replaces `path` at the end of the block.

    Neither a crash nor a full disk leaves a partial file at `path`: the content is fsynced before
    the rename, and if the block raises, the old file stays.

    Args:
        path: the file to write or replace. Its folder is created if needed.
        suffix: the ending of the temporary name, for writers that depend on it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp{suffix}")
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, path)
        sync(path.parent)
    except OSError as error:
        if error.errno is not None:
            error.filename = str(path)  # A full disk often does not say which file.
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes or replaces a UTF-8 file atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes an NPZ file atomically; equal arrays give equal files."""
    with replacing(path, suffix=".npz") as temporary:
        np.savez(temporary, allow_pickle=False, **dict(sorted(arrays.items())))


def sync(path: Path) -> None:
    """Waits until a file's content, or a directory's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        RunError: there is no such file, or it is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{path}: there is no such file; the training did not finish") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise RunError(f"{path}: expected a JSON object, got {type(content).__name__}")
    return content


def check_entries(path: Path, content: Mapping[str, Any], entries: Mapping[str, Any]) -> None:
    """Raises a RunError if an entry, given by its dotted path, is missing or of another type."""
    for name, kind in entries.items():
        found: Any = content
        for key in name.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        if not isinstance(found, kind):
            raise RunError(f"{path}: damaged: {name} is missing or has a wrong type")


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an NPZ file by name, checked to be finite numbers.

    Raises:
        RunError: there is no such file, or it is damaged.
    """
    if not path.is_file():
        raise RunError(f"{path}: there is no such file; the training did not finish")
    try:
        with zipfile.ZipFile(path) as file:
            # numpy verifies only the bytes that it reads.
            if damaged := file.testzip():
                raise zipfile.BadZipFile(f"{damaged} has a wrong checksum")
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:  # Damaged archives raise almost any exception.
        raise RunError(f"{path}: damaged, it cannot be used ({error})") from error
    for name, values in arrays.items():
        if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
            raise RunError(f"{path}: damaged: {name} has values that are not finite numbers")
    return arrays
