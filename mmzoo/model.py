"""From a config to a keras.Model."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmzoo.errors import ConfigError
from mmzoo.fusion import by_itself
from mmzoo.inputs import presence
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features
from mmzoo.sharing import TOWER, shared_with

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.heads import Head
    from mmzoo.inputs import Input

_WHERE_WHOLE = (
    "take `run.config()` of a trained run, or `fit_config` and `load_data` of "
    "`mmzoo.examples` on data of your own"
)


@dataclass(frozen=True)
class Network:
    """A model, and the places in it where encoders end.

    Attributes:
        model: a dictionary of inputs in, a dictionary of predictions out.
        features: what the encoder of each input gives, as tensors within the model; where every
            head has encoders of its own, that of the first head's.
        others: the same of all other heads, where they have.
    """

    model: keras.Model
    features: dict[str, Features]
    others: tuple[dict[str, Features], ...] = ()

    def after_encoders(self, config: Config, names: Collection[str]) -> keras.Model:
        """The same layers without the encoders of some inputs, whose vectors go in instead."""
        inputs = dict(self.model.input)
        for name in names:
            inputs[name] = self.features[name].vector
            inputs[name].name = name  # Keras warns if it isn't the dictionary's key.
        return _whole(config, inputs, self.model.output)

    def parted(self) -> tuple[dict[str, keras.Model], keras.Model]:
        """The same layers in two parts, for whoever runs the second many times on other features.

        Returns:
            Of each input, a model of its values to the tensors of its features, in a list; and a
            model of these lists by the inputs' names, and of what else the whole model takes (which
            inputs are there), to what the heads predict.
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
    """As `build_network`, without what is within the model."""
    return build_network(config, precision).model


def build_network(config: Config, precision: str | None = None) -> Network:
    """The model of a fitted config: a dictionary of inputs in, a dictionary of predictions out.

    Every encoder is a sub-model named `<input>_encoder`, so it can be frozen, summarised and used
    again by itself. Where every head has encoders and fusion of its own, these are the first
    head's; the layers of another have names that end in `-<head>`. The first weights are drawn
    from `train.seed`.

    Args:
        config: fitted to its data.
        precision: the Keras dtype policy of its layers; by default the one that is in force.

    Raises:
        ConfigError: an input or head leaves open what only the data says, such as how many
            classes there are.
    """
    for name, spec in config.inputs.items():
        if not spec.whole:
            raise ConfigError(
                f"inputs.{name}: the model's shape is read off its data. To have it, {_WHERE_WHOLE}"
            )
    for name, head in config.heads.items():
        if not head.whole:
            size = "dim" if "dim" in type(head).model_fields else "classes"
            raise ConfigError(
                f"heads.{name}.{size}: missing, so the model's shape is not known. Give it, or "
                f"{_WHERE_WHOLE}"
            )
    keras.utils.set_random_seed(config.train.seed)
    with _dtype_policy(precision):
        placeholders = {name: spec.placeholder(name) for name, spec in config.inputs.items()}
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
        return Network(_whole(config, placeholders, outputs), first, tuple(others))


def _towers(config: Config) -> Iterator[tuple[Mapping[str, Head], str]]:
    """The heads that share encoders and fusion, and what the names of these layers end in."""
    if config.share:
        yield config.heads, ""
        return
    for place, (name, head) in enumerate(config.heads.items()):
        yield {name: head}, f"{TOWER}{name}" if place else ""


def _tower(
    config: Config,
    placeholders: Mapping[str, keras.KerasTensor],
    present: Mapping[str, keras.KerasTensor],
    heads: Mapping[str, Head],
    ending: str,
) -> tuple[dict[str, Features], dict[str, keras.KerasTensor]]:
    """Encoders, fusion and heads: the features of all inputs, and what the heads predict."""
    encoders = {
        name: _encoder(placeholders[name], spec, name, ending)
        for name, spec in config.inputs.items()
        if shared_with(spec) is None
    }
    features = {
        name: Features(*encoders[shared_with(spec) or name](placeholders[name]))
        for name, spec in config.inputs.items()
    }
    there = {
        name: _or_missing(
            encoded, present[name], name, config.fusion.reads_tokens(name, config.inputs)
        )
        if name in present
        else encoded
        for name, encoded in features.items()
    }
    outputs = config.fusion.predictions(there, heads)
    if ending:
        _rename([*placeholders.values(), *present.values()], outputs, ending)
    return features, outputs


def _rename(
    inputs: Collection[keras.KerasTensor], outputs: Mapping[str, keras.KerasTensor], ending: str
) -> None:
    """Gives the layers of a tower names that no other tower's have; the heads' own are such."""
    for layer in keras.Model(list(inputs), dict(outputs)).layers:
        is_input = isinstance(layer, keras.layers.InputLayer)
        if not (is_input or layer.name in outputs or layer.name.endswith(ending)):
            layer.name = f"{layer.name}{ending}"


def _whole(
    config: Config,
    inputs: Mapping[str, keras.KerasTensor],
    outputs: Mapping[str, keras.KerasTensor],
) -> keras.Model:
    """The objective's model of inputs and outputs, of which some may be of one input alone."""
    alone = {
        head: tuple(name for one in config.inputs if (name := by_itself(head, one)) in outputs)
        for head in config.heads
    }
    return config.objective.build(
        inputs,
        outputs,
        config.name,
        config.heads,
        {head: names for head, names in alone.items() if names},
        config.fusion.auxiliary_loss,
    )


@contextmanager
def _dtype_policy(name: str | None) -> Iterator[None]:
    """A policy for the layers made within, which would else hold for the rest of the process."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name or before)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _encoder(placeholder: keras.KerasTensor, spec: Input, name: str, ending: str) -> keras.Model:
    """A sub-model for inputs like a placeholder, which gives the tensors of their features."""
    # Not by the input's own name, which a layer of the encoder may have: "words", "embedding".
    inside = keras.Input(placeholder.shape[1:], dtype=placeholder.dtype, name="input")
    features = spec.features(inside)
    return keras.Model(inside, features.tensors(), name=f"{name}_encoder{ending}")


def _or_missing(
    features: Features, present: keras.KerasTensor, name: str, with_tokens: bool
) -> Features:
    """The features where an input is there, and what was learned for it where it is not.

    Tokens that nobody reads are left out: of a frozen encoder, vectors alone are kept.
    """
    from mmzoo.layers.missing_features import MissingFeatures

    tensors = features.tensors() if with_tokens else [features.vector]
    return Features(*MissingFeatures(name=f"{name}_missing")(tensors, present))
