"""TensorBoard event files: writing, reading, and truncating them when a training is resumed.

An event file is a sequence of TFRecords (length, payload, checksums), each with an `Event` protocol
buffer. TensorBoard draws events in file order. So after a crash the steps after the last checkpoint
must be removed before they are trained again, or the curves would run backwards.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmzoo.errors import TrainingError
from mmzoo.files import sync
from mmzoo.lazy import tf

EVENT_FILES = "events.out.tfevents.*"
"""Pattern of event files. TensorBoard reads any file with "tfevents" in its name."""
FLUSH_SECONDS = 5.0
"""Seconds between flushes, by which a file may lag behind the training."""


class EventWriter:
    """Writes events to one file, in the calling thread; an existing file is overwritten.

    Writing an event takes microseconds, so there is no queue or thread that could lose it. Flushed
    events survive kill -9; an incomplete record at the end is dropped by `truncate_events`.

    Raises:
        TrainingError: the disk is full, or the file cannot be written for another reason.
    """

    def __init__(self, path: Path) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._path = path
        self._flushed = time.monotonic()
        with self._disk_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._records = tf.io.TFRecordWriter(str(path))
        # The first event of a file must have the format version.
        self.write(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def write(self, event: Any) -> None:
        """Appends an `Event`; flushes the file every few seconds."""
        with self._disk_errors():
            self._records.write(event.SerializeToString())
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Hands everything written so far to the operating system."""
        self._flushed = time.monotonic()
        with self._disk_errors():
            self._records.flush()

    def close(self) -> None:
        self.flush()  # Closing alone would not report a full disk.
        self._records.close()

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, tf.errors.OpError) as error:
            raise TrainingError(
                f"{self._path}: the TensorBoard log cannot be written: {error}. "
                "Free some space or fix the permissions, then continue with --resume."
            ) from error


def new_event_file(directory: Path) -> Path:
    """A new path in `directory` that sorts after existing files, as TensorBoard reads by name."""
    return directory / f"events.out.tfevents.{time.time_ns()}"


def read_events(path: Path) -> Iterator[Any]:
    """Yields the `Event`s of a file, up to the first incomplete or damaged record.

    The records after a damaged one cannot be found, as its length is not reliable.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    try:
        yield from LegacyEventFileLoader(str(path)).Load()
    except DecodeError:  # Valid records with another content.
        return


def read_scalars(directory: Path) -> dict[str, list[tuple[int, float]]]:
    """The curves in one split's directory, as TensorBoard draws them.

    Returns:
        Tag -> steps and values, in file order.
    """
    curves = defaultdict(list)
    for path in sorted(directory.glob(EVENT_FILES)):
        for event in read_events(path):
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    curves[value.tag].append((event.step, value.simple_value))
    return dict(curves)


def last_steps(directory: Path) -> dict[str, int]:
    """Tag -> the last step with a value, in one split's directory."""
    last: dict[str, int] = {}
    for path in directory.glob(EVENT_FILES):
        for event in read_events(path):
            for value in event.summary.value:
                last[value.tag] = max(event.step, last.get(value.tag, event.step))
    return last


def truncate_events(directory: Path, step: int) -> None:
    """Removes all events after global step `step` from the event files below `directory`.

    The files of each directory are merged into one, in which every tag has each step once and in
    order. The new file is renamed into place atomically; if a crash keeps the others from being
    removed, the next call removes them. No other process may write the files meanwhile.

    Raises:
        TrainingError: the disk is full. The files are unchanged.
    """
    for split in sorted({path.parent for path in directory.rglob(EVENT_FILES)}):
        paths = sorted(split.glob(EVENT_FILES))
        events = [event for path in paths for event in read_events(path) if event.step <= step]
        # TensorBoard would read a temporary file that has "tfevents" in its name.
        temporary = split / "cut.tmp"
        writer = EventWriter(temporary)
        for event in _each_step_once(events):
            writer.write(event)
        writer.close()
        sync(temporary)
        os.replace(temporary, paths[0])
        for path in paths[1:]:
            path.unlink()
        sync(split)


def _each_step_once(events: list[Any]) -> list[Any]:
    """Events with values, by step. Of several values of a tag for one step, the last one counts."""
    seen: set[tuple[str, int]] = set()
    unique = []
    for event in reversed(events):
        values = [value for value in event.summary.value if (value.tag, event.step) not in seen]
        if not values:
            continue
        seen.update((value.tag, event.step) for value in values)
        if len(values) < len(event.summary.value):
            event.summary.ClearField("value")
            event.summary.value.extend(values)
        unique.append(event)
    unique.reverse()  # Sorting is stable, so events of one step stay in this order.
    return sorted(unique, key=lambda event: event.step)
