"""Stage: a part of a training with one set of trainable weights, one optimizer, one schedule.

Most trainings have one. With `train.fine_tune` a second one follows, which trains layers that the
first had left frozen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mmzoo.batches import evaluation_batches, training_batches
from mmzoo.config import Config
from mmzoo.decoded_files import cache_decoded, reraise_with_file_names
from mmzoo.devices import Devices
from mmzoo.early_stopping import EarlyStopper, PlateauReducer
from mmzoo.lazy import keras, tf
from mmzoo.modalities.abilities import augmentations_of
from mmzoo.modalities.base_input import features_column
from mmzoo.modalities.file_probe import are_files
from mmzoo.model import Network, build_network
from mmzoo.order import TrainingOrder
from mmzoo.preprocessing import Arrays
from mmzoo.schedules import Plateau
from mmzoo.train_config import Train
from mmzoo.training.frozen_features import TrainingInputs, cache_frozen_features
from mmzoo.training.learning_rate import LearningRate
from mmzoo.training.loop import Loop
from mmzoo.training.timer import Timer

logger = logging.getLogger(__name__)


@dataclass
class Stage:
    """One stage of a training, with all that is built for it.

    Attributes:
        number: from 0.
        first_step: the global step that it begins at.
        config: the experiment's, with this stage's frozen layers, epochs and learning rate.
        model: the whole model, from raw inputs to predictions.
        training_inputs: the part of the model that is trained, without encoders whose features
            are cached, and the data for it.
        devices: where it runs.
        order: the rows of each step.
        learning_rate: the optimizer's schedule.
        loop: trains the compiled model of `training_inputs`.
        early_stopper: ends the stage before its last epoch; None without early stopping.
        plateau: reduces the learning rate; None with other schedules.
    """

    number: int
    first_step: int
    config: Config
    model: keras.Model
    training_inputs: TrainingInputs
    devices: Devices
    order: TrainingOrder
    learning_rate: LearningRate
    loop: Loop
    early_stopper: EarlyStopper | None
    plateau: PlateauReducer | None

    @property
    def last_step(self) -> int:
        """The global step at which its epochs are done."""
        return self.first_step + self.config.train.epochs * self.order.steps_per_epoch

    @property
    def stopped_early(self) -> bool:
        return self.early_stopper is not None and self.early_stopper.stop

    def training_batches(self, step: int) -> Any:
        """An iterator over the batches of its steps, starting at a global step."""
        columns = self.training_inputs.data.splits["train"]
        batches = training_batches(self.config, columns, self.order, step, self.last_step)
        return iter(_distributed(batches, self.devices))

    @cached_property
    def validation_batches(self) -> Any:
        """All validation batches in order; built once, since they hold the arrays."""
        columns = self.training_inputs.data.splits["validation"]
        batches = evaluation_batches(self.config, columns, self.devices.replicas)
        return _distributed(batches, self.devices)

    def reraise_with_file_names(self, split: str) -> AbstractContextManager[None]:
        """A block in which errors name the files of the split that cannot be decoded."""
        return reraise_with_file_names(self.config, self.training_inputs.data, split)

    def watch(self, epoch: int, value: float, loss: float) -> None:
        """Passes an epoch's monitored metric, and loss, to early stopping and plateau."""
        if self.early_stopper:
            self.early_stopper.update(epoch, value, loss)
        if self.plateau:
            self.plateau.update(epoch, value, loss)
            self.learning_rate.plateau_factor.assign(self.plateau.factor)

    def watchers(self) -> dict[str, EarlyStopper | PlateauReducer]:
        """Early stopping and plateau, by their names in a checkpoint."""
        watchers = {"early_stop": self.early_stopper, "plateau": self.plateau}
        return {name: watcher for name, watcher in watchers.items() if watcher}

    def restore_watchers(self, states: dict[str, Any]) -> None:
        for name, watcher in self.watchers().items():
            if name in states:
                watcher.restore(states[name])
        if self.plateau:
            self.learning_rate.plateau_factor.assign(self.plateau.factor)

    def input_pipeline_advice(self) -> str:
        """Advice on a faster input pipeline, for a training whose steps wait for data."""
        columns = self.training_inputs.data.splits["train"]
        inputs = {
            name: spec
            for name, spec in self.config.inputs.items()
            if features_column(name) not in columns
        }
        files = [name for name in inputs if are_files(columns[self.config.columns[name]])]
        augmented = [name for name, spec in inputs.items() if augmentations_of(spec)]
        advice = []
        if files:
            advice.append(
                f"cache the decoded files of {', '.join(files)} in memory "
                "(`train.keep_decoded: true`), or store smaller files"
            )
        if augmented:
            advice.append(f"use fewer augmentations of {', '.join(augmented)}")
        return "; ".join([*advice, "give it more CPU cores"])


def new_stage(
    number: int,
    first_step: int,
    config: Config,
    data: Arrays,
    devices: Devices,
    initialize: Callable[[Network], None],
    timer: Timer,
) -> Stage:
    """Builds a stage's model and everything around it.

    Args:
        number: of the stage, from 0.
        first_step: the global step that it begins at.
        config: the experiment's, fitted to the data.
        data: all splits.
        devices: where to run.
        initialize: sets initial weights that are not random: pretrained ones, or those of an
            earlier stage or a checkpoint.
        timer: measures the time this takes.
    """
    config = _of_stage(config, number)
    train, monitor = config.train, config.monitor()
    order = training_order(config, data, devices)
    _log_notes(train, order, devices)
    with devices.strategy.scope():
        step = tf.Variable(
            first_step,
            trainable=False,
            dtype=tf.int64,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,  # All replicas count alike.
        )
        network = build_network(config, devices.precision)
        if number == 0:
            fusion = config.fusion
            for note in (*fusion.notes(network.features), *fusion.head_notes(config.heads)):
                logger.info(f"Note: {note}.")
        initialize(network)
        inputs = _training_inputs(network, config, data, devices, timer)
        learning_rate = LearningRate(train, order.steps_per_epoch, first_step, step)
        if number == 0:
            config.fusion.start_training(network.model, step, learning_rate.last_step)
            for name, head in config.heads.items():
                head.start_training(network.model, name, step, learning_rate.last_step)
        loop = _new_loop(network, inputs, config, devices, learning_rate)
    schedule = train.optimizer.schedule
    return Stage(
        number=number,
        first_step=first_step,
        config=config,
        model=network.model,
        training_inputs=inputs,
        devices=devices,
        order=order,
        learning_rate=learning_rate,
        loop=loop,
        early_stopper=EarlyStopper(train.early_stopping, monitor) if train.early_stopping else None,
        plateau=PlateauReducer(schedule, monitor) if isinstance(schedule, Plateau) else None,
    )


def _log_notes(train: Train, order: TrainingOrder, devices: Devices) -> None:
    steps = train.epochs * order.steps_per_epoch
    if train.accumulate > steps:
        logger.info(
            f"Note: train.accumulate is {train.accumulate:,}, and there are {steps:,} steps, so "
            "all of them make a single update."
        )
    if left := order.rows - order.rows_per_epoch:
        logger.info(
            f"Note: {left} of {order.rows:,} training examples are left out of each epoch, others "
            f"each time, so that {devices.replicas} devices share every batch equally."
        )


def _new_loop(
    network: Network,
    inputs: TrainingInputs,
    config: Config,
    devices: Devices,
    learning_rate: LearningRate,
) -> Loop:
    """The loop of a stage, whose model it compiles."""
    train = config.train
    optimizers = {
        name: optimizer.build(learning_rate.of(optimizer), train.ema)
        for name, optimizer in config.objective.optimizers(train.optimizer).items()
    }
    inputs.model.compile(
        **optimizers,
        jit_compile=False,  # The loop compiles the steps if requested.
        **config.objective.compile_arguments(config.heads, config.soft_targets),
    )
    row = {name: values[:1] for name, values in inputs.data.splits["validation"].items()}
    example = _distributed(evaluation_batches(config, row), devices)
    return Loop(
        inputs.model,
        network.model,
        train,
        devices,
        learning_rate.step,
        example.element_spec,
        learning_rate.last_step,
        [name for name, head in config.labelled_heads.items() if head.split_metric_names],
    )


def training_order(config: Config, data: Arrays, devices: Devices) -> TrainingOrder:
    """The rows of each step, which are the same in all stages."""
    train = config.train
    return TrainingOrder(train.seed, data.examples("train"), train.batch_size, devices.replicas)


def stages(config: Config) -> int:
    """The number of stages of a training."""
    return 1 if config.train.fine_tune is None else 2


def _of_stage(config: Config, number: int) -> Config:
    """The config of one stage."""
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


def _training_inputs(
    network: Network, config: Config, data: Arrays, devices: Devices, timer: Timer
) -> TrainingInputs:
    """What the stage trains, with frozen features and decoded files computed once."""
    with timer.measure("features of frozen encoders"):
        inputs = cache_frozen_features(network, config, data, devices)
    with timer.measure("decoding"):
        return replace(inputs, data=cache_decoded(config, inputs.data, tuple(data.splits)))


def _distributed(batches: tf.data.Dataset, devices: Devices) -> Any:
    """Batches for all devices; each element holds one device's part."""
    if devices.replicas == 1:
        return batches
    return devices.strategy.distribute_datasets_from_function(lambda context: batches)
