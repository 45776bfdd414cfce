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
from mmzoo.modalities.base_input import features_column
from mmzoo.preprocessing import Arrays
from mmzoo.run_log import shown_by
from mmzoo.training.stage import Stage, new_stage, stages
from mmzoo.training.timer import Timer

_STEPS = 24
"""The maximum number of timed steps, after a first one that compiles them."""
_SECONDS = 20.0
"""No further step is started after this time."""
_MIN_TIMINGS = 3
_STEPS_PER_TIMING = 2


def estimate_cost(config: Config, data: Arrays) -> Cost:
    """Runs some training steps of each stage and validates a batch; the weights are dropped.

    As in a training, the files of these rows are decoded once, and frozen encoders whose features
    are cached run once per row.

    Args:
        config: Fitted to the data.
        data: Transformed.
    """
    train = config.train
    devices = prepare_devices("auto", train)
    few = _first_rows(
        data, {"train": _STEPS * train.batch_size, "validation": config.evaluation_batch_size}
    )
    first, *others = (
        _estimate_stage(number, config, data, few, devices) for number in range(stages(config))
    )
    return replace(
        first,
        memory=_peak_memory(devices),
        total_seconds=sum(one.total_seconds for one in (first, *others)),
        fine_tune_seconds=sum(one.total_seconds for one in others),
    )


def _estimate_stage(
    number: int, config: Config, data: Arrays, few: Arrays, devices: Devices
) -> Cost:
    """The cost of one stage."""
    timer = Timer()
    with shown_by(lambda message: None):
        stage = new_stage(number, 0, _shortened(config), few, devices, lambda network: None, timer)
    seconds, steps = _timed_steps(stage)
    validation = _timed_validation(stage)
    columns = stage.training_inputs.data.splits["train"]
    per_epoch = -(-data.examples("train") // config.train.batch_size)
    batches = -(-data.examples("validation") // config.evaluation_batch_size)
    epochs = config.train.epochs
    if number and config.train.fine_tune is not None:
        epochs = config.train.fine_tune.epochs
    epoch_seconds = per_epoch * seconds + batches * validation
    # Features of frozen encoders and decoded files, which each row needs once.
    once = sum(timer.seconds.values()) * _rows(data) / _rows(few)
    return Cost(
        steps=steps,
        device=str(devices),
        step_seconds=seconds,
        steps_per_epoch=per_epoch,
        epoch_seconds=epoch_seconds,
        epochs=epochs,
        memory=0,
        frozen=tuple(name for name in config.inputs if features_column(name) in columns),
        once_seconds=once,
        total_seconds=once + epochs * epoch_seconds,
    )


def _shortened(config: Config) -> Config:
    """The config with just enough epochs for the timed steps, and nothing written to the cache."""
    train, epochs = config.train, _STEPS + 1
    features, fine_tune = train.frozen_features, train.fine_tune
    if features.keep == "disk":
        features = features.replace(keep="memory")
    if fine_tune is not None:
        fine_tune = fine_tune.replace(epochs=epochs)
    train = train.replace(epochs=epochs, frozen_features=features, fine_tune=fine_tune)
    return config.replace(train=train)


def _rows(data: Arrays) -> int:
    return sum(data.examples(split) for split in data.splits)


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
