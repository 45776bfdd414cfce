"""Builds the Keras model of a config."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mmzoo import layers
from mmzoo.errors import ConfigError
from mmzoo.fusion import auxiliary_name
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.base_input import presence
from mmzoo.shared_encoders import HEAD_SEPARATOR, encoder_owner

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.heads import BaseHead
    from mmzoo.modalities import Input

_HOW_TO_FIT = (
    "use `run.config()` of a trained run, or `fit_config` and `load_frame` of "
    "`mmzoo.preprocessing` on your data"
)


@dataclass(frozen=True)
class Network:
    """A model, and the outputs of its encoders.

    Attributes:
        model: from a dictionary of inputs to a dictionary of the heads' outputs.
        features: the encoder outputs of each input, as tensors within the model; where every head
            has its own encoders, those of the first head.
        others: those of the other heads, where every head has its own.
    """

    model: keras.Model
    features: dict[str, Features]
    others: tuple[dict[str, Features], ...] = ()

    def after_encoders(self, config: Config, names: Collection[str]) -> keras.Model:
        """The same layers without the encoders of some inputs, whose vectors are inputs instead."""
        inputs = dict(self.model.input)
        for name in names:
            inputs[name] = self.features[name].vector
            inputs[name].name = name  # Keras warns if it isn't the dictionary's key.
        return _objective_model(config, inputs, self.model.output)

    def parted(self) -> tuple[dict[str, keras.Model], keras.Model]:
        """The same layers as encoders and the rest, to run the rest many times on other features.

        Returns:
            By input, a model from its values to the list of its feature tensors; and a model from
            these lists by input, and the presence inputs, to the outputs.
        """
        placeholders = dict(self.model.input)
        between = {
            name: [x for tower in (self.features, *self.others) for x in tower[name].tensors()]
            for name in self.features
        }
        encoders = {
            name: keras.Model(placeholders.pop(name), tensors) for name, tensors in between.items()
        }
        return encoders, keras.Model({**placeholders, **between}, self.model.output)


def build_model(config: Config, precision: str | None = None) -> keras.Model:
    """The model of `build_network`."""
    return build_network(config, precision).model


def build_network(config: Config, precision: str | None = None) -> Network:
    """The model of a fitted config, from a dictionary of inputs to a dictionary of outputs.

    Every encoder is a sub-model named `<input>_encoder`, so it can be frozen, summarized and
    reused. Where every head has its own encoders and fusion, these names are the first head's;
    those of another head end in `-<head>`. Initial weights are drawn from `train.seed`.

    Args:
        config: fitted to its data.
        precision: the Keras dtype policy of its layers; by default the current one.

    Raises:
        ConfigError: an input or head is not fitted, so its shape (such as the number of classes) is
            unknown.
    """
    for name, spec in config.inputs.items():
        if not spec.is_fitted:
            raise ConfigError(
                f"inputs.{name}: the model's shape depends on its data. To build it, {_HOW_TO_FIT}"
            )
    for name, head in config.heads.items():
        if not head.is_fitted:
            sizes = [field for field in ("classes", "dim") if field in type(head).model_fields]
            raise ConfigError(
                f"{'.'.join(['heads', name, *sizes])}: missing, so the model's shape is unknown. "
                f"Set it, or {_HOW_TO_FIT}"
            )
    keras.utils.set_random_seed(config.train.seed)
    with _dtype_policy(precision):
        placeholders = {name: spec.placeholder(name) for name, spec in config.inputs.items()}
        generated = config.objective.generated_input(config.inputs)
        if generated is not None:  # Its values have gradients.
            shape = placeholders[generated].shape[1:]
            placeholders[generated] = keras.Input(shape, dtype="float32", name=generated)
        present = {
            name: keras.Input((), dtype="float32", name=presence(name)) for name in config.presence
        }
        outputs: dict[str, keras.KerasTensor] = {}
        towers = []
        for heads, ending in _towers(config):
            features, predicted = _tower(config, placeholders, present, heads, ending)
            towers.append(features)
            outputs |= predicted
        placeholders |= {presence(name): tensor for name, tensor in present.items()}
        first, *others = towers
        return Network(_objective_model(config, placeholders, outputs), first, tuple(others))


def _towers(config: Config) -> Iterator[tuple[Mapping[str, BaseHead], str]]:
    """The heads that share encoders and fusion, and the suffix of their layers' names."""
    if config.share:
        yield config.heads, ""
        return
    for place, (name, head) in enumerate(config.heads.items()):
        yield {name: head}, f"{HEAD_SEPARATOR}{name}" if place else ""


def _tower(
    config: Config,
    placeholders: Mapping[str, keras.KerasTensor],
    present: Mapping[str, keras.KerasTensor],
    heads: Mapping[str, BaseHead],
    ending: str,
) -> tuple[dict[str, Features], dict[str, keras.KerasTensor]]:
    """Builds encoders, fusion and heads: the features of all inputs, and the outputs."""
    encoders = {
        name: _encoder(placeholders[name], spec, name, ending)
        for name, spec in config.inputs.items()
        if encoder_owner(spec) is None
    }
    features = {
        name: Features(*encoders[encoder_owner(spec) or name](placeholders[name]))
        for name, spec in config.inputs.items()
    }
    there = {
        name: _or_missing(encoded, present[name], name, config.reads_tokens(name))
        if name in present
        else encoded
        for name, encoded in features.items()
    }
    outputs = config.fusion.head_outputs(
        there, {**heads, **config.objective.own_outputs(config.inputs)}
    )
    if ending:
        _rename([*placeholders.values(), *present.values()], outputs, ending)
    return features, outputs


def _rename(
    inputs: Collection[keras.KerasTensor], outputs: Mapping[str, keras.KerasTensor], ending: str
) -> None:
    """Adds a suffix to the names of a tower's layers, except those of the outputs."""
    for layer in keras.Model(list(inputs), dict(outputs)).layers:
        is_input = isinstance(layer, keras.layers.InputLayer)
        if not (is_input or layer.name in outputs or layer.name.endswith(ending)):
            layer.name = f"{layer.name}{ending}"


def _objective_model(
    config: Config,
    inputs: Mapping[str, keras.KerasTensor],
    outputs: Mapping[str, keras.KerasTensor],
) -> keras.Model:
    """The objective's model of inputs and outputs, including auxiliary ones."""
    auxiliary = {
        head: tuple(name for one in config.inputs if (name := auxiliary_name(head, one)) in outputs)
        for head in config.heads
    }
    return config.objective.build(
        inputs,
        outputs,
        config.name,
        config.heads,
        {head: names for head, names in auxiliary.items() if names},
        config.fusion.auxiliary_loss,
        config.inputs,
    )


@contextmanager
def _dtype_policy(name: str | None) -> Iterator[None]:
    """A dtype policy for the layers made within the context."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name or before)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _encoder(placeholder: keras.KerasTensor, spec: Input, name: str, ending: str) -> keras.Model:
    """The encoder of an input as a sub-model from its values to its feature tensors."""
    # Not by the input's own name, which a layer of the encoder may have: "words", "embedding".
    inside = keras.Input(placeholder.shape[1:], dtype=placeholder.dtype, name="input")
    features = spec.features(inside)
    encoder = keras.Model(inside, features.tensors(), name=f"{name}_encoder{ending}")
    spec.encoder.freeze(encoder)
    return encoder


def _or_missing(
    features: Features, present: keras.KerasTensor, name: str, with_tokens: bool
) -> Features:
    """The features where an input is present, learned ones where it is missing.

    Unused tokens are left out: only vectors of frozen encoders are cached.
    """

    tensors = features.tensors() if with_tokens else [features.vector]
    features = Features(*layers.MissingFeatures(name=f"{name}_missing")(tensors, present))
    return replace(features, present=present)
