"""Feature cache: the outputs of frozen encoders on disk, shared by all runs of a user.

    <cache>/<key>/meta.json     what the features were computed from, shape, checksum
    <cache>/<key>/vector.npy    the features; `numpy.load` reads them too
    <cache>/.<key>.<pid>.tmp/   an entry that is being written or removed

There are no locks. An entry is written under a temporary name, fsynced and renamed, so it is
complete from the moment it has its name. A reader verifies the checksum, so damage is found and
the features are computed again. Removing an entry that another process has mapped is safe: POSIX
keeps the bytes until the last map is closed.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import logging
import math
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mmzoo.errors import DataError
from mmzoo.files import sync, write_text
from mmzoo.lazy import np
from mmzoo.spec.wording import size_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

DEFAULT_LIMIT = 10_000_000_000
"""Bytes that all entries may take together."""
FREE_SPACE_ADVICE = (
    "Free some space, or set MMZOO_CACHE_DIR to a folder on another disk, or "
    "`train.frozen_features.keep: memory`."
)
_FORMAT = 1
"""Version of the file format. It is part of every key, so entries of others are never found."""
_ABANDONED = 86_400
"""Seconds without a write after which a temporary folder counts as abandoned."""
_META, _ARRAY = "meta.json", "vector"
_KEY = re.compile(r"[0-9a-f]{64}")
_TEMPORARY = re.compile(r"\.[0-9a-f]{64}\..+\.tmp")

DType = Literal["float16", "float32"]


@dataclass(frozen=True)
class FeatureKey:
    """Everything that features depend on; equal keys mean equal features.

    Attributes:
        description: for people, not part of the digest: `mobilenet_v2 on photos, train`.
        parts: hashes of the examples and the weights, specs of preprocessing and encoder (as
            JSON), dtype, copies, versions: whatever changes the features, by name.
    """

    description: str
    parts: Mapping[str, str | int | float | bool | None]

    @property
    def digest(self) -> str:
        """The sha256 of the parts as canonical JSON, 64 hexadecimal digits."""
        content = {"format": _FORMAT, "parts": dict(self.parts)}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class CacheEntry:
    """One entry of the cache: size in bytes, times in seconds since 1970.

    Its folder is named after the key's digest. `used` is when it was last opened.
    """

    folder: Path
    key: FeatureKey
    shape: tuple[int, ...]
    dtype: DType
    sha256: str
    size: int
    created: float
    used: float

    @property
    def digest(self) -> str:
        return self.folder.name


class _DamagedError(Exception):
    """An entry is damaged; the message is the reason."""


@dataclass(frozen=True)
class FeatureCache:
    """Features on disk by their key. Any number of processes may use one folder.

    Attributes:
        folder: the folder of all entries, created with the first one.
        limit: bytes that all entries may take. The least recently used ones are evicted.
    """

    folder: Path
    limit: int = DEFAULT_LIMIT

    def find(self, key: FeatureKey) -> NDArray[np.floating] | None:
        """The features of a key, `[rows, width]`, mapped read-only; None if not in the cache.

        A damaged entry is removed with a warning.
        """
        folder = self.folder / key.digest
        if not os.path.lexists(folder):
            return None
        try:
            return _open_array(_read_entry(folder))
        except _DamagedError as error:
            logger.warning(
                f"Cached features of {key.description} are damaged ({error}), so they are computed "
                "again."
            )
            with suppress(OSError):  # Another process has just removed it, or it is not ours.
                _remove(folder)
            return None

    def add(
        self,
        key: FeatureKey,
        shape: tuple[int, ...],
        dtype: DType,
        batches: Iterable[NDArray[np.floating]],
    ) -> NDArray[np.floating] | None:
        """Writes features batch by batch and returns them as `find` does.

        A process killed on the way leaves only a temporary folder, which is never read and is
        removed after a day. If two processes add the same key, the first to finish wins.

        Args:
            key: what the features are computed from.
            shape: of all rows together.
            dtype: to store them in.
            batches: consecutive rows, C-contiguous and in `dtype`. Not started if there is no room.

        Returns:
            The features; None if they cannot be cached, for a reason that is logged.

        Raises:
            DataError: the disk is full before the end. Nothing is left on it.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            obstacle = self._make_room(_size(shape, dtype))
            temporary = _temporary_path(self.folder / key.digest)
            if not obstacle:
                temporary.mkdir()
        except OSError as error:
            obstacle = f"{self.folder}: {error.strerror}. {FREE_SPACE_ADVICE}"
        if obstacle:
            logger.info(f"Features of {key.description} are not cached: {obstacle}")
            return None
        try:
            self._write(temporary, key, shape, dtype, batches)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return self.find(key)

    def entries(
        self, prefixes: Sequence[str] = (), unused_for: float = 0.0
    ) -> tuple[CacheEntry, ...]:
        """The entries of the cache, the most recently used first.

        Args:
            prefixes: only entries whose digest begins with one of these.
            unused_for: only entries not used for so many seconds.

        Raises:
            DataError: no digest begins with one of the prefixes.
        """
        found = []
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            with suppress(_DamagedError, OSError):
                if _KEY.fullmatch(path.name):
                    found.append(_read_entry(path))
        for prefix in prefixes:
            if not any(entry.digest.startswith(prefix) for entry in found):
                raise DataError(
                    f"no cached features have a key that begins with `{prefix}`. "
                    "`mmzoo data cache` lists those there are."
                )
        chosen = tuple(prefixes) or ("",)
        latest = time.time() - unused_for
        found = [e for e in found if e.digest.startswith(chosen) and e.used <= latest]
        return tuple(sorted(found, key=lambda entry: entry.used, reverse=True))

    def remove(self, entries: Iterable[CacheEntry]) -> None:
        """Removes entries, even while other processes use them, and leftovers of dead processes."""
        for entry in entries:
            with suppress(FileNotFoundError):
                _remove(entry.folder)
        self._remove_leftovers()

    def _make_room(self, size: int) -> str:
        """Removes the least recently used entries until `size` more bytes fit the limit and disk.

        Returns:
            Why they cannot fit, in which case nothing is removed; "" if they do.
        """
        self._remove_leftovers()
        entries = list(self.entries())
        taken = sum(entry.size for entry in entries)
        free = shutil.disk_usage(self.folder).free
        if size > self.limit:
            limit = size_text(self.limit)
            return f"they take {size_text(size)}, and `train.frozen_features.limit` is {limit}."
        if size > free + taken:
            room = f"{self.folder} has room for {size_text(free + taken)}"
            return f"they take {size_text(size)}, and {room}. {FREE_SPACE_ADVICE}"
        while entries and (taken + size > self.limit or size > free):
            oldest = entries.pop()
            with suppress(FileNotFoundError):  # Another process was quicker.
                _remove(oldest.folder)
            logger.info(f"Cached features of {oldest.key.description} are removed to make room.")
            taken, free = taken - oldest.size, free + oldest.size
        return ""

    def _remove_leftovers(self) -> None:
        for path in list(self.folder.iterdir()) if self.folder.is_dir() else ():
            with suppress(OSError):
                if _TEMPORARY.fullmatch(path.name):
                    newest = max(each.stat().st_mtime for each in (path, *path.iterdir()))
                    if time.time() - newest > _ABANDONED:
                        shutil.rmtree(path, ignore_errors=True)

    def _write(
        self,
        temporary: Path,
        key: FeatureKey,
        shape: tuple[int, ...],
        dtype: DType,
        batches: Iterable[NDArray[np.floating]],
    ) -> None:
        """Writes an entry's files into a temporary folder and renames it to the key's digest."""

        @contextmanager
        def disk_errors() -> Iterator[None]:
            try:
                yield
            except OSError as error:
                raise DataError(
                    f"features of {key.description} cannot be cached: {self.folder}: "
                    f"{error.strerror}. They take {size_text(_size(shape, dtype))}. "
                    f"{FREE_SPACE_ADVICE}"
                ) from error

        digest = hashlib.sha256()
        # Written, not mapped: on a full disk a write raises, but a map kills the process.
        with disk_errors():
            file = (temporary / f"{_ARRAY}.npy").open("wb", buffering=0)
        with file:
            for part in chain([_npy_header(shape, dtype)], batches):
                data = part.reshape(-1).view(np.uint8).data
                digest.update(data)
                with disk_errors():
                    while data:  # One call writes two gigabytes at most.
                        data = data[file.write(data) :]
            with disk_errors():
                os.fsync(file.fileno())
        meta = {
            "what": key.description,
            "parts": dict(key.parts),
            "arrays": {_ARRAY: {"shape": shape, "dtype": dtype, "sha256": digest.hexdigest()}},
            "created": time.time(),
        }
        with disk_errors():
            write_text(temporary / _META, json.dumps(meta, indent=2) + "\n")
            try:
                os.rename(temporary, self.folder / key.digest)
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # Another was quicker.
                    raise
            sync(self.folder)


def _read_entry(folder: Path) -> CacheEntry:
    try:
        meta = folder / _META
        content: dict[str, Any] = json.loads(meta.read_bytes())
        array = content["arrays"][_ARRAY]
        entry = CacheEntry(
            folder,
            FeatureKey(content["what"], content["parts"]),
            tuple(array["shape"]),
            array["dtype"],
            array["sha256"],
            size=sum(path.stat().st_size for path in folder.iterdir()),
            created=content["created"],
            used=meta.stat().st_mtime,
        )
    except OSError as error:
        raise _DamagedError(f"{_META} cannot be read: {error.strerror}") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise _DamagedError(f"{_META} is malformed") from error
    if entry.key.digest != entry.digest:
        raise _DamagedError("it is the entry of another key")
    return entry


def _open_array(entry: CacheEntry) -> NDArray[np.floating]:
    """Maps an entry's array once its checksum is verified, and marks the entry as used.

    Hashing takes about 1 s per GB, a small part of the first epoch, which reads the same bytes.
    """
    path = entry.folder / f"{_ARRAY}.npy"
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != entry.sha256:
                raise _DamagedError(f"{path.name} has another checksum")
        array: NDArray[np.floating] = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise _DamagedError(f"{path.name} cannot be read: {error.strerror}") from error
    with suppress(OSError):  # A cache that others filled may be read-only.
        os.utime(entry.folder / _META)
    return array


def _npy_header(shape: tuple[int, ...], dtype: DType) -> NDArray[np.uint8]:
    from numpy.lib import format as npy

    header = io.BytesIO()
    fields = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(header, fields)
    return np.frombuffer(header.getvalue(), np.uint8)


def _size(shape: tuple[int, ...], dtype: DType) -> int:
    return math.prod(shape) * (2 if dtype == "float16" else 4)


def _temporary_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def _remove(path: Path) -> None:
    """Removes an entry, or whatever has its name; no reader ever sees a part of it."""
    temporary = _temporary_path(path)
    os.rename(path, temporary)
    if temporary.is_symlink() or not temporary.is_dir():
        temporary.unlink()
    else:
        shutil.rmtree(temporary, ignore_errors=True)
