"""Tensors and sub-models within a built model: encoders, feature maps, inputs of the heads.

Keras' `layer.input` and `layer.output` do not give the tensors of a sub-model's calls, so these
functions follow the graph of calls (`_inbound_nodes`, `_keras_history`).
"""

from __future__ import annotations

from collections.abc import Iterable

from mmzoo import layers
from mmzoo.lazy import keras
from mmzoo.shared_encoders import HEAD_SEPARATOR


def encoder_of(model: keras.Model, name: str, head: str | None = None) -> keras.Model:
    """The encoder of an input, which may be shared with others.

    Args:
        model: the whole model.
        name: the input's.
        head: whose encoder, where every head has its own; by default the first.
    """
    return _reader(model, name, head)[0]


def encoders_of(model: keras.Model, name: str) -> list[keras.Model]:
    """All encoders of an input: one, or one per head."""
    return [encoder for encoder, _ in _readers(model, name)]


def encoder_output(model: keras.Model, name: str, head: str | None = None) -> keras.KerasTensor:
    """The vector of an input's encoder within the whole model, `[batch, width]`."""
    return _reader(model, name, head)[1]


def _reader(
    model: keras.Model, name: str, head: str | None
) -> tuple[keras.Model, keras.KerasTensor]:
    readers = _readers(model, name)
    own = [one for one in readers if head and one[0].name.endswith(f"{HEAD_SEPARATOR}{head}")]
    return own[0] if own else next(one for one in readers if HEAD_SEPARATOR not in one[0].name)


def _readers(model: keras.Model, name: str) -> list[tuple[keras.Model, keras.KerasTensor]]:
    """The encoders of an input, each with its output vector."""
    placeholder = model.input[name]
    return [
        (layer, call.output_tensors[0])
        for layer in model.layers
        if f"_encoder{HEAD_SEPARATOR}" in f"{layer.name}{HEAD_SEPARATOR}"
        for call in layer._inbound_nodes
        if any(tensor is placeholder for tensor in call.input_tensors)
    ]


def head_inputs(model: keras.Model, heads: Iterable[str]) -> list[keras.KerasTensor]:
    """The input tensors of the heads' last layers, each once.

    With decision-level fusion, those of the layers that predict from each input alone.
    """
    found: list[keras.KerasTensor] = []
    for head in heads:
        output = model.output[head]
        decisions = _inputs_of(output) if _combines_decisions(output) else [output]
        for tensor in (read for decision in decisions for read in _inputs_of(decision)):
            if not any(tensor is known for known in found):
                found.append(tensor)
    return found


def layer_call(model: keras.Model, name: str) -> tuple[list[keras.KerasTensor], keras.KerasTensor]:
    """The input tensors and the output of a layer within a model.

    The layer may also be part of other models, with a call in each. The outputs of this one are
    followed back to it.
    """
    layer = model.get_layer(name)
    unseen = list(model.outputs)
    seen = set()
    while unseen:
        tensor = unseen.pop()
        operation = tensor._keras_history.operation
        if operation is layer:
            return _inputs_of(tensor), tensor
        if id(tensor) not in seen and operation._inbound_nodes:
            seen.add(id(tensor))
            unseen += _inputs_of(tensor)
    raise ValueError(f"no output of the model depends on {name}")


def last_feature_map(encoder: keras.Model) -> keras.KerasTensor | None:
    """The last feature map of an image encoder that has more than one position.

    Its positions are the encoder's tokens; where pooling left one position, the input of the
    pooling.

    Returns:
        Float `[batch, height, width, channels]` within the encoder; None if there is no such map.
    """
    if len(encoder.outputs) < 2:
        return None
    tensor = encoder.outputs[1]
    while not _has_positions(tensor):
        before = _inputs_of(tensor)
        if len(before) != 1:
            return None
        [tensor] = before
    return tensor


def _has_positions(tensor: keras.KerasTensor) -> bool:
    return len(tensor.shape) == 4 and tensor.shape[1] * tensor.shape[2] > 1


def _combines_decisions(tensor: keras.KerasTensor) -> bool:
    return isinstance(tensor._keras_history.operation, layers.CombinedDecisions)


def _inputs_of(tensor: keras.KerasTensor) -> list[keras.KerasTensor]:
    """The inputs of the operation that made a tensor; none for an input of the model."""
    operation, call, _ = tensor._keras_history
    return operation._inbound_nodes[call].input_tensors
