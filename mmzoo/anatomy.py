"""The places in a built model that one looks at: encoders, feature maps, what the heads read.

Keras tells what a layer was given and gave only where the layer is no model itself; so these
functions follow its record of calls, of which every tensor knows its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras
    from keras import KerasTensor


def encoder_of(model: keras.Model, name: str) -> keras.Model:
    """The sub-model that reads an input."""
    return model.get_layer(f"{name}_encoder")


def encoded(model: keras.Model, name: str) -> KerasTensor:
    """The vector that an input's encoder gives, within the whole model: `[batch, width]`."""
    [call] = encoder_of(model, name)._inbound_nodes
    return call.output_tensors[0]


def read_by(model: keras.Model, heads: Iterable[str]) -> list[KerasTensor]:
    """The tensors that the heads predict from, each once.

    Where each input decides by itself, these are what every one of the decisions is made from.
    """
    found: list[KerasTensor] = []
    for head in heads:
        output = model.output[head]
        decisions = _inputs_of(output) if _combines_decisions(output) else [output]
        for tensor in (read for decision in decisions for read in _inputs_of(decision)):
            if not any(tensor is known for known in found):
                found.append(tensor)
    return found


def last_feature_map(encoder: keras.Model) -> KerasTensor | None:
    """The last feature map of an image encoder that still tells places apart.

    That is what its tokens are the positions of, before they are put in a row; or, where pooling
    has left one position, what was pooled.

    Returns:
        Float `[batch, height, width, channels]` within the encoder; None if there is no such map.
    """
    if len(encoder.outputs) < 2:
        return None
    tensor = encoder.outputs[1]
    while not _has_places(tensor):
        before = _inputs_of(tensor)
        if len(before) != 1:
            return None
        [tensor] = before
    return tensor


def _has_places(tensor: KerasTensor) -> bool:
    return len(tensor.shape) == 4 and tensor.shape[1] * tensor.shape[2] > 1


def _combines_decisions(tensor: KerasTensor) -> bool:
    from mmzoo.layers.combined_decisions import CombinedDecisions

    return isinstance(tensor._keras_history.operation, CombinedDecisions)


def _inputs_of(tensor: KerasTensor) -> list[KerasTensor]:
    """What the operation that made a tensor was given; nothing for a model's input."""
    operation, call, _ = tensor._keras_history
    return operation._inbound_nodes[call].input_tensors
