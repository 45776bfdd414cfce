"""How a fusion has learnt to weigh its inputs, head by head where that differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    inputs, heads, fusion = tuple(config.inputs), tuple(config.heads), config.fusion
    if by_head := fusion.head_weights(model, inputs, heads):
        return by_head
    # Of the first head the layers have their plain names.
    towers: dict[str, Any] = {"" if config.share or len(heads) == 1 else heads[0]: model}
    if not config.share:
        towers |= {head: _Tower(model, f"{TOWER}{head}") for head in heads[1:]}
    found = {head: fusion.learned_weights(tower, inputs) for head, tower in towers.items()}
    return {head: weights for head, weights in found.items() if weights is not None}


def mean_input_weights(
    model: keras.Model, config: Config, data: Data, split: str
) -> dict[str, float]:
    """How much each input counts on average over a split, where the fusion weighs by example.

    Returns:
        By its name, of sum 1; nothing where the fusion does not, or where every head has a fusion
        of its own.
    """
    by_example = config.fusion.example_weights(model) if config.share else None
    if by_example is None:
        return {}
    weigh = keras.Model(model.input, by_example)

    @tf.function(autograph=False, reduce_retracing=True)
    def total(inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        return tf.reduce_sum(tf.cast(weigh(inputs, training=False), tf.float64), axis=0)

    sums = np.zeros(len(config.inputs))
    with naming_files(config, data, split):
        for (inputs,) in evaluation_batches(config, data.splits[split], labelled=False):
            sums += total(inputs).numpy()
    means = sums / data.examples(split)
    return dict(zip(config.inputs, means.tolist(), strict=True))


@dataclass(frozen=True)
class _Tower:
    """The layers of one head in a model, by the names that those of the first head have."""

    model: keras.Model
    ending: str

    def get_layer(self, name: str) -> keras.Layer:
        return self.model.get_layer(f"{name}{self.ending}")
