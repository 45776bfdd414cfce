"""What is done to the layers of a network that somebody else has built."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from mmzoo.lazy import keras


def name_layers(network: keras.Model) -> None:
    """Gives the layers that have no name of their own one that is the same in every process.

    Keras counts such names up (`conv2d_7`) over all that a process has built.
    """
    counts: Counter[str] = Counter()
    for operation in network.operations:
        kind = re.sub(r"_\d+$", "", operation.name)
        is_counted = kind.replace("_", "") == type(operation).__name__.lower()
        if is_counted and not isinstance(operation, keras.layers.InputLayer):
            counts[kind] += 1
            operation.name = f"{kind}_{counts[kind]}"


def thaw(network: keras.Model, trainable: bool | int, trained_norm: bool) -> None:
    """Says of every layer whether training changes it.

    What stays frozen is deterministic in training too: its batch norm keeps its statistics, and it
    drops nothing.

    Args:
        network: any, with its layers in order.
        trainable: all, none, or how many of the last layers that have a kernel; others, such as
            normalisation, go with the one before them.
        trained_norm: whether batch norm is trained with them.
    """
    layers = list(_leaves(network))
    kernels = [place for place, layer in enumerate(layers) if _has_kernel(layer)]
    match trainable:
        case True:
            first = 0
        case False:
            first = len(layers)
        case number:
            first = kernels[-min(number, len(kernels))]
    for place, layer in enumerate(layers):
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = place >= first and (trained_norm or not is_norm)
        if place < first and isinstance(layer, keras.layers.Dropout):
            # Keras passes `training` on to every layer, even where one was called without it.
            layer.rate = 0.0


def _leaves(network: keras.Model) -> Iterator[keras.Layer]:
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        else:
            yield layer


def _has_kernel(layer: keras.Layer) -> bool:
    return any(len(weight.shape) > 1 for weight in layer.weights)
