"""TensorBoard's event files: written, read back, and cut to where a resumed training goes on.

An event file is a row of TFRecords (length, payload, checksums), each payload one `Event` protocol
buffer. TensorBoard draws what it finds in the order it finds it. So after a crash the steps beyond
the last checkpoint must go before they are trained again, or every curve runs back on itself.
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
"""What TensorBoard takes for an event file is any name with "tfevents" in it."""
FLUSH_SECONDS = 5.0
"""How far behind the training a file may be while it is written."""


class EventWriter:
    """Writes events to one file, in the calling thread; a file that exists is overwritten.

    An event costs microseconds, so there is no queue and no thread to lose it: whatever was
    flushed survives kill -9, and what was not is at worst a torn record that `cut_events` drops.

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
        # TensorBoard takes a file's first event for its format.
        self.write(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def write(self, event: Any) -> None:
        """Appends an `Event`; every few seconds the file is flushed as well."""
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
        self.flush()  # Closing alone keeps silent about a full disk.
        self._records.close()

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, tf.errors.OpError) as error:
            raise TrainingError(
                f"{self._path}: the TensorBoard log cannot be written: {error}. "
                "Make room or mend the permissions, then go on with --resume."
            ) from error


def new_event_file(directory: Path) -> Path:
    """A free name in `directory` that sorts after those there: TensorBoard reads by name."""
    return directory / f"events.out.tfevents.{time.time_ns()}"


def read_events(path: Path) -> Iterator[Any]:
    """Yields a file's whole `Event`s, up to the first record that is torn or damaged.

    What follows a damaged record cannot be found: its length is a part of the damage.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    try:
        yield from LegacyEventFileLoader(str(path)).Load()
    except DecodeError:  # Sound records of something else.
        return


def read_scalars(directory: Path) -> dict[str, list[tuple[int, float]]]:
    """The curves in one split's directory, as TensorBoard draws them.

    Returns:
        For each tag its steps and values, in the order they stand in the files.
    """
    curves = defaultdict(list)
    for path in sorted(directory.glob(EVENT_FILES)):
        for event in read_events(path):
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    curves[value.tag].append((event.step, value.simple_value))
    return dict(curves)


def last_steps(directory: Path) -> dict[str, int]:
    """For each tag in one split's directory the greatest step it has a value for."""
    last: dict[str, int] = {}
    for path in directory.glob(EVENT_FILES):
        for event in read_events(path):
            for value in event.summary.value:
                last[value.tag] = max(event.step, last.get(value.tag, event.step))
    return last


def cut_events(directory: Path, step: int) -> None:
    """Removes all events after global step `step` from the event files below `directory`.

    The files of each directory become one, in which every tag has each step once and in order.
    The new file takes its place in one move; a crash before the others are removed is mended by
    the next cut. Nothing may be writing the files meanwhile.

    Raises:
        TrainingError: the disk is full; the files are as they were.
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
    """The events that hold values, by step; of a tag's values for one step the last counts."""
    seen: set[tuple[str, int]] = set()
    kept = []
    for event in reversed(events):
        values = [value for value in event.summary.value if (value.tag, event.step) not in seen]
        if not values:
            continue
        seen.update((value.tag, event.step) for value in values)
        if len(values) < len(event.summary.value):
            event.summary.ClearField("value")
            event.summary.value.extend(values)
        kept.append(event)
    kept.reverse()  # Sorting leaves events of one step in this order.
    return sorted(kept, key=lambda event: event.step)
