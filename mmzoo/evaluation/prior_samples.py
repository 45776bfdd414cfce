"""Examples drawn from the prior of a code, for the report and TensorBoard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmzoo.config import Config, Preprocessing
from mmzoo.evaluation.code_model import code_model, rebuilding_heads
from mmzoo.fusion import HasPrior
from mmzoo.lazy import keras, tf
from mmzoo.randomness import Randomness

_SHOWN = 24


def prior_codes(width: int, seed: int, rows: np.ndarray) -> tf.Tensor:
    """Codes of the prior N(0, I), float32 `[rows, width]`; those of a row depend on the seed."""
    examples = tf.constant(rows, tf.int64)
    return Randomness(seed, tf.constant(0, tf.int64), examples).fold("prior").normal(width)


def prior_samples(
    model: keras.Model, config: Config, preprocessing: Preprocessing
) -> dict[str, Sequence[np.ndarray] | Sequence[str]]:
    """What each head that rebuilds an input makes of codes of the prior: images or texts.

    Empty if the code has no prior, or nothing is rebuilt.
    """
    if not isinstance(config.fusion, HasPrior) or not rebuilding_heads(config):
        return {}
    network = code_model(model, config)
    outputs = network.decode(prior_codes(network.width, config.train.seed, np.arange(_SHOWN)))
    heads: dict[str, Any] = rebuilding_heads(config)
    return {
        name: head.show_rebuilt(outputs[name].numpy(), preprocessing.get(head.input, {}))
        for name, head in heads.items()
    }
