"""Stage: a stretch of a training with one set of trained weights, one optimizer, one schedule.

Most trainings have one. With `train.fine_tune` a second one follows, in which layers are trained
that the first had left frozen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mmzoo.config import Config
from mmzoo.data import (
    TrainingOrder,
    decoded,
    evaluation_batches,
    naming_files,
    refuse_damaged,
    training_batches,
)
from mmzoo.devices import Devices
from mmzoo.inputs import are_files
from mmzoo.lazy import keras, tf
from mmzoo.model import Network, build_network
from mmzoo.schedules import Plateau
from mmzoo.sources import Data
from mmzoo.training.frozen import Feed, feed
from mmzoo.training.learning_rate import LearningRate
from mmzoo.training.loop import Loop
from mmzoo.training.times import Times
from mmzoo.training.watch import EarlyStop, PlateauDrops

logger = logging.getLogger(__name__)


@dataclass
class Stage:
    """One stage of a training, with everything that is made anew for it.

    Attributes:
        number: from 0.
        first_step: the global step that it begins at.
        config: the experiment's, with this stage's frozen layers, epochs and learning rate.
        model: the whole model, from raw inputs to predictions.
        feed: what its loop trains, and on what: the model without the encoders whose features are
            kept, or simply the model.
        devices: where it runs.
        order: which rows each step takes.
        learning_rate: the schedule that the optimizer follows.
        loop: the compiled model of `feed`.
        early_stop: says when to end before the last epoch; None if it never should.
        plateau: lowers the learning rate; None with any other schedule.
    """

    number: int
    first_step: int
    config: Config
    model: keras.Model
    feed: Feed
    devices: Devices
    order: TrainingOrder
    learning_rate: LearningRate
    loop: Loop
    early_stop: EarlyStop | None
    plateau: PlateauDrops | None

    @property
    def last_step(self) -> int:
        """The global step after which its epochs are done."""
        return self.first_step + self.config.train.epochs * self.order.steps_per_epoch

    @property
    def stopped_early(self) -> bool:
        return self.early_stop is not None and self.early_stop.stop

    def training_batches(self, step: int) -> Any:
        """An iterator over the batches of all its steps from a global step on."""
        columns = self.feed.data.splits["train"]
        batches = training_batches(self.feed.config, columns, self.order, step, self.last_step)
        return iter(_distributed(batches, self.devices))

    @cached_property
    def validation_batches(self) -> Any:
        """All validation batches in order, each time anew. Made once, with the arrays in them."""
        columns = self.feed.data.splits["validation"]
        batches = evaluation_batches(self.feed.config, columns, self.devices.replicas)
        return _distributed(batches, self.devices)

    def naming_files(self, split: str) -> AbstractContextManager[None]:
        """Within it, an error says which files of the split cannot be decoded."""
        return naming_files(self.feed.config, self.feed.data, split)

    def watch(self, epoch: int, value: float) -> None:
        """Shows the watched metric of an epoch to early stopping and plateau."""
        if self.early_stop:
            self.early_stop.update(epoch, value)
        if self.plateau:
            self.plateau.update(epoch, value)
            self.learning_rate.plateau_factor.assign(self.plateau.factor)

    def watchers(self) -> dict[str, EarlyStop | PlateauDrops]:
        """What decides by the numbers of past epochs, by name."""
        watchers = {"early_stop": self.early_stop, "plateau": self.plateau}
        return {name: watcher for name, watcher in watchers.items() if watcher}

    def restore_watchers(self, states: dict[str, Any]) -> None:
        for name, watcher in self.watchers().items():
            if name in states:
                watcher.restore(states[name])
        if self.plateau:
            self.learning_rate.plateau_factor.assign(self.plateau.factor)

    def remedies(self) -> str:
        """What makes batches come faster, for a training whose steps wait for data."""
        config, columns = self.feed.config, self.feed.data.splits["train"]
        inputs = config.inputs
        files = [name for name in inputs if are_files(columns[config.columns[name]])]
        augmented = [name for name, spec in inputs.items() if spec.augmentations]
        remedies = []
        if files:
            remedies.append(
                f"keep what the files of {', '.join(files)} decode to in memory "
                "(`train.keep_decoded: true`), or store smaller files"
            )
        if augmented:
            remedies.append(f"take fewer augmentations of {', '.join(augmented)}")
        return "; ".join([*remedies, "give it more CPU cores"])


def new_stage(
    number: int,
    first_step: int,
    config: Config,
    data: Data,
    devices: Devices,
    start: Callable[[Network], None],
    times: Times,
) -> Stage:
    """Builds a stage's model and everything around it.

    Args:
        number: of the stage, from 0.
        first_step: the global step that it begins at.
        config: the experiment's, fitted to the data.
        data: all splits.
        devices: where to run.
        start: gives the model the values to start from, where those are not random: pretrained
            ones, or those of an earlier stage or a checkpoint.
        times: counts what this takes.
    """
    config = _of_stage(config, number)
    train = config.train
    order = TrainingOrder(train.seed, data.examples("train"), train.batch_size, devices.replicas)
    with devices.strategy.scope():
        step = tf.Variable(
            first_step,
            trainable=False,
            dtype=tf.int64,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,  # All count the same.
        )
        network = build_network(config, devices.precision)
        if number == 0:
            for note in config.fusion.notes(network.features):
                logger.info(f"Note: {note}.")
        start(network)
        fed = _feed(network, config, data, devices, times)
        learning_rate = LearningRate(train, order.steps_per_epoch, first_step, step)
        fed.model.compile(
            optimizer=train.optimizer.build(learning_rate, train.ema),
            jit_compile=False,  # The loop compiles the steps, where that is asked for.
            **config.objective.compile_arguments(config.heads, config.soft_targets),
        )
        row = {name: values[:1] for name, values in fed.data.splits["validation"].items()}
        example = _distributed(evaluation_batches(fed.config, row), devices)
        loop = Loop(fed.model, network.model, train, devices, step, example.element_spec)
    monitor = config.monitor()
    schedule = train.optimizer.schedule
    return Stage(
        number=number,
        first_step=first_step,
        config=config,
        model=network.model,
        feed=fed,
        devices=devices,
        order=order,
        learning_rate=learning_rate,
        loop=loop,
        early_stop=EarlyStop(train.early_stopping, monitor) if train.early_stopping else None,
        plateau=PlateauDrops(schedule, monitor) if isinstance(schedule, Plateau) else None,
    )


def stages(config: Config) -> int:
    """How many stages a training has."""
    return 1 if config.train.fine_tune is None else 2


def _of_stage(config: Config, number: int) -> Config:
    """The experiment as one stage trains it."""
    fine_tune = config.train.fine_tune
    if number == 0 or fine_tune is None:
        return config
    inputs = {
        name: spec.replace(encoder=spec.encoder.unfrozen(fine_tune.last_layers))
        for name, spec in config.inputs.items()
    }
    optimizer = config.train.optimizer.replace(learning_rate=fine_tune.learning_rate)
    train = config.train.replace(epochs=fine_tune.epochs, optimizer=optimizer, fine_tune=None)
    return config.replace(inputs=inputs, train=train)


def _feed(network: Network, config: Config, data: Data, devices: Devices, times: Times) -> Feed:
    """What the stage trains on, with all that is computed once for it."""
    with times.spent_on("features of frozen encoders"):
        fed = feed(network, config, data, devices)
    with times.spent_on("decoding"):
        # The test split too: a file that cannot be decoded should be known at the start.
        kept = decoded(fed.config, fed.data, tuple(data.splits))
        refuse_damaged(fed.config, kept, ("validation", "test"))
        return replace(fed, data=kept)


def _distributed(batches: tf.data.Dataset, devices: Devices) -> Any:
    """Batches that a step takes on all devices; one of them is one device's part."""
    if devices.replicas == 1:
        return batches
    return devices.strategy.distribute_datasets_from_function(lambda context: batches)
