"""Helpers for tests of image encoders."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from mmzoo.lazy import keras
from mmzoo.modalities.image.encoders.image_encoder import ImageNetwork


def built(encoder: ImageNetwork, shape=(32, 32, 3)) -> tuple[keras.Model, tuple[int, ...]]:
    """The network and the shape of its last feature map."""
    image = keras.Input(shape, dtype="uint8")
    features = encoder.build(image)
    model = keras.Model(image, [features.vector, features.tokens])
    return model, model.get_layer("tokens").input.shape[1:]


def trainable(model: keras.Model, classes: int) -> int:
    """The trainable weights, including those of a dense layer for the classes."""
    width = model.output[0].shape[1]
    counts = [int(np.prod(weight.shape)) for weight in model.trainable_weights]
    return sum(counts) + width * classes + classes


def convolutions(model: keras.Model) -> list[keras.layers.Conv2D]:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]


def kernels(model: keras.Model) -> list[tuple[int, ...]]:
    """The kernel shape of each convolution."""
    return [tuple(layer.kernel.shape) for layer in convolutions(model)]


def part(model: keras.Model, name: str) -> keras.Model:
    """The network up to a layer."""
    return keras.Model(model.input, model.get_layer(name).output)


def noise_images(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, shape).astype("uint8")


def problems(encoder: type[ImageNetwork], **fields: object) -> list[str]:
    """Messages of the rules that the fields violate."""
    with pytest.raises(ValidationError) as caught:
        encoder(**fields)
    return [error["msg"] for error in caught.value.errors()]
