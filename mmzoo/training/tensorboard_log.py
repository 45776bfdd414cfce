"""TensorBoard event files of a run: writing, reading, and truncating them on a resume.

An event file is a sequence of TFRecords (length, payload, checksums), each with an `Event` protocol
buffer. TensorBoard draws events in file order. So after a crash the steps after the last checkpoint
must be removed before they are trained again, or the curves would run backwards.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from mmzoo.errors import TrainingError
from mmzoo.files import sync
from mmzoo.lazy import np, tf

Split = Literal["train", "validation"]
EVENT_FILES = "events.out.tfevents.*"
"""Pattern of event files. TensorBoard reads any file with "tfevents" in its name."""
FLUSH_SECONDS = 5.0
"""Seconds between flushes, by which a file may lag behind the training."""


class TensorBoardLog:
    """Writes the event files of one run.

    `directory/train` and `directory/validation` hold the same tags, so TensorBoard draws both
    curves in one chart; `directory` itself holds texts and hyperparameters of the run. Each file
    is created on the first write. Events are built here and not by `tf.summary`, whose scalars
    take fifty times as long.

    The steps of a tag only increase: a value is dropped if the files hold that step of its tag
    already, or a later one. So a training that was killed between an epoch's last checkpoint and
    its end may log that step again. Events after the checkpoint are removed by `truncate_events`.

    Raises:
        TrainingError: from any method, if the disk is full.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._started = time.time()
        self._writers: dict[Path, EventWriter] = {}
        self._last_steps: dict[Path, dict[str, int]] = {}

    def scalars(self, split: Split, step: int, values: Mapping[str, float]) -> None:
        """Adds one point to each of several curves."""
        self._write(self._directory / split, step, _scalars(values))

    def images(self, split: Split, step: int, tag: str, images: np.ndarray) -> None:
        """Adds images under one tag.

        Args:
            images: uint8 `[count, height, width, channels]`, or one image without the count;
                1 channel is greyscale, 3 are RGB, 4 have alpha.
        """
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.compat.proto.types_pb2 import DT_STRING
        from tensorboard.plugins.image.metadata import create_summary_metadata
        from tensorboard.util.tensor_util import make_tensor_proto

        batch = images if images.ndim == 4 else images[None]
        height, width = batch.shape[1:3]
        # The images plugin reads one tensor of strings: width, height, then each PNG.
        strings = [str(width).encode(), str(height).encode()]
        strings += [tf.io.encode_png(image).numpy() for image in batch]
        value = Summary.Value(
            tag=tag,
            metadata=create_summary_metadata(display_name=None, description=None),
            tensor=make_tensor_proto(strings, dtype=DT_STRING),
        )
        self._write(self._directory / split, step, [value])

    def text(self, tag: str, step: int, markdown: str) -> None:
        """Adds a text about the run, shown as Markdown."""
        from tensorboard.plugins.text.summary_v2 import text_pb

        self._write(self._directory, step, text_pb(tag, markdown).value)

    def hparams(
        self,
        values: Mapping[str, bool | float | str],
        metrics: Mapping[str, float],
        step: int = 0,
    ) -> None:
        """Adds the finished run to the HPARAMS tab.

        Args:
            values: the hyperparameters.
            metrics: the results. Tags that the splits have too add a point to their charts.
            step: the global step at which the metrics hold.
        """
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.hparams.api_pb2 import STATUS_SUCCESS
        from tensorboard.plugins.hparams.summary import session_end_pb, session_start_pb

        start = session_start_pb(dict(values), start_time_secs=self._started)
        end = session_end_pb(STATUS_SUCCESS)
        for made in (start, end):
            # The plugin returns TensorFlow's `Summary`: the same message, but another class.
            session = Summary.FromString(made.SerializeToString())
            self._write(self._directory, step, session.value)
        self._write(self._directory, step, _scalars(metrics))

    def flush(self) -> None:
        """Hands all events to the operating system.

        To be called before a checkpoint is saved: a resumed training continues after the
        checkpoint's step and does not log earlier ones again.
        """
        for writer in self._writers.values():
            writer.flush()

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def _write(self, directory: Path, step: int, values: Iterable[Any]) -> None:
        """Writes one event with those `Summary.Value`s whose tags are not at this step yet."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        if directory not in self._writers:
            self._last_steps[directory] = last_steps(directory)
            self._writers[directory] = EventWriter(new_event_file(directory))
        last = self._last_steps[directory]
        new = [value for value in values if last.get(value.tag, -1) < step]
        last.update((value.tag, step) for value in new)
        if new:
            event = Event(wall_time=time.time(), step=step, summary=Summary(value=new))
            self._writers[directory].write(event)


def _scalars(values: Mapping[str, float]) -> list[Any]:
    from tensorboard.compat.proto.summary_pb2 import Summary

    return [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]


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
