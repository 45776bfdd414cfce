"""From a config and its data to batches: the only tf.data code.

The order of epoch e is a permutation drawn from (seed, e), an augmentation a function of (seed, e,
example). So the one integer that says how far a training has come, its global step, is also its
place in the data: any step can be started at directly, on any number of devices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmzoo.lazy import tf
from mmzoo.randomness import Randomness

if TYPE_CHECKING:
    from mmzoo.config import Config

Columns = Mapping[str, np.ndarray]
_ORDER = 0x5EED  # Keeps the stream of orders apart from other uses of the same seed.


def epoch_order(seed: int, epoch: int, rows: int) -> np.ndarray:
    """The order of one epoch: int64 `[rows]`. RandomState's stream is frozen (NEP 19)."""
    return np.random.RandomState([seed, epoch, _ORDER]).permutation(rows)


@dataclass(frozen=True)
class TrainingOrder:
    """Which rows each step of a training takes.

    Attributes:
        seed: the training's seed.
        rows: rows of the training split.
        batch_size: rows of each step, over all replicas together.
        replicas: how many devices share each batch. More than one take equal parts, and leave out
            the few rows of an epoch's last batch that cannot be shared equally.
    """

    seed: int
    rows: int
    batch_size: int
    replicas: int = 1

    @property
    def rows_per_epoch(self) -> int:
        last = self.rows % self.batch_size
        return self.rows - last % self.replicas

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.rows_per_epoch // self.batch_size)

    def step_rows(self, step: int) -> np.ndarray:
        """The rows of one step: int64 `[rows]`."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = epoch_order(self.seed, epoch, self.rows)[: self.rows_per_epoch]
        return order[place * self.batch_size : (place + 1) * self.batch_size]

    def blocks(self, start: int, steps: int) -> Iterator[tuple[np.ndarray, int]]:
        """Yields (rows int64 `[batches, rows]`, epoch) from step `start` up to `steps`.

        A block is what is left of an epoch's whole batches, or its smaller last batch: so Python
        is asked twice an epoch, not once a step. Each row of a block is one replica's batch; the
        replicas of a step follow one another.
        """
        while start < steps:
            epoch, place = divmod(start, self.steps_per_epoch)
            order = epoch_order(self.seed, epoch, self.rows)[: self.rows_per_epoch]
            whole = self.rows_per_epoch // self.batch_size
            end = min(self.steps_per_epoch, place + steps - start)
            if place < min(whole, end):
                block = order[place * self.batch_size : min(whole, end) * self.batch_size]
                yield block.reshape(-1, self.batch_size // self.replicas), epoch
            if end > whole:
                yield order[whole * self.batch_size :].reshape(self.replicas, -1), epoch
            start += end - place


def training_batches(
    config: Config, columns: Columns, order: TrainingOrder, start: int, steps: int
) -> tf.data.Dataset:
    """Batches of steps `start` to `steps`, shuffled, augmented and mixed.

    Yields what `keras.Model.train_step` takes: (inputs, targets) or, where a head weighs its
    examples, (inputs, targets, weights); each a dictionary by name. With several replicas every
    element is one replica's part of a batch, in the replicas' order.
    """
    make = _batch_maker(config, columns, training=True)
    blocks = tf.data.Dataset.from_generator(
        lambda: order.blocks(start, steps),
        output_signature=(tf.TensorSpec((None, None), tf.int64), tf.TensorSpec((), tf.int64)),
    )
    batches = blocks.flat_map(
        lambda rows, epoch: tf.data.Dataset.from_tensor_slices(rows).map(lambda row: (row, epoch))
    )
    return batches.map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(2)


def evaluation_batches(
    config: Config,
    columns: Columns,
    replicas: int = 1,
    labelled: bool = True,
    augmented_in: int | None = None,
) -> tf.data.Dataset:
    """Every row once, in order, as it is: (inputs, targets), or only inputs if not `labelled`.

    With `augmented_in`, each row is augmented as in that epoch of a training. With several replicas
    every element is one replica's part; none of them is empty where there are as many rows as
    replicas.
    """
    rows = len(next(iter(columns.values())))
    make = _batch_maker(
        config, columns, training=False, labelled=labelled, augment=augmented_in is not None
    )
    if replicas == 1:
        batches = tf.data.Dataset.range(rows).batch(config.evaluation_batch_size)
    else:
        steps = min(-(-rows // config.evaluation_batch_size), max(1, rows // replicas))
        parts = steps * replicas
        bounds = np.arange(parts + 1) * rows // parts
        ranges = tf.data.Dataset.from_tensor_slices((bounds[:-1], bounds[1:]))
        batches = ranges.map(lambda first, end: tf.range(first, end))
    epoch = tf.constant(augmented_in or 0, tf.int64)
    return batches.map(lambda row: make(row, epoch), num_parallel_calls=tf.data.AUTOTUNE).prefetch(
        2
    )


def _batch_maker(
    config: Config, columns: Columns, training: bool, labelled: bool = True, augment: bool = False
) -> Callable[[tf.Tensor, tf.Tensor], tuple[dict[str, tf.Tensor], ...]]:
    """A function from (rows int64 `[batch]`, epoch) to one batch."""
    used = {*config.columns.values()} & columns.keys()
    with tf.device("CPU"):
        tensors = {name: tf.constant(columns[name]) for name in used}
    seed, soft, mixing = config.train.seed, config.soft_targets, config.train.mixing

    def make(rows: tf.Tensor, epoch: tf.Tensor) -> tuple[dict[str, tf.Tensor], ...]:
        randomness = Randomness(seed, epoch, rows)
        inputs = {}
        for index, (name, spec) in enumerate(config.inputs.items()):
            values = spec.preprocess(tf.gather(tensors[config.columns[name]], rows))
            if training or augment:
                values = spec.augmented(values, randomness.fold(index))
            inputs[name] = values
        if not labelled:
            return (inputs,)
        labels = {name: tf.gather(tensors[config.columns[name]], rows) for name in config.heads}
        targets = {name: head.target(labels[name], soft) for name, head in config.heads.items()}
        if not training:
            return inputs, targets
        if mixing is not None:
            mixing_randomness = randomness.fold(len(config.inputs))
            inputs, targets = mixing.apply(inputs, config.inputs, targets, mixing_randomness)
        weights = {name: head.example_weight(labels[name]) for name, head in config.heads.items()}
        if all(weight is None for weight in weights.values()):
            return inputs, targets
        # Keras wants a weight for every output as soon as it gets one for any.
        ones = tf.ones(tf.shape(rows), tf.float32)
        filled = {name: ones if weight is None else weight for name, weight in weights.items()}
        return inputs, targets, filled

    # Nothing here branches on a tensor, so AutoGraph would only cost time.
    return tf.autograph.experimental.do_not_convert(make)
