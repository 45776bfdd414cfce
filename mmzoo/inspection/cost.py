"""The cost of a training, in time and memory, estimated from a few steps that are discarded."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from statistics import median

from mmzoo.config import Config
from mmzoo.devices import Devices, prepare_devices
from mmzoo.inspection.data_report import Cost
from mmzoo.lazy import tf
from mmzoo.model import Network
from mmzoo.preprocessing import Arrays
from mmzoo.run_log import shown_by
from mmzoo.training.frozen_features import inputs_to_cache
from mmzoo.training.stage import Stage, new_stage
from mmzoo.training.timer import Timer

_STEPS = 24
"""The maximum number of timed steps, after a first one that compiles them."""
_SECONDS = 20.0
"""No further step is started after this time."""
_MIN_TIMINGS = 3
_STEPS_PER_TIMING = 2


def estimate_cost(config: Config, data: Arrays) -> Cost:
    """Runs some training steps and validates a batch; the weights are dropped.

    The files of these rows are decoded first, as a training does with all that fit into
    memory. Frozen encoders run in every step, while a training computes their features once.

    Args:
        config: Fitted to the data.
        data: Transformed.
    """
    train = config.train
    devices = prepare_devices("auto", train)
    few = _first_rows(
        data, {"train": _STEPS * train.batch_size, "validation": _validation_batch_size(config)}
    )
    cache_off = train.frozen_features.replace(keep="off")
    short = config.replace(
        train=train.replace(epochs=_STEPS + 1, frozen_features=cache_off, fine_tune=None)
    )
    built: list[Network] = []
    with shown_by(lambda message: None):
        stage = new_stage(0, 0, short, few, devices, built.append, Timer())
        frozen = inputs_to_cache(built[0], config)
    seconds, steps = _timed_steps(stage)
    validation = _timed_validation(stage)
    per_epoch = -(-data.examples("train") // train.batch_size)
    batches = -(-data.examples("validation") // _validation_batch_size(config))
    return Cost(
        steps=steps,
        device=str(devices),
        step_seconds=seconds,
        steps_per_epoch=per_epoch,
        epoch_seconds=per_epoch * seconds + batches * validation,
        epochs=train.epochs,
        memory=_peak_memory(devices),
        frozen=tuple(frozen),
    )


def _validation_batch_size(config: Config) -> int:
    return config.evaluation_batch_size


def _first_rows(data: Arrays, rows: dict[str, int]) -> Arrays:
    """The first rows of each split; one of the test split, for its dtypes."""
    return replace(
        data,
        splits={
            split: {
                column: values[: rows.get(split, 1)].copy() for column, values in columns.items()
            }
            for split, columns in data.splits.items()
        },
    )


def _timed_steps(stage: Stage) -> tuple[float, int]:
    """The median seconds per step, and the number of timed steps."""
    batches = stage.training_batches(0)
    stage.loop.train(batches, 1)  # Traces and compiles.
    began, taken = time.monotonic(), 1
    times: list[float] = []
    while taken + _STEPS_PER_TIMING <= min(stage.last_step, _STEPS) or len(times) < _MIN_TIMINGS:
        before = time.monotonic()
        stage.loop.train(batches, _STEPS_PER_TIMING)
        times.append((time.monotonic() - before) / _STEPS_PER_TIMING)
        taken += _STEPS_PER_TIMING
        if time.monotonic() - began > _SECONDS and len(times) >= _MIN_TIMINGS:
            break
    return median(times), taken - 1


def _timed_validation(stage: Stage) -> float:
    """Seconds for validating one batch, once it is compiled."""
    seconds = 0.0
    for _ in range(2):
        before = time.monotonic()
        stage.loop.validate(stage.validation_batches)
        seconds = time.monotonic() - before
    return seconds


def _peak_memory(devices: Devices) -> int:
    """Peak bytes of this process, or of its GPUs if it has any."""
    if devices.kind == "gpu":
        gpus = tf.config.list_logical_devices("GPU")
        return sum(
            int(tf.config.experimental.get_memory_info(gpu.name.removeprefix("/device:"))["peak"])
            for gpu in gpus
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
