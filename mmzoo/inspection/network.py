"""A walk through the network: what goes in, what each part makes of it, what it has to learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mmzoo.anatomy import encoders_of
from mmzoo.errors import ConfigError
from mmzoo.inspection.found import Found, Walk
from mmzoo.lazy import keras
from mmzoo.model import Network, build_network
from mmzoo.sharing import shared_with
from mmzoo.spec.wording import printable

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.inputs import Input

_MOST_WORDS = 300


def walk(config: Config, found: Found) -> None:
    """Builds the network of a fitted config and tells the shapes on the way through it.

    An encoder, or what joins them, that cannot be built is an error of `found`, and there is no
    walk.
    """
    problems = {
        name: _encoder_problem(name, spec)
        for name, spec in config.inputs.items()
        if shared_with(spec) is None
    }
    found.errors += [f"inputs.{name}.encoder: {why}" for name, why in problems.items() if why]
    if any(problems.values()):
        return
    try:
        network = build_network(config)
    except ConfigError:
        raise
    except Exception as error:  # Keras and TensorFlow raise of all kinds.
        found.errors.append(f"fusion: {_said(error)}")
        return
    model = network.model
    found.network += _walked(config, network)
    found.parameters = model.count_params()
    found.trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def _encoder_problem(name: str, spec: Input) -> str | None:
    try:
        spec.features(spec.placeholder(name))
    except Exception as error:
        return _said(error)
    return None


def _said(error: Exception) -> str:
    """What an error of Keras says, without the pages on arguments that follow."""
    words = printable(" ".join(str(error).split("\n\n")[0].split()))
    return f"it cannot be built: {words[:_MOST_WORDS]}"


def _walked(config: Config, network: Network) -> list[Walk]:
    steps = []
    for name, spec in config.inputs.items():
        placeholder = network.model.input[name]
        steps.append(Walk(name, f"{spec.type} input", _shape(placeholder), 0))
        features = network.features[name]
        output = _shape(features.vector)
        if features.tokens is not None:
            output += f", tokens {_shape(features.tokens)}"
        other = shared_with(spec)
        for encoder in encoders_of(network.model, name):
            kind = spec.encoder.type if other is None else f"shared with {other}"
            parameters = int(encoder.count_params()) if other is None else 0
            steps.append(Walk(encoder.name, kind, output, parameters))
    encoders = {step.name for step in steps}
    for layer in network.model.layers:
        if layer.name in encoders or isinstance(layer, keras.layers.InputLayer):
            continue
        kind = type(layer).__name__
        if layer.name in config.heads:
            kind = f"{config.heads[layer.name].type} head"
        # What may be absent has tokens beside its vector, which comes first.
        output = layer.output[0] if isinstance(layer.output, list) else layer.output
        steps.append(Walk(layer.name, kind, _shape(output), int(layer.count_params())))
    return steps


def _shape(tensor: keras.KerasTensor) -> str:
    """The shape of one example, with `?` for what differs from batch to batch."""
    return " x ".join("?" if size is None else str(size) for size in tensor.shape[1:]) or "1"
