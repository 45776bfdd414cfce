"""Model summary: layers, parameters and FLOPs, for `mmzoo show CONFIG|RUN`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mmzoo.config import Config, load_config
from mmzoo.devices import memory_errors
from mmzoo.find_runs import open_run
from mmzoo.lazy import keras, quiet_stderr, tf
from mmzoo.modalities.abilities import VariesInLength
from mmzoo.model import build_model
from mmzoo.model_graph import encoders_of
from mmzoo.preprocessing import fit_config, load_frame
from mmzoo.reused_encoders import reuse_encoders

if TYPE_CHECKING:
    from keras import Layer


_LOOP_OPS = ("Enter", "While", "StatelessWhile")
"""Graph operations of loops."""

Frozen = Literal["", "frozen", "partly frozen"]
"""Whether training leaves weights unchanged."""


@dataclass(frozen=True)
class LayerRow:
    """A row of the summary: one layer, or a whole pretrained network.

    Attributes:
        name: the layer's name, after those of its sub-models: `image_encoder/conv1`.
        kind: the layer's class, such as `Conv2D`.
        output: the output shape without the batch, such as `28 x 28 x 32`.
        parameters: number of parameters.
        frozen: whether training leaves them unchanged.
    """

    name: str
    kind: str
    output: str
    parameters: int
    frozen: Frozen = ""


@dataclass(frozen=True)
class ModelSummary:
    """Layers, parameters and FLOPs of a model.

    Attributes:
        name: the config's name.
        layers: all layers, including those of sub-models.
        parameters: number of parameters.
        trainable: number of trainable parameters.
        flops: floating-point operations for one example of maximum length; a multiply-add counts as
            two. None for models with loops, such as recurrent ones, where they cannot be counted.
        folded: like `layers`, with one row for each pretrained network.
    """

    name: str
    layers: tuple[LayerRow, ...]
    parameters: int
    trainable: int
    flops: int | None
    folded: tuple[LayerRow, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The summary as JSON-serializable values."""
        figures = {name: value for name, value in vars(self).items() if name != "folded"}
        return {**figures, "layers": [vars(layer) for layer in self.layers]}

    def text(self, all_layers: bool = False) -> str:
        """A table of the layers, followed by the totals.

        Args:
            all_layers: include the layers of pretrained networks.
        """
        rows = self.layers if all_layers else self.folded
        lines = [*_table(rows), "", self._totals()]
        if len(rows) < len(self.layers):
            lines.append("Each pretrained network takes one line; --layers lists all its layers.")
        return "\n".join(lines)

    def _totals(self) -> str:
        counted = "" if self.flops is None else f"; {_short(self.flops)}FLOPs per example"
        return f"{self.name}: {self.parameters:,} parameters, {self.trainable:,} trainable{counted}"


@memory_errors()
def summarize(path: Path) -> ModelSummary:
    """The summary of the model of a config file or a run.

    Reads the data if the config does not determine the model, such as its number of classes.
    """
    is_config = path.suffix in (".yaml", ".yml") and not path.is_dir()
    config = load_config(path) if is_config else open_run(path)[0].config()
    config = reuse_encoders(config).with_columns()
    if not all(part.is_fitted for part in (*config.inputs.values(), *config.heads.values())):
        config, _ = fit_config(config, load_frame(config))
    model = build_model(config)
    backbones = {
        encoder.name: spec.encoder.architecture.type
        for name, spec in config.inputs.items()
        if spec.encoder.architecture.is_backbone
        for encoder in encoders_of(model, name)
    }
    whole = getattr(model, "whole", model)
    return ModelSummary(
        name=config.name,
        layers=tuple(_rows(whole, "")),
        parameters=model.count_params(),
        trainable=sum(int(np.prod(weight.shape)) for weight in model.trainable_weights),
        flops=_flops(model, config),
        folded=tuple(_rows(whole, "", backbones)),
    )


def _rows(
    model: keras.Model, prefix: str, backbones: Mapping[str, str] = MappingProxyType({})
) -> Iterator[LayerRow]:
    """Yields a row for each layer, but one row for each sub-model named in `backbones`."""
    for layer in model.layers:
        name = f"{prefix}{layer.name}"
        if name in backbones:
            rows = list(_rows(layer, f"{name}/"))
            kind = f"{backbones[name]}, {len(rows)} layers"
            yield LayerRow(name, kind, _vector(layer), layer.count_params(), _frozen(rows))
        elif isinstance(layer, keras.Model):
            yield from _rows(layer, f"{name}/", backbones)
        elif not (prefix and isinstance(layer, keras.layers.InputLayer)):
            state: Frozen = "frozen" if layer.weights and not layer.trainable_weights else ""
            yield LayerRow(name, type(layer).__name__, _shape(layer), layer.count_params(), state)


def _frozen(rows: Sequence[LayerRow]) -> Frozen:
    """Whether layers are frozen as a whole; those without weights do not count."""
    states = {row.frozen for row in rows if row.parameters}
    return "partly frozen" if len(states) > 1 else next(iter(states), "")


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
    """The size of an encoder's feature vector, without its tokens."""
    return str(encoder.outputs[0].shape[-1])


def _shape(layer: Layer) -> str:
    outputs = layer.output if isinstance(layer.output, list | tuple) else [layer.output]
    return ", ".join(" x ".join(map(str, output.shape[1:])) or "1" for output in outputs)


def _flops(model: keras.Model, config: Config) -> int | None:
    """FLOPs for one example, counted by TensorFlow's profiler; None if the graph has loops."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    positions = {
        name: spec.positions()
        for name, spec in config.inputs.items()
        if isinstance(spec, VariesInLength)
    }
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
        if any(node.op in _LOOP_OPS for node in frozen.graph.as_graph_def().node):
            return None  # The profiler counts a single iteration, and not all of it.
        profile = tf.compat.v1.profiler.profile(frozen.graph, options=options)
    return int(profile.total_float_ops)


def _short(count: int) -> str:
    for prefix, unit in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= unit:
            return f"{count / unit:.3g} {prefix}"
    return f"{count} "
