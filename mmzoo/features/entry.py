"""One entry of the store: a folder of arrays and of what is known about them.

    <key>/meta.json     what the features were made of, shapes, checksums; sealed by its own
    <key>/vector.npy    one file an array, which `numpy.load` reads too

An entry is used only as it was written. Each file's sha256 is taken anew whenever an entry is
opened: at about 1 GB a second that costs a small part of the first epoch, which reads the same
bytes, and nothing less would notice a byte that the disk lost or another program changed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmzoo.features.layout import Arrays, Layout
from mmzoo.features.origin import Origin, digest_of_json
from mmzoo.lazy import np

META = "meta.json"


class DamagedError(Exception):
    """An entry is not as it was written. The text says in what."""


@dataclass(frozen=True)
class Entry:
    """What is kept under one key.

    Attributes:
        folder: where. Its name is the key.
        origin: what the features were made of.
        layouts: of each array.
        digests: the sha256 of each array's file.
        size: bytes of all its files.
        created: when it was written, in seconds since 1970.
        used: when it was last opened, likewise.
    """

    folder: Path
    origin: Origin
    layouts: Mapping[str, Layout]
    digests: Mapping[str, str]
    size: int
    created: float
    used: float

    @property
    def key(self) -> str:
        return self.folder.name


def write_meta(
    folder: Path,
    origin: Origin,
    layouts: Mapping[str, Layout],
    digests: Mapping[str, str],
    created: float,
) -> None:
    """Writes down what an entry's arrays are."""
    content = {
        "what": origin.what,
        "parts": dict(origin.parts),
        "arrays": {
            name: {"shape": layout.shape, "dtype": layout.dtype, "sha256": digests[name]}
            for name, layout in layouts.items()
        },
        "created": created,
    }
    sealed = {"sha256": digest_of_json(content), **content}
    (folder / META).write_text(json.dumps(sealed, indent=2) + "\n", encoding="utf-8")


def read_entry(folder: Path) -> Entry:
    """What is known about an entry. Its arrays are not looked into.

    Raises:
        DamagedError: it is none of ours, or not as it was written.
    """
    meta = folder / META
    try:
        content: dict[str, Any] = json.loads(meta.read_bytes())
        if content.pop("sha256") != digest_of_json(content):
            raise DamagedError(f"{META} was changed")
        origin = Origin(content["what"], content["parts"])
        layouts = {
            name: Layout(tuple(array["shape"]), array["dtype"])
            for name, array in content["arrays"].items()
        }
        entry = Entry(
            folder,
            origin,
            layouts,
            {name: array["sha256"] for name, array in content["arrays"].items()},
            folder_size(folder),
            content["created"],
            meta.stat().st_mtime,
        )
    except PermissionError:
        raise
    except OSError as error:
        raise DamagedError(f"{META} cannot be read ({error.strerror})") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise DamagedError(f"{META} is not as it was written") from error
    if origin.key != folder.name:
        raise DamagedError("it was written under another name or in another format")
    return entry


def open_arrays(entry: Entry) -> Arrays:
    """An entry's arrays, mapped read-only, once all of their bytes are seen to be as written.

    As long as one of them is mapped, its file is locked, and the entry is not taken away to make
    room. Counts as a use of the entry.

    Raises:
        DamagedError: a file is missing, or not as it was written.
    """
    arrays = {}
    for name, layout in entry.layouts.items():
        path = entry.folder / f"{name}.npy"
        try:
            arrays[name] = _mapped(path, layout, entry.digests[name])
        except PermissionError:
            raise
        except OSError as error:
            raise DamagedError(f"{path.name} cannot be read ({error.strerror})") from error
    with suppress(OSError):  # A cache that others filled may be read-only.
        os.utime(entry.folder / META)
    return arrays


def _mapped(path: Path, layout: Layout, digest: str) -> np.ndarray:

    # A link could lead to a file that changes after it was looked at.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        with suppress(OSError):  # Not every network disk can; then nothing is evicted either.
            fcntl.flock(file, fcntl.LOCK_SH)
        if hashlib.file_digest(file, "sha256").hexdigest() != digest:
            raise DamagedError(f"{path.name} has another checksum than it was written with")
        offset = os.fstat(file.fileno()).st_size - layout.size
        # The map keeps a duplicate of the descriptor, and the lock with it, until it is unmapped.
        return np.memmap(file, layout.dtype, "r", offset=offset, shape=layout.shape)


def folder_size(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.iterdir())
