"""How a fusion has learnt to weigh its inputs, head by head where that differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mmzoo.data import evaluation_batches, naming_files
from mmzoo.lazy import keras, tf
from mmzoo.sharing import TOWER

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.sources import Data


def learned_input_weights(model: keras.Model, config: Config) -> dict[str, dict[str, float]]:
    """How much each input counts, by its name, where the fusion learns that.

    Returns:
        By head; "" where it is the same for all of them.
    """
    inputs, fusion = tuple(config.inputs), config.fusion
    if by_head := fusion.head_weights(model, inputs, tuple(config.heads)):
        return by_head
    towers = _towers(model, config)
    found = {head: fusion.learned_weights(tower, inputs) for head, tower in towers.items()}
    return {head: weights for head, weights in found.items() if weights is not None}


def mean_input_weights(
    model: keras.Model, config: Config, data: Data, split: str
) -> dict[str, dict[str, float]]:
    """How much each input counts on average over a split, where the fusion weighs by example.

    Returns:
        By head, "" where it is the same for all of them, and input: of sum 1. Nothing where the
        fusion does not.
    """
    towers = _towers(model, config)
    found = {head: config.fusion.example_weights(tower) for head, tower in towers.items()}
    by_example = {head: weights for head, weights in found.items() if weights is not None}
    if not by_example:
        return {}
    weigh = keras.Model(model.input, list(by_example.values()))

    @tf.function(autograph=False, reduce_retracing=True)
    def total(inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        weights = tf.nest.flatten(weigh(inputs, training=False))
        return tf.reduce_sum(tf.cast(tf.stack(weights), tf.float64), axis=1)

    sums = np.zeros((len(by_example), len(config.inputs)))
    with naming_files(config, data, split):
        for (inputs,) in evaluation_batches(config, data.splits[split], labelled=False):
            sums += total(inputs).numpy()
    means = sums / data.examples(split)
    return {
        head: dict(zip(config.inputs, weights, strict=True))
        for head, weights in zip(by_example, means.tolist(), strict=True)
    }


def _towers(model: keras.Model, config: Config) -> dict[str, Any]:
    """What has the layers of a fusion by their plain names: by head, "" where all share it."""
    first, *others = config.heads
    if config.share or not others:
        return {"": model}
    return {first: model} | {head: _Tower(model, f"{TOWER}{head}") for head in others}


class _Named(NamedTuple):
    name: str


@dataclass(frozen=True)
class _Tower:
    """The layers of one head in a model, by the names that those of the first head have."""

    model: keras.Model
    ending: str

    @property
    def layers(self) -> list[_Named]:
        names = (layer.name for layer in self.model.layers)
        own = (name for name in names if name.endswith(self.ending))
        return [_Named(name.removesuffix(self.ending)) for name in own]

    def get_layer(self, name: str) -> keras.Layer:
        return self.model.get_layer(f"{name}{self.ending}")
