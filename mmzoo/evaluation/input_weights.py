"""The weights of the inputs in a fusion, by head where heads share nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mmzoo.batches import evaluation_batches
from mmzoo.decoded_files import reraise_with_file_names
from mmzoo.lazy import keras, tf
from mmzoo.shared_encoders import HEAD_SEPARATOR

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.preprocessing import Arrays


def learned_input_weights(model: keras.Model, config: Config) -> dict[str, dict[str, float]]:
    """The learned weight of each input, for fusions that have one for all examples.

    Returns:
        Head ("" for all heads) -> input -> weight.
    """
    inputs, fusion = tuple(config.inputs), config.fusion
    if by_head := fusion.head_weights(model, inputs, tuple(config.heads)):
        return by_head
    towers = _towers(model, config)
    found = {head: fusion.learned_weights(tower, inputs) for head, tower in towers.items()}
    return {head: weights for head, weights in found.items() if weights is not None}


def mean_input_weights(
    model: keras.Model, config: Config, data: Arrays, split: str
) -> dict[str, dict[str, float]]:
    """The mean weight of each input over a split, for fusions that weight by example.

    Returns:
        Head ("" for all heads) -> input -> weight, with a sum of 1. Empty for other fusions.
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
    with reraise_with_file_names(config, data, split):
        for (inputs,) in evaluation_batches(config, data.splits[split], labelled=False):
            sums += total(inputs).numpy()
    means = sums / data.examples(split)
    return {
        head: dict(zip(config.inputs, weights, strict=True))
        for head, weights in zip(by_example, means.tolist(), strict=True)
    }


def _towers(model: keras.Model, config: Config) -> dict[str, Any]:
    """Head ("" for all heads) -> an object with the fusion's layers by their plain names."""
    if config.share or len(config.heads) < 2:
        return {"": model}
    first, *others = config.heads
    return {first: model} | {head: _Tower(model, f"{HEAD_SEPARATOR}{head}") for head in others}


class _Named(NamedTuple):
    name: str


@dataclass(frozen=True)
class _Tower:
    """The layers of one head in a model, under the names that those of the first head have."""

    model: keras.Model
    ending: str

    @property
    def layers(self) -> list[_Named]:
        names = (layer.name for layer in self.model.layers)
        own = (name for name in names if name.endswith(self.ending))
        return [_Named(name.removesuffix(self.ending)) for name in own]

    def get_layer(self, name: str) -> keras.Layer:
        return self.model.get_layer(f"{name}{self.ending}")
