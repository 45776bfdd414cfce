"""The store of kept features: found by what they were made of, bounded, shared by all runs."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from mmzoo.errors import DataError
from mmzoo.features.entry import DamagedError, Entry, open_arrays, read_entry
from mmzoo.features.folder import (
    alone,
    in_use,
    is_key,
    living_size,
    remove,
    remove_leftovers,
    remove_unless_used,
    unfinished,
)
from mmzoo.features.layout import Arrays, Layout, size_text
from mmzoo.features.origin import Origin
from mmzoo.features.writing import MENDS, array_files, write_entry
from mmzoo.lazy import np

logger = logging.getLogger(__name__)

LIMIT = 10_000_000_000
"""Bytes that are kept where nothing else is said."""


class _NoRoomError(Exception):
    """An entry is too large for what the limit, other entries in use or the disk leave."""


@dataclass(frozen=True)
class FeatureStore:
    """Features on disk, by what they were made of.

    Any number of processes may use one folder. Nothing in it is changed in place: an entry comes
    whole, by renaming, and goes the same way. What is not named like an entry is left alone.

    Attributes:
        folder: where the entries are. It is made when the first is.
        limit: bytes that all of them may take. Those unused for longest make room for new ones.
    """

    folder: Path
    limit: int = LIMIT

    def find(self, origin: Origin) -> Arrays | None:
        """The features of this origin, or None where there are none that can be trusted.

        Returns:
            Arrays by name, mapped from the disk and read-only: `vector` `[rows, width]`, say. As
            long as one of them lives, no process takes the entry away to make room.
        """
        folder = self.folder / origin.key
        if not os.path.lexists(folder):
            return None
        try:
            return open_arrays(read_entry(folder))
        except PermissionError as error:
            logger.info(f"Kept features of {origin.what}: {error.filename} may not be read.")
            return None
        except DamagedError:
            return self._second_look(origin)

    def _second_look(self, origin: Origin) -> Arrays | None:
        """Opens an entry while none can be removed, as it may have been; removes it if damaged."""
        folder = self.folder / origin.key
        with suppress(OSError), alone(self.folder):  # A folder that others own stays as it is.
            if not os.path.lexists(folder):
                return None
            try:
                return open_arrays(read_entry(folder))
            except DamagedError as error:
                logger.info(
                    f"Kept features of {origin.what} are damaged, so they are removed: {error}."
                )
                remove(folder)
        return None

    def keep(
        self,
        origin: Origin,
        layouts: Mapping[str, Layout],
        batches: Iterable[Mapping[str, np.ndarray]],
    ) -> Arrays | None:
        """Writes features as they come, then gives what `find` gives.

        It takes the memory of one batch. A process killed on the way leaves nothing that is ever
        used, and the next writer removes it. Where two write the same features at once, the entry
        of the first to end is kept.

        Args:
            origin: what they are made of.
            layouts: of the arrays, by name.
            batches: some rows of every array at a time, in order. Begun only if there is room.

        Returns:
            The arrays; or None where they cannot be kept, which is told.

        Raises:
            DataError: a feature is not finite or too large for its dtype, or the disk refuses
                bytes that it had promised.
        """
        size = sum(layout.size for layout in layouts.values())
        with ExitStack() as stack:
            try:
                with alone(self.folder):
                    self._make_room(size)
                    folder = stack.enter_context(unfinished(self.folder, origin.key))
                    files = stack.enter_context(array_files(folder, layouts))
            except _NoRoomError as error:
                logger.info(f"Features of {origin.what} are not kept on disk: {error}")
                return None
            except OSError as error:
                why = f"{self.folder}: {error.strerror}"
                logger.info(f"Features of {origin.what} are not kept on disk: {why}. {MENDS}")
                return None
            write_entry(folder, files, origin, batches)
        return self.find(origin)

    def entries(self, prefixes: Sequence[str] = (), unused_for: float = 0.0) -> tuple[Entry, ...]:
        """What is kept, that which was used last first.

        Args:
            prefixes: beginnings of keys; if there are any, only entries with one of them.
            unused_for: seconds; only entries not used for so long.

        Raises:
            DataError: no key begins with one of the prefixes.
        """
        found = []
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            with suppress(DamagedError, OSError):
                if is_key(path.name):
                    found.append(read_entry(path))
        for prefix in prefixes:
            if not any(entry.key.startswith(prefix) for entry in found):
                raise DataError(
                    f"no kept features have a key that begins with `{prefix}`. "
                    "`mmzoo data cache` lists those there are."
                )
        asked = tuple(prefixes) or ("",)
        latest = time.time() - unused_for
        chosen = [e for e in found if e.key.startswith(asked) and e.used <= latest]
        return tuple(sorted(chosen, key=lambda entry: entry.used, reverse=True))

    def remove(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """Removes entries, and what dead processes left; returns those in use, which stay."""
        if not self.folder.is_dir():
            return ()
        with alone(self.folder):
            remove_leftovers(self.folder)
            return tuple(entry for entry in entries if not remove_unless_used(entry.folder))

    def _make_room(self, size: int) -> None:
        """Removes entries, those unused for longest first, until `size` bytes more will fit.

        Raises:
            _NoRoomError: they would not even then. Nothing is removed.
        """
        remove_leftovers(self.folder)
        entries = self.entries()
        taken = sum(entry.size for entry in entries) + living_size(self.folder)
        free = shutil.disk_usage(self.folder).free
        lacking = max(taken + size - self.limit, size - free)
        idle = [entry for entry in reversed(entries) if not in_use(entry.folder)]
        removable = sum(entry.size for entry in idle)
        if lacking > removable:
            raise _NoRoomError(self._why_no_room(size, taken - removable, free + removable))
        for entry in idle:
            if lacking <= 0:
                return
            if remove_unless_used(entry.folder):
                logger.info(f"Kept features of {entry.origin.what} are removed to make room.")
                lacking -= entry.size

    def _why_no_room(self, size: int, used: int, free: int) -> str:
        they_take = f"they take {size_text(size)}"
        if size > self.limit:
            return f"{they_take}, and `train.frozen_features.limit` is {size_text(self.limit)}."
        if size > free:
            return f"{they_take}, and {self.folder} has room for {size_text(free)}. {MENDS}"
        return (
            f"{they_take}, and features in use take {size_text(used)} of the "
            f"{size_text(self.limit)} of `train.frozen_features.limit`."
        )
