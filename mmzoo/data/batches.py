"""From a config and its columns to batches.

What a batch holds is a function of its rows and the epoch; so is every augmentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from mmzoo.data.modality_dropout import with_modality_dropout
from mmzoo.data.order import TrainingOrder
from mmzoo.inputs import presence
from mmzoo.lazy import tf
from mmzoo.randomness import Randomness

if TYPE_CHECKING:
    from mmzoo.config import Config

Columns = Mapping[str, np.ndarray]


def training_batches(
    config: Config, columns: Columns, order: TrainingOrder, start: int, steps: int
) -> tf.data.Dataset:
    """Batches of steps `start` to `steps`, shuffled, augmented and mixed.

    Yields what `keras.Model.train_step` takes: (inputs, targets) or, where a head weighs its
    examples or goes without labels, (inputs, targets, weights); each a dictionary by name. With
    several replicas every element is one replica's part of a batch, in the replicas' order.
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
    order: np.ndarray | None = None,
) -> tf.data.Dataset:
    """Every row once, in order, as it is: (inputs, targets), or only inputs if not `labelled`.

    Where a head goes without labels, weights are the third, by which a mean of the losses over all
    rows is one over the rows that have a label.

    With `order`, int64 `[rows]`, they come in that one, in batches as equally large as can be. With
    `augmented_in`, each row is augmented as in that epoch of a training. With several replicas
    every element is one replica's part; none of them is empty where there are as many rows as
    replicas.
    """
    rows = len(next(iter(columns.values())))
    make = _batch_maker(
        config, columns, training=False, labelled=labelled, augment=augmented_in is not None
    )
    if replicas == 1 and order is None:
        batches = tf.data.Dataset.range(rows).batch(config.evaluation_batch_size)
    else:
        steps = min(-(-rows // config.evaluation_batch_size), max(1, rows // replicas))
        parts = steps * replicas
        bounds = np.arange(parts + 1) * rows // parts
        ranges = tf.data.Dataset.from_tensor_slices((bounds[:-1], bounds[1:]))
        batches = ranges.map(lambda first, end: tf.range(first, end))
    if order is not None:
        with tf.device("CPU"):
            places = tf.constant(order, tf.int64)
        batches = batches.map(lambda row: tf.gather(places, row))
    epoch = tf.constant(augmented_in or 0, tf.int64)
    return batches.map(lambda row: make(row, epoch), num_parallel_calls=tf.data.AUTOTUNE).prefetch(
        2
    )


def _batch_maker(
    config: Config, columns: Columns, training: bool, labelled: bool = True, augment: bool = False
) -> Callable[[tf.Tensor, tf.Tensor], tuple[dict[str, tf.Tensor], ...]]:
    """A function from (rows int64 `[batch]`, epoch) to one batch."""
    used = {*config.columns.values(), *config.presence.values()} & columns.keys()
    take = {name: _taker(columns[name]) for name in used}
    seed, soft, mixing = config.train.seed, config.soft_targets, config.train.mixing
    scales = _label_scales(config, columns) if labelled else {}

    def make(rows: tf.Tensor, epoch: tf.Tensor) -> tuple[dict[str, tf.Tensor], ...]:
        randomness = Randomness(seed, epoch, rows)
        inputs = {}
        for index, (name, spec) in enumerate(config.inputs.items()):
            values = spec.preprocess(take[config.columns[name]](rows))
            if training or augment:
                values = spec.augmented(values, randomness.fold(index))
            inputs[name] = values
        there = {name: take[column](rows) for name, column in config.presence.items()}
        if training:
            there = with_modality_dropout(config.inputs, there, randomness)
        inputs |= {presence(name): tf.cast(one, tf.float32) for name, one in there.items()}
        if not labelled:
            return (inputs,)
        labels = {name: take[config.columns[name]](rows) for name in config.heads}
        targets = {
            name: head.labelled_target(labels[name], soft) for name, head in config.heads.items()
        }
        if not training:
            return (inputs, targets, _filled(scales, rows)) if scales else (inputs, targets)
        if mixing is not None:
            mixing_randomness = randomness.fold(len(config.inputs))
            inputs, targets = mixing.apply(inputs, config.inputs, targets, mixing_randomness)
        weights = {name: head.example_weight(labels[name]) for name, head in config.heads.items()}
        if not scales and all(weight is None for weight in weights.values()):
            return inputs, targets
        filled = _filled({**dict.fromkeys(weights, 1.0), **scales}, rows)
        return (
            inputs,
            targets,
            {
                name: filled[name] if weight is None else weight * filled[name]
                for name, weight in weights.items()
            },
        )

    # Nothing here branches on a tensor, so AutoGraph would only cost time.
    return tf.autograph.experimental.do_not_convert(make)


def _label_scales(config: Config, columns: Columns) -> dict[str, float]:
    """By head, what makes of a mean loss over all rows one over those that have a label.

    The same for every batch, so that each label counts the same in whatever batch it is. Empty
    where no head goes without labels; else it has every head, as Keras wants a weight for every
    output as soon as it gets one for any.
    """
    if all(head.missing == "error" for head in config.heads.values()):
        return {}
    scales = {}
    for name, head in config.heads.items():
        there = head.labelled(columns[config.columns[name]])
        scales[name] = len(there) / max(int(there.sum()), 1)
    return scales


def _filled(scales: Mapping[str, float], rows: tf.Tensor) -> dict[str, tf.Tensor]:
    return {name: tf.fill(tf.shape(rows), tf.constant(one)) for name, one in scales.items()}


def _taker(values: np.ndarray) -> Callable[[tf.Tensor], tf.Tensor]:
    """A function from rows int64 `[batch]` to those rows of a column."""
    if isinstance(values, np.memmap):  # It may be larger than the memory.

        def take(rows: tf.Tensor) -> tf.Tensor:
            taken = tf.numpy_function(
                lambda rows: np.take(values, rows, axis=0), [rows], values.dtype, stateful=False
            )
            return tf.ensure_shape(taken, [None, *values.shape[1:]])

        return take
    with tf.device("CPU"):
        tensor = tf.constant(values)
    return lambda rows: tf.gather(tensor, rows)
