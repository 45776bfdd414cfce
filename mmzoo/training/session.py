"""Session: one training's parts, put together, and all that a checkpoint holds of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from mmzoo.checkpoint import restore_checkpoint, save_checkpoint
from mmzoo.config import Config
from mmzoo.data import TrainingOrder, evaluation_batches, training_batches
from mmzoo.devices import Devices
from mmzoo.lazy import tf
from mmzoo.model import build_model
from mmzoo.runs import Run
from mmzoo.schedules import Plateau
from mmzoo.sources import Data
from mmzoo.training.learning_rate import LearningRate
from mmzoo.training.loop import Loop
from mmzoo.training.tensorboard import TensorBoardLog
from mmzoo.training.watch import Best, EarlyStop, PlateauDrops


@dataclass
class Session:
    """A training between two steps. Everything that changes while it runs is here.

    Attributes:
        config: fitted to `data`.
        run: the run directory.
        data: all splits.
        devices: where it runs.
        order: which rows each step takes.
        learning_rate: the schedule that the optimizer follows.
        loop: the compiled model.
        best: the best epoch so far.
        early_stop: says when to end before the last epoch; None if it never should.
        plateau: lowers the learning rate; None with any other schedule.
        log: TensorBoard's files.
        history: a row for each epoch done.
        logged: the epoch's sum of losses, and of examples, at the last point of the step curves.
        saved_at: when the last checkpoint was made, by the monotonic clock.
    """

    config: Config
    run: Run
    data: Data
    devices: Devices
    order: TrainingOrder
    learning_rate: LearningRate
    loop: Loop
    best: Best
    early_stop: EarlyStop | None
    plateau: PlateauDrops | None
    log: TensorBoardLog
    history: list[dict[str, float]] = field(default_factory=list)
    logged: tuple[float, float] = (0.0, 0.0)
    saved_at: float = field(default_factory=time.monotonic)

    @property
    def step(self) -> int:
        """Steps done."""
        return int(self.loop.updates.step.numpy())

    @property
    def steps_per_epoch(self) -> int:
        return self.order.steps_per_epoch

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.config.train.epochs * self.steps_per_epoch

    @property
    def epoch_pending(self) -> bool:
        """Whether all steps of an epoch are done, and its validation is not."""
        return self.step == (len(self.history) + 1) * self.steps_per_epoch

    @property
    def finished(self) -> bool:
        stopped = self.early_stop is not None and self.early_stop.stop
        return not self.epoch_pending and (stopped or self.step >= self.steps)

    def training_batches(self) -> Any:
        """An iterator over the batches of all steps to come."""
        columns = self.data.splits["train"]
        batches = training_batches(self.config, columns, self.order, self.step, self.steps)
        return iter(_distributed(batches, self.devices))

    @cached_property
    def validation_batches(self) -> Any:
        """All validation batches in order, each time anew. Made once, with the arrays in them."""
        columns = self.data.splits["validation"]
        batches = evaluation_batches(self.config, columns, self.devices.replicas)
        return _distributed(batches, self.devices)

    def watch(self, epoch: int, value: float) -> None:
        """Shows the watched metric of an epoch to early stopping and plateau."""
        if self.early_stop:
            self.early_stop.update(epoch, value)
        if self.plateau:
            self.plateau.update(epoch, value)
            self.learning_rate.plateau_factor.assign(self.plateau.factor)

    def save(self) -> None:
        """Makes a checkpoint of this moment."""
        self.log.flush()
        watchers = {"best": self.best, "early_stop": self.early_stop, "plateau": self.plateau}
        state = {
            "history": self.history,
            "logged": self.logged,
            "watchers": {name: part.state() for name, part in watchers.items() if part},
            "validated": self.loop.validated_places(),
            "fingerprint": self.data.fingerprint,
            "threads": self.devices.threads,
            "bad_steps_skipped": int(self.loop.updates.skipped.numpy()),
        }
        save_checkpoint(self.run.last, self.step, self.loop.variables, state)
        self.saved_at = time.monotonic()

    def restore(self, tell: Callable[[str], None]) -> bool:
        """Goes back to the newest checkpoint; returns whether there was one."""
        state = restore_checkpoint(self.run.last, self.loop.variables, tell)
        if state is None:
            return False
        self.loop.updates.step.assign(state["step"])
        self.history = state["history"]
        self.logged = tuple(state["logged"])
        self.loop.updates.skipped.assign(state["bad_steps_skipped"])
        watchers = {"best": self.best, "early_stop": self.early_stop, "plateau": self.plateau}
        for name, part in watchers.items():
            if part and name in state["watchers"]:
                part.restore(state["watchers"][name])
        if self.plateau:
            self.learning_rate.plateau_factor.assign(self.plateau.factor)
        return True


def new_session(config: Config, run: Run, data: Data, devices: Devices) -> Session:
    """Builds the model and everything around it, at step 0."""
    train = config.train
    rows = data.examples("train")
    order = TrainingOrder(train.seed, rows, train.batch_size, devices.replicas)
    with devices.strategy.scope():
        step = tf.Variable(
            0,
            trainable=False,
            dtype=tf.int64,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,  # All count the same.
        )
        model = build_model(config, devices.precision)
        learning_rate = LearningRate(train, order.steps_per_epoch, step)
        model.compile(
            optimizer=train.optimizer.build(learning_rate, train.ema),
            jit_compile=False,  # The loop compiles the steps, where that is asked for.
            **config.objective.compile_arguments(config.heads, config.soft_targets),
        )
        first_rows = {name: values[:1] for name, values in data.splits["train"].items()}
        example = _distributed(evaluation_batches(config, first_rows), devices)
        loop = Loop(model, train, devices, step, example.element_spec)
    monitor = config.monitor()
    schedule = train.optimizer.schedule
    return Session(
        config=config,
        run=run,
        data=data,
        devices=devices,
        order=order,
        learning_rate=learning_rate,
        loop=loop,
        best=Best(monitor),
        early_stop=EarlyStop(train.early_stopping, monitor) if train.early_stopping else None,
        plateau=PlateauDrops(schedule, monitor) if isinstance(schedule, Plateau) else None,
        log=TensorBoardLog(run.logs),
    )


def first_training_batch(session: Session) -> dict[str, np.ndarray]:
    """The inputs of the first step's batch, as the model gets them."""
    batches = training_batches(session.config, session.data.splits["train"], session.order, 0, 1)
    parts = [inputs for inputs, *_ in batches]  # One of each device.
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _distributed(batches: tf.data.Dataset, devices: Devices) -> Any:
    """Batches that a step takes on all devices; one of them is one device's part."""
    if devices.replicas == 1:
        return batches
    return devices.strategy.distribute_datasets_from_function(lambda context: batches)
