"""How much each input counts in a fusion that weighs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mmzoo.data import evaluation_batches, naming_files
from mmzoo.lazy import keras, tf

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.model import Network
    from mmzoo.sources import Data


def fusion_weights(
    network: Network, config: Config, data: Data, split: str
) -> tuple[dict[str, float], bool]:
    """The weight of each input; where the fusion weighs by example, the mean over a split.

    Returns:
        The weights, of sum 1, by input; none where the fusion has none. And whether it weighs by
        example.
    """
    model = network.model
    learned = config.fusion.learned_weights(model, list(config.inputs))
    if learned is not None:
        return learned, False
    by_example = config.fusion.example_weights(model)
    if by_example is None:
        return {}, False
    weigh = keras.Model(model.input, by_example)

    @tf.function(autograph=False, reduce_retracing=True)
    def total(inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        return tf.reduce_sum(tf.cast(weigh(inputs, training=False), tf.float64), axis=0)

    sums = np.zeros(len(config.inputs))
    with naming_files(config, data, split):
        for (inputs,) in evaluation_batches(config, data.splits[split], labelled=False):
            sums += total(inputs).numpy()
    means = sums / data.examples(split)
    return dict(zip(config.inputs, means.tolist(), strict=True)), True
