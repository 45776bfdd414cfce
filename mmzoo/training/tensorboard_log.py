"""TensorBoard event files of a run: scalars, images, texts and hyperparameters."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from mmzoo.lazy import np, tf
from mmzoo.training.events import EventWriter, last_steps, new_event_file

Split = Literal["train", "validation"]


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
