"""`mmzoo show CONFIG|RUN`: the layers, parameters and FLOPs of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mmzoo.anatomy import encoders_of
from mmzoo.config import Config, load_config
from mmzoo.devices import memory_errors
from mmzoo.examples import fit_config, load_data
from mmzoo.lazy import keras, quiet_stderr, tf
from mmzoo.modalities.image.encoders.pretrained import Pretrained
from mmzoo.model import build_model
from mmzoo.runs import open_run

if TYPE_CHECKING:
    from keras import Layer


_LOOPS = ("Enter", "While", "StatelessWhile")
"""Operations that a graph with loops has."""

Frozen = Literal["", "frozen", "partly frozen"]
"""Whether training leaves the weights of something as they are."""


@dataclass(frozen=True)
class LayerRow:
    """One layer: its name, below the sub-models it is in; what it is, gives and has.

    Or a whole pretrained network, in a line.
    """

    name: str
    kind: str
    output: str
    parameters: int
    frozen: Frozen = ""


@dataclass(frozen=True)
class Summary:
    """A model in figures.

    Attributes:
        name: the config's name.
        layers: all layers, sub-models opened.
        parameters: how many numbers the model has.
        trainable: how many of them training changes.
        flops: floating-point operations for one example, of the greatest length where that differs,
            a multiplication and an addition as two; None where recurrent layers hide them in loops.
        folded: the layers, with one row for each pretrained network.
    """

    name: str
    layers: tuple[LayerRow, ...]
    parameters: int
    trainable: int
    flops: int | None
    folded: tuple[LayerRow, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        figures = {name: value for name, value in vars(self).items() if name != "folded"}
        return {**figures, "layers": [vars(layer) for layer in self.layers]}

    def text(self, all_layers: bool = False) -> str:
        """For people: a line for each layer, and the sums below.

        Args:
            all_layers: list those of pretrained networks too.
        """
        rows = self.layers if all_layers else self.folded
        lines = [*_table(rows), "", self._sums()]
        if len(rows) < len(self.layers):
            lines.append("Pretrained networks are in one line each; --layers lists their layers.")
        return "\n".join(lines)

    def _sums(self) -> str:
        counted = "" if self.flops is None else f"; {_short(self.flops)}FLOPs an example"
        return (
            f"{self.name}: {self.parameters:,} parameters, {self.trainable:,} of them "
            f"trainable{counted}"
        )


@memory_errors()
def summarise(path: Path) -> Summary:
    """The model of a config file, or of a run.

    Where the config leaves to the data how many classes there are, say, the data is read.
    """
    is_config = path.suffix in (".yaml", ".yml") and not path.is_dir()
    config = load_config(path) if is_config else open_run(path)[0].config()
    config = config.with_columns()
    if not all(part.whole for part in (*config.inputs.values(), *config.heads.values())):
        config, _ = fit_config(config, load_data(config))
    model = build_model(config)
    backbones = {
        encoder.name: spec.encoder.type
        for name, spec in config.inputs.items()
        if isinstance(spec.encoder, Pretrained)
        for encoder in encoders_of(model, name)
    }
    return Summary(
        name=config.name,
        layers=tuple(_rows(model, "")),
        parameters=model.count_params(),
        trainable=sum(int(np.prod(weight.shape)) for weight in model.trainable_weights),
        flops=_flops(model, config),
        folded=tuple(_rows(model, "", backbones)),
    )


def _rows(
    model: keras.Model, prefix: str, backbones: Mapping[str, str] = MappingProxyType({})
) -> Iterator[LayerRow]:
    """A row for each layer; for a sub-model that is in `backbones`, by its name, one in all."""
    for layer in model.layers:
        name = f"{prefix}{layer.name}"
        if name in backbones:
            rows = list(_rows(layer, f"{name}/"))
            kind = f"{backbones[name]}, {len(rows)} layers"
            yield LayerRow(name, kind, _vector(layer), layer.count_params(), _in_all(rows))
        elif isinstance(layer, keras.Model):
            yield from _rows(layer, f"{name}/", backbones)
        elif not (prefix and isinstance(layer, keras.layers.InputLayer)):
            frozen: Frozen = "frozen" if layer.weights and not layer.trainable_weights else ""
            yield LayerRow(name, type(layer).__name__, _shape(layer), layer.count_params(), frozen)


def _in_all(rows: Sequence[LayerRow]) -> Frozen:
    """Of some layers together; those without weights do not count."""
    said = {row.frozen for row in rows if row.parameters}
    return "partly frozen" if len(said) > 1 else next(iter(said), "")


def _table(rows: Sequence[LayerRow]) -> list[str]:
    cells = [("layer", "type", "output", "parameters", "")]
    cells += [(r.name, r.kind, r.output, f"{r.parameters:,}", r.frozen) for r in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(3)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        + f"  {row[3]:>10}  {row[4]}"
        for row in cells
    )
    return [line.rstrip() for line in lines]


def _vector(encoder: keras.Model) -> str:
    """The size of the vector that an encoder gives, and not of the tokens beside it."""
    return str(encoder.outputs[0].shape[-1])


def _shape(layer: Layer) -> str:
    outputs = layer.output if isinstance(layer.output, list | tuple) else [layer.output]
    return ", ".join(" x ".join(map(str, output.shape[1:])) or "1" for output in outputs)


def _flops(model: keras.Model, config: Config) -> int | None:
    """Counted by TensorFlow's profiler over the graph of one example, if that has no loops."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    positions = {name: spec.positions() for name, spec in config.inputs.items()}
    examples = {
        name: tf.TensorSpec(
            (1, *(size or positions[name] for size in tensor.shape[1:])), tensor.dtype
        )
        for name, tensor in model.input.items()
    }
    graph = tf.function(lambda inputs: model(inputs, training=False)).get_concrete_function(
        examples
    )
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    with quiet_stderr():
        frozen = convert_variables_to_constants_v2(graph)
        if any(node.op in _LOOPS for node in frozen.graph.as_graph_def().node):
            return None  # The profiler counts one turn of each, and of that not all.
        profile = tf.compat.v1.profiler.profile(frozen.graph, options=options)
    return int(profile.total_float_ops)


def _short(count: int) -> str:
    for prefix, unit in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= unit:
            return f"{count / unit:.3g} {prefix}"
    return f"{count} "
