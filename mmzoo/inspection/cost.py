"""What a training takes: time and memory, by a few steps that are really taken and thrown away."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from mmzoo.devices import Devices, prepare_devices
from mmzoo.inspection.found import Cost
from mmzoo.lazy import tf
from mmzoo.model import Network
from mmzoo.run_log import shown_by
from mmzoo.sources import Data
from mmzoo.training.frozen import inputs_to_keep
from mmzoo.training.stage import Stage, new_stage
from mmzoo.training.times import Times

if TYPE_CHECKING:
    from mmzoo.config import Config

_STEPS = 24
"""Steps that are timed at most, after a first one which compiles them."""
_SECONDS = 20.0
"""No further step is taken after so long."""
_FEWEST = 3
_AT_ONCE = 2
"""Steps of one timing."""


def cost_of(config: Config, data: Data) -> Cost:
    """Takes some steps of a training and validates a batch, and throws away what came of it.

    Files of those rows are decoded before, as a training does with all that fit into memory; frozen
    encoders run in every step, while a training computes their features once.

    Args:
        config: fitted to the data.
        data: prepared.
    """
    train = config.train
    devices = prepare_devices("auto", train)
    few = _few_rows(data, {"train": _STEPS * train.batch_size, "validation": _validated(config)})
    cache_off = train.frozen_features.replace(keep="off")
    short = config.replace(
        train=train.replace(epochs=_STEPS + 1, frozen_features=cache_off, fine_tune=None)
    )
    built: list[Network] = []
    with shown_by(lambda message: None):
        stage = new_stage(0, 0, short, few, devices, built.append, Times())
        frozen = inputs_to_keep(built[0], config)
    seconds, steps = _timed_steps(stage)
    validation = _timed_validation(stage)
    per_epoch = -(-data.examples("train") // train.batch_size)
    batches = -(-data.examples("validation") // _validated(config))
    return Cost(
        steps=steps,
        device=str(devices),
        step_seconds=seconds,
        steps_per_epoch=per_epoch,
        epoch_seconds=per_epoch * seconds + batches * validation,
        epochs=train.epochs,
        memory=_most_memory(devices),
        frozen=tuple(frozen),
    )


def _validated(config: Config) -> int:
    return config.evaluation_batch_size


def _few_rows(data: Data, rows: dict[str, int]) -> Data:
    """The first rows of each split; of the test split those that are there for its type."""
    return replace(
        data,
        splits={
            split: {
                column: values[: rows.get(split, 1)].copy() for column, values in columns.items()
            }
            for split, columns in data.splits.items()
        },
        row_names={split: names[: rows.get(split, 1)] for split, names in data.row_names.items()},
    )


def _timed_steps(stage: Stage) -> tuple[float, int]:
    """Seconds of a step, and how many steps were timed."""
    batches = stage.training_batches(0)
    stage.loop.train(batches, 1)  # Traces and compiles.
    began, taken = time.monotonic(), 1
    times: list[float] = []
    while taken + _AT_ONCE <= min(stage.last_step, _STEPS) or len(times) < _FEWEST:
        before = time.monotonic()
        stage.loop.train(batches, _AT_ONCE)
        times.append((time.monotonic() - before) / _AT_ONCE)
        taken += _AT_ONCE
        if time.monotonic() - began > _SECONDS and len(times) >= _FEWEST:
            break
    return median(times), taken - 1


def _timed_validation(stage: Stage) -> float:
    """Seconds of the validation of one batch, the second time: the first one compiles."""
    seconds = 0.0
    for _ in range(2):
        before = time.monotonic()
        stage.loop.validate(stage.validation_batches)
        seconds = time.monotonic() - before
    return seconds


def _most_memory(devices: Devices) -> int:
    """Bytes that this process has held at once, or that its GPUs have, if it has any."""
    if devices.kind == "gpu":
        gpus = tf.config.list_logical_devices("GPU")
        return sum(
            int(tf.config.experimental.get_memory_info(gpu.name.removeprefix("/device:"))["peak"])
            for gpu in gpus
        )
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
