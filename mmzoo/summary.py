"""`mmzoo show CONFIG|RUN`: the layers, parameters and FLOPs of a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.config import Config, load_config
from mmzoo.devices import memory_errors
from mmzoo.journal import to_stderr
from mmzoo.lazy import keras, quiet_stderr, tf
from mmzoo.model import build_model
from mmzoo.runs import open_run

if TYPE_CHECKING:
    from keras import Layer


@dataclass(frozen=True)
class LayerRow:
    """One layer: its name, below the sub-models it is in; what it is, gives and has."""

    name: str
    kind: str
    output: str
    parameters: int


@dataclass(frozen=True)
class Summary:
    """A model in figures.

    Attributes:
        name: the config's name.
        layers: all layers, sub-models opened.
        parameters: how many numbers the model has.
        trainable: how many of them training changes.
        flops: floating-point operations for one example, a multiplication and an addition as two.
    """

    name: str
    layers: tuple[LayerRow, ...]
    parameters: int
    trainable: int
    flops: int

    def as_dict(self) -> dict[str, Any]:
        rows = [vars(layer) for layer in self.layers]
        return {**vars(self), "layers": rows}

    def __str__(self) -> str:
        cells = [("layer", "type", "output", "parameters")]
        cells += [(r.name, r.kind, r.output, f"{r.parameters:,}") for r in self.layers]
        widths = [max(len(row[column]) for row in cells) for column in range(3)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
            + f"  {row[3]:>10}"
            for row in cells
        ]
        return "\n".join(
            [
                *lines,
                "",
                f"{self.name}: {self.parameters:,} parameters, {self.trainable:,} of them "
                f"trainable; {_short(self.flops)}FLOPs an example",
            ]
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
        config, _ = config.fitted(config.load_data(to_stderr))
    model = build_model(config)
    return Summary(
        name=config.name,
        layers=tuple(_rows(model, "")),
        parameters=model.count_params(),
        trainable=sum(int(np.prod(weight.shape)) for weight in model.trainable_weights),
        flops=_flops(model, config),
    )


def _rows(model: keras.Model, prefix: str) -> Iterator[LayerRow]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _rows(layer, f"{prefix}{layer.name}/")
        elif not (prefix and isinstance(layer, keras.layers.InputLayer)):
            yield LayerRow(
                f"{prefix}{layer.name}",
                type(layer).__name__,
                _shape(layer),
                layer.count_params(),
            )


def _shape(layer: Layer) -> str:
    outputs = layer.output if isinstance(layer.output, list | tuple) else [layer.output]
    return ", ".join(" x ".join(map(str, output.shape[1:])) or "1" for output in outputs)


def _flops(model: keras.Model, config: Config) -> int:
    """Counted by TensorFlow's profiler over the graph of one example."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    examples = {
        name: tf.TensorSpec((1, *model.input[name].shape[1:]), model.input[name].dtype)
        for name in config.inputs
    }
    graph = tf.function(lambda inputs: model(inputs, training=False)).get_concrete_function(
        examples
    )
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    with quiet_stderr():
        frozen = convert_variables_to_constants_v2(graph)
        profile = tf.compat.v1.profiler.profile(frozen.graph, options=options)
    return int(profile.total_float_ops)


def _short(count: int) -> str:
    for prefix, unit in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= unit:
            return f"{count / unit:.3g} {prefix}"
    return f"{count} "
