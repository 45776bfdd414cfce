"""CodeModel: a model split into an encoder to the code and a decoder from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmzoo.config import Config
from mmzoo.errors import RunError
from mmzoo.fusion import HasPrior
from mmzoo.heads import BaseHead, RebuildsInput
from mmzoo.lazy import keras, tf
from mmzoo.model_graph import head_inputs, layer_call


@dataclass(frozen=True)
class CodeModel:
    """The two parts of a model that rebuilds inputs; they share its layers.

    Attributes:
        heads: the heads that rebuild inputs, by name.
        width: of the code.
        has_prior: whether the code has the prior N(0, I).
        encoder: from a batch of model inputs to the mean of the code and its log variance, float32
            `[batch, width]`; to the code alone without a prior.
        decoder: from the code to the outputs of the heads, by name.
    """

    heads: Mapping[str, BaseHead]
    width: int
    has_prior: bool
    encoder: keras.Model
    decoder: keras.Model

    def encode(self, inputs: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        """The code of a batch; mean and log variance if it has a prior."""
        return list(tf.nest.flatten(self.encoder(inputs, training=False)))

    def decode(self, codes: tf.Tensor) -> dict[str, tf.Tensor]:
        """The outputs of the heads for codes, float32 `[batch, width]`."""
        outputs: dict[str, tf.Tensor] = self.decoder(codes, training=False)
        return outputs


def rebuilding_heads(config: Config) -> dict[str, Any]:
    """The heads that rebuild an input, by name."""
    return {name: head for name, head in config.heads.items() if isinstance(head, RebuildsInput)}


def code_model(model: keras.Model, config: Config) -> CodeModel:
    """The two parts of a model.

    Args:
        model: the whole model, or one without the encoders whose features are cached.
        config: its config.

    Raises:
        RunError: no head rebuilds an input, or heads do not share one code.
    """
    heads = rebuilding_heads(config)
    if not heads:
        raise RunError(f"{config.name}: no head rebuilds an input: none is a `reconstruction`")
    fusion = config.fusion
    has_prior = isinstance(fusion, HasPrior)
    if isinstance(fusion, HasPrior):
        parameters, code = layer_call(model, fusion.code_layer)
    else:
        codes = head_inputs(model, heads)
        if len(codes) > 1:
            raise RunError(f"{config.name}: its heads have a code each (`share: false`)")
        parameters, [code] = codes, codes
    for name, tensor in model.input.items():
        tensor.name = name  # Keras renames the inputs of cached features in its copy.
    return CodeModel(
        heads=heads,
        width=int(code.shape[-1]),
        has_prior=has_prior,
        encoder=keras.Model(model.input, parameters),
        decoder=keras.Model(code, {name: model.output[name] for name in heads}),
    )
