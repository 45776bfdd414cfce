"""Batches: tf.data pipelines that gather, decode, augment and mix rows of arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from mmzoo.lazy import tf
from mmzoo.modalities.abilities import Augments, Mixable
from mmzoo.modalities.base_input import features_column, presence
from mmzoo.order import TrainingOrder
from mmzoo.randomness import Randomness

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.heads import BaseHead
    from mmzoo.modalities import Input


_FOLD = "modality dropout"


def apply_modality_dropout(
    inputs: Mapping[str, Input], masks: dict[str, tf.Tensor], randomness: Randomness
) -> dict[str, tf.Tensor]:
    """Modality dropout: drops inputs of examples at random.

    Each input of each example is dropped with probability `modality_dropout`, independently. An
    example never loses all of its inputs: the one with the largest random number remains.

    Reference: Neverova et al., "ModDrop: adaptive multi-modal gesture recognition", 2016.

    Args:
        inputs: all inputs, in the config's order.
        masks: optional input -> its presence mask, bool `[batch]`.
        randomness: random numbers of the examples; a separate fold of them is used.

    Returns:
        The presence masks after dropout.
    """
    rates = [spec.modality_dropout for spec in inputs.values()]
    if not any(rates):
        return masks
    draws = randomness.fold(_FOLD).uniform(len(rates))
    always = tf.ones_like(randomness.examples, tf.bool)
    present = tf.stack([masks.get(name, always) for name in inputs], axis=1)
    left = present & (draws >= tf.constant(rates, tf.float32))
    largest = tf.argmax(tf.where(present, draws, -1.0), axis=1)
    last = present & tf.one_hot(largest, len(rates), on_value=True, off_value=False, dtype=tf.bool)
    left = left | last & ~tf.reduce_any(left, axis=1, keepdims=True)
    return {name: left[:, index] for index, name in enumerate(inputs) if name in masks}


Columns = Mapping[str, np.ndarray]


def training_batches(
    config: Config, columns: Columns, order: TrainingOrder, start: int, steps: int
) -> tf.data.Dataset:
    """Batches of steps `start` to `steps`, shuffled, augmented and mixed.

    Yields what `keras.Model.train_step` takes: (inputs, targets) or, if a head has example weights
    or missing labels, (inputs, targets, weights), each a dictionary by name. With several replicas,
    each element is one replica's part of a batch, in the order of the replicas.
    """
    return _training_batches(config, columns, lambda: order.blocks(start, steps))


def batches_of_steps(
    config: Config, columns: Columns, order: TrainingOrder, steps: Iterable[int]
) -> tf.data.Dataset:
    """Like `training_batches`, of single steps in any order."""
    several = list(steps)
    return _training_batches(
        config, columns, lambda: chain.from_iterable(order.blocks(s, s + 1) for s in several)
    )


def training_batch(
    config: Config, columns: Columns, rows: np.ndarray
) -> tuple[dict[str, tf.Tensor], ...]:
    """The batch of these rows in the first epoch, computed at once, without a pipeline."""
    make = _batch_maker(config, columns, training=True)
    return make(tf.constant(rows, tf.int64), tf.constant(0, tf.int64))


def _training_batches(
    config: Config, columns: Columns, generate: Callable[[], Iterable[object]]
) -> tf.data.Dataset:
    """The batches of what `generate` yields: blocks of rows with their epoch."""
    make = _batch_maker(config, columns, training=True)
    blocks = tf.data.Dataset.from_generator(
        generate,
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
    order: np.ndarray | None = None,
) -> tf.data.Dataset:
    """Batches of every row once, in order: (inputs, targets), or (inputs,) if not `labelled`.

    If labels may be missing, the third element is weights, which turn a mean loss over all rows
    into a mean over labelled rows. With several replicas, each element is one replica's part of a
    batch; none is empty if there are at least as many rows as replicas.

    Args:
        config: how batches are made.
        columns: arrays of the split, by name.
        replicas: number of devices that share each batch.
        labelled: whether to include targets.
        order: permutation of the rows, int64 `[rows]`; batches are then of almost equal size.
    """
    rows = len(next(iter(columns.values())))
    make = _batch_maker(config, columns, training=False, labelled=labelled)
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
            permutation = tf.constant(order, tf.int64)
        batches = batches.map(lambda row: tf.gather(permutation, row))
    first = tf.constant(0, tf.int64)  # The first epoch; nothing is augmented.
    return batches.map(lambda row: make(row, first), num_parallel_calls=tf.data.AUTOTUNE).prefetch(
        2
    )


def _batch_maker(
    config: Config, columns: Columns, training: bool, labelled: bool = True
) -> Callable[[tf.Tensor, tf.Tensor], tuple[dict[str, tf.Tensor], ...]]:
    """A function that maps (rows int64 `[batch]`, epoch) to one batch."""
    features = {name: features_column(name) for name in config.inputs}
    read = config.columns | {name: one for name, one in features.items() if one in columns}
    used = {*read.values(), *config.presence.values()} & columns.keys()
    gather = {name: gather_from(columns[name]) for name in used}
    heads, mixing, soft = config.labelled_heads, config.train.mixing, config.soft_targets
    scales = _label_scales(config, columns) if labelled else {}
    mixable = {name: spec for name, spec in config.inputs.items() if isinstance(spec, Mixable)}

    def make(rows: tf.Tensor, epoch: tf.Tensor) -> tuple[dict[str, tf.Tensor], ...]:
        randomness = Randomness(config.train.seed, epoch, rows)
        gathered = {name: take(rows) for name, take in gather.items()}
        inputs = _load_inputs(config, gathered, randomness, training)
        present = {name: gathered[column] for name, column in config.presence.items()}
        masks = apply_modality_dropout(config.inputs, present, randomness) if training else present
        inputs |= _presence_inputs(masks)
        if not labelled:
            return (inputs,)
        labels = {name: gathered[config.columns[name]] for name in heads}
        targets = {name: head.labelled_target(labels[name], soft) for name, head in heads.items()}
        if training and mixing is not None:
            mixing_randomness = randomness.fold(len(config.inputs))
            inputs, targets = mixing.apply(inputs, mixable, targets, mixing_randomness)
        original = inputs | _presence_inputs(present)
        targets = {
            name: targets[name] if name in targets else _target(head, targets, original)
            for name, head in config.heads.items()
        }
        weights = _fill(scales, rows)
        if training:
            for head in config.heads.values():
                inputs = dict(head.noisy_inputs(inputs, randomness))
            weights = _example_weights(config, labels, scales, rows)
        return (inputs, targets, weights) if weights else (inputs, targets)

    # Nothing here branches on a tensor, so AutoGraph would only slow it down.
    return tf.autograph.experimental.do_not_convert(make)


def _target(
    head: BaseHead, targets: Mapping[str, tf.Tensor], inputs: Mapping[str, tf.Tensor]
) -> tf.Tensor:
    """The target of a head without labels of its own."""
    target = head.target_from_labels(targets)
    return head.target_from_inputs(inputs) if target is None else target


def _load_inputs(
    config: Config, gathered: Mapping[str, tf.Tensor], randomness: Randomness, training: bool
) -> dict[str, tf.Tensor]:
    """The model's inputs, decoded and, for training, augmented; or cached features of them."""
    inputs = {}
    for index, (name, spec) in enumerate(config.inputs.items()):
        if (features := features_column(name)) in gathered:
            values = tf.cast(gathered[features], tf.float32)
            if values.shape.rank == 3:
                values = _draw_copies(values, randomness.fold(index))
        else:
            values = spec.load(gathered[config.columns[name]])
            if training and isinstance(spec, Augments):
                values = spec.augment_batch(values, randomness.fold(index))
        inputs[name] = values
    return inputs


def _presence_inputs(masks: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {presence(name): tf.cast(mask, tf.float32) for name, mask in masks.items()}


def _example_weights(
    config: Config,
    labels: Mapping[str, tf.Tensor],
    scales: Mapping[str, float],
    rows: tf.Tensor,
) -> dict[str, tf.Tensor]:
    """The weight of each training example for each head; empty if all are 1."""
    weights = {
        name: config.labelled_heads[name].example_weight(labels[name]) if name in labels else None
        for name in config.heads
    }
    if not scales and all(weight is None for weight in weights.values()):
        return {}
    label_weights = _fill({**dict.fromkeys(weights, 1.0), **scales}, rows)
    return {
        name: label_weights[name] if weight is None else weight * label_weights[name]
        for name, weight in weights.items()
    }


def _label_scales(config: Config, columns: Columns) -> dict[str, float]:
    """Per head, the factor `rows / labelled rows` that turns a mean over all rows into a mean over
    labelled rows; for a head without labels, over rows that have the inputs of its target.

    It is computed from the whole split, so that each label has the same weight in any batch. Empty
    if nothing may be missing; otherwise it has all heads, since Keras needs weights for all outputs
    or none.
    """
    masks = {
        name: [head.labelled(columns[config.columns[name]])]
        for name, head in config.labelled_heads.items()
        if head.missing != "error"
    }
    for name, head in config.heads.items():
        needed = [config.presence[one] for one in head.needed_inputs if one in config.presence]
        if needed:
            masks[name] = [columns[one] for one in needed]
    if not masks:
        return {}
    scales = dict.fromkeys(config.heads, 1.0)
    for name, of_head in masks.items():
        counts = np.logical_and.reduce(of_head)
        scales[name] = len(counts) / max(int(counts.sum()), 1)
    return scales


def _fill(scales: Mapping[str, float], rows: tf.Tensor) -> dict[str, tf.Tensor]:
    """Constant weights `[batch]` of each head."""
    return {name: tf.fill(tf.shape(rows), tf.constant(scale)) for name, scale in scales.items()}


def _draw_copies(features: tf.Tensor, randomness: Randomness) -> tf.Tensor:
    """A random one of the augmented copies of each example.

    Args:
        features: float32 `[batch, copies, width]`.
        randomness: random numbers of the examples.

    Returns:
        float32 `[batch, width]`.
    """
    copies = features.shape[1]
    drawn = tf.cast(randomness.uniform()[:, 0] * float(copies), tf.int32)
    # A uniform float just below 1, times the number of copies, may round up to that number.
    return tf.gather(features, tf.minimum(drawn, copies - 1), axis=1, batch_dims=1)


def gather_from(values: np.ndarray) -> Callable[[tf.Tensor], tf.Tensor]:
    """A function that maps rows int64 `[batch]` to those rows of a column."""
    if isinstance(values, np.memmap):  # May be larger than the memory.

        def gather(rows: tf.Tensor) -> tf.Tensor:
            taken = tf.numpy_function(
                lambda rows: np.take(values, rows, axis=0), [rows], values.dtype, stateful=False
            )
            return tf.ensure_shape(taken, [None, *values.shape[1:]])

        return gather
    with tf.device("CPU"):
        tensor = tf.constant(values)
    return lambda rows: tf.gather(tensor, rows)
