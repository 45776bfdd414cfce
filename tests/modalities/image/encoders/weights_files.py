"""Weights files in the formats of keras.applications, for tests."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from mmzoo.lazy import keras


def write_old_layout(model: keras.Model, path: Path, group: str = "/") -> Path:
    """Writes a model's weights in the legacy layout of Keras 2."""
    with h5py.File(path, "w") as file:
        top = file.require_group(group)
        top.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            inside = top.create_group(layer.name)
            names = [f"{layer.name}/{place}:0" for place in range(len(layer.weights))]
            inside.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights, strict=True):
                inside[name] = np.asarray(weight.numpy())
    return path


def with_other_values(model: keras.Model) -> keras.Model:
    """The model with every weight changed slightly, so that activations stay bounded."""
    random = np.random.RandomState(7)
    for weight in model.weights:
        if str(weight.dtype).startswith("float"):
            values = np.asarray(weight.numpy())
            offset = 0.01 * random.uniform(size=values.shape) if values.ndim == 1 else 0.0
            weight.assign(values * random.uniform(0.8, 1.0, values.shape) + offset)
    return model
