"""Writes the files of a new entry, batch by batch, in a folder that is not yet one."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from mmzoo.errors import DataError
from mmzoo.features.entry import write_meta
from mmzoo.features.folder import alone
from mmzoo.features.layout import Layout, in_layout, size_text
from mmzoo.features.origin import Origin
from mmzoo.lazy import np

MENDS = (
    "Free some space, or set MMZOO_CACHE_DIR to a folder on another disk, or "
    "`train.frozen_features.keep: memory`."
)
"""What helps where a disk has no room for features or refuses them."""


class ArrayFile:
    """One array's file while it is written: its checksum comes by the way.

    Written, not mapped: a full disk ends a write with an error, but a map with a signal that kills
    the process. Nor does what was written count as this process's memory.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.layout = layout
        self._digest = hashlib.sha256()
        self._file = path.open("xb", buffering=0)
        with suppress(OSError):  # Not every network disk can.
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def close(self) -> None:
        self._file.close()

    def set_aside(self) -> None:
        """Takes all of the array's bytes from the disk, before an encoder has run for nothing."""
        try:
            os.posix_fallocate(self._file.fileno(), 0, max(1, self.layout.size))
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # Not every disk can.
                raise

    def begin(self) -> None:
        from numpy.lib import format as npy

        header = io.BytesIO()
        descr = np.dtype(self.layout.dtype).str
        fields = {"descr": descr, "fortran_order": False, "shape": self.layout.shape}
        npy.write_array_header_1_0(header, fields)
        self._append(np.frombuffer(header.getvalue(), np.uint8))

    def append(self, rows: np.ndarray) -> None:
        """Appends rows, C-contiguous and of the layout's dtype."""
        self._append(rows.reshape(-1).view("uint8"))

    def _append(self, values: np.ndarray) -> None:
        self._digest.update(values.data)
        while len(values):  # One call writes no more than two gigabytes.
            values = values[self._file.write(values.data) :]

    def finish(self) -> str:
        """Waits until the disk has taken all bytes, or says why not; returns their sha256."""
        os.fsync(self._file.fileno())
        return self._digest.hexdigest()


@contextmanager
def array_files(folder: Path, layouts: Mapping[str, Layout]) -> Iterator[dict[str, ArrayFile]]:
    """Makes a file for each array, locked for as long as the block lasts, with all of its room.

    Raises:
        OSError: the folder cannot be written, or the disk has not as much room.
    """
    with ExitStack() as stack:
        files = {}
        for name, layout in layouts.items():
            files[name] = ArrayFile(folder / f"{name}.npy", layout)
            stack.callback(files[name].close)
            files[name].set_aside()
        yield files


def write_entry(
    folder: Path,
    files: Mapping[str, ArrayFile],
    origin: Origin,
    batches: Iterable[Mapping[str, np.ndarray]],
) -> None:
    """Writes all that an entry consists of and, once the disk has taken it, gives it its name.

    Another process may have been quicker with an entry of this name. Then that one is kept.

    Args:
        folder: unfinished, with the files in it.
        files: of the arrays.
        origin: what the features are made of.
        batches: some rows of every array at a time.

    Raises:
        DataError: a feature cannot be kept as its layout wants it, or the disk refuses bytes.
    """
    layouts = {name: file.layout for name, file in files.items()}
    size = sum(layout.size for layout in layouts.values())

    @contextmanager
    def writing() -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DataError(
                f"features of {origin.what} cannot be kept: {folder.parent}: {error.strerror}. "
                f"They take {size_text(size)}. Nothing of them was left there. {MENDS}"
            ) from error

    # What goes wrong while a batch is made is not the disk's fault, so that is not within it.
    with writing():
        for file in files.values():
            file.begin()
    for batch in in_layout(origin.what, layouts, batches):
        with writing():
            for name, rows in batch.items():
                files[name].append(rows)
    with writing():
        digests = {name: file.finish() for name, file in files.items()}
        # Not waited for: a power cut may cost the entry, but its checksums see to the rest.
        write_meta(folder, origin, layouts, digests, time.time())
        _give_name(folder, origin.key)


def _give_name(folder: Path, key: str) -> None:
    with alone(folder.parent):
        try:
            os.rename(folder, folder.with_name(key))
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
