"""Freezing: which layers of a network are trained."""

from __future__ import annotations

from collections.abc import Iterator

from mmzoo.lazy import keras


def set_trainable(network: keras.Model, trainable: bool | int, trained_norm: bool) -> None:
    """Sets which layers are trained.

    Frozen layers are deterministic in training, too: batch normalization uses its moving
    statistics, and dropout is disabled.

    Args:
        network: network with its layers in order.
        trainable: all, none, or the number of last layers with a kernel to train. Layers without a
            kernel, such as normalization, follow the layer before them.
        trained_norm: whether batch normalization is trained with them.
    """
    layers = list(_leaf_layers(network))
    kernels = [index for index, layer in enumerate(layers) if _has_kernel(layer)]
    match trainable:
        case True:
            first = 0
        case False:
            first = len(layers)
        case number:
            first = kernels[-min(number, len(kernels))]
    for index, layer in enumerate(layers):
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = index >= first and (trained_norm or not is_norm)
        if index < first:
            _disable_dropout(layer)


def _leaf_layers(network: keras.Model) -> Iterator[keras.Layer]:
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _leaf_layers(layer)
        else:
            yield layer


def _has_kernel(layer: keras.Layer) -> bool:
    return any(len(weight.shape) > 1 for weight in layer.weights)


def _disable_dropout(layer: keras.Layer) -> None:
    # Keras passes `training` to every layer, even if a layer was called without it.
    for part in layer._flatten_layers():
        if isinstance(part, keras.layers.Dropout):
            part.rate = 0.0
        elif hasattr(part, "recurrent_dropout") and not isinstance(part, keras.layers.RNN):
            part.recurrent_dropout = 0.0  # Of the cell; the layer around it shows the same value.
