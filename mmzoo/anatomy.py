"""The places in a built model that one looks at: encoders, feature maps, what the heads read.

Keras tells what a layer was given and gave only where the layer is no model itself; so these
functions follow its record of calls, of which every tensor knows its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.sharing import TOWER


def encoder_of(model: keras.Model, name: str, head: str | None = None) -> keras.Model:
    """The sub-model that reads an input, which may read others too.

    Args:
        model: the whole model.
        name: the input's.
        head: for which it does, where every head has encoders of its own; by default the first.
    """
    return _reading(model, name, head)[0]


def encoders_of(model: keras.Model, name: str) -> list[keras.Model]:
    """All sub-models that read an input: one, or as many as there are heads."""
    return [encoder for encoder, _ in _readers(model, name)]


def encoded(model: keras.Model, name: str, head: str | None = None) -> keras.KerasTensor:
    """The vector that an input's encoder gives, within the whole model: `[batch, width]`."""
    return _reading(model, name, head)[1]


def _reading(
    model: keras.Model, name: str, head: str | None
) -> tuple[keras.Model, keras.KerasTensor]:
    readers = _readers(model, name)
    own = [one for one in readers if head and one[0].name.endswith(f"{TOWER}{head}")]
    return own[0] if own else next(one for one in readers if TOWER not in one[0].name)


def _readers(model: keras.Model, name: str) -> list[tuple[keras.Model, keras.KerasTensor]]:
    """The sub-models that read an input, each with the vector that it gives of it."""
    placeholder = model.input[name]
    return [
        (layer, call.output_tensors[0])
        for layer in model.layers
        if f"_encoder{TOWER}" in f"{layer.name}{TOWER}"
        for call in layer._inbound_nodes
        if any(tensor is placeholder for tensor in call.input_tensors)
    ]


def read_by(model: keras.Model, heads: Iterable[str]) -> list[keras.KerasTensor]:
    """The tensors that the heads predict from, each once.

    Where each input decides by itself, these are what every one of the decisions is made from.
    """
    found: list[keras.KerasTensor] = []
    for head in heads:
        output = model.output[head]
        decisions = _inputs_of(output) if _combines_decisions(output) else [output]
        for tensor in (read for decision in decisions for read in _inputs_of(decision)):
            if not any(tensor is known for known in found):
                found.append(tensor)
    return found


def last_feature_map(encoder: keras.Model) -> keras.KerasTensor | None:
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


def _has_places(tensor: keras.KerasTensor) -> bool:
    return len(tensor.shape) == 4 and tensor.shape[1] * tensor.shape[2] > 1


def _combines_decisions(tensor: keras.KerasTensor) -> bool:

    return isinstance(tensor._keras_history.operation, layers.CombinedDecisions)


def _inputs_of(tensor: keras.KerasTensor) -> list[keras.KerasTensor]:
    """What the operation that made a tensor was given; nothing for a model's input."""
    operation, call, _ = tensor._keras_history
    return operation._inbound_nodes[call].input_tensors
