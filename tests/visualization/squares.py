"""Images with a bright square, and a network trained to find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mmzoo.config import Config, load_config
from mmzoo.lazy import keras
from mmzoo.model import build_model

SIDE, SQUARE = 32, 8


@dataclass(frozen=True)
class Finder:
    """A trained model, its config, and images with the corners of their squares."""

    model: Any
    config: Config
    images: np.ndarray
    corners: np.ndarray


def squares(random: np.random.RandomState, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright square somewhere: uint8 [count, 32, 32, 1] and the corners [count, 2]."""
    images = random.randint(0, 80, (count, SIDE, SIDE, 1)).astype("uint8")
    corners = random.randint(0, SIDE - SQUARE + 1, (count, 2))
    for image, (top, left) in zip(images, corners, strict=True):
        image[top : top + SQUARE, left : left + SQUARE] = 255
    return images, corners


def config_of(heads: dict[str, Any], **encoder: Any) -> Config:
    """A config for such images, with a small CNN by default."""
    small = {"type": "cnn", "filters": [8, 16], "padding": "same", "pooling": "average"}
    given = encoder if "type" in encoder else {**small, **encoder}
    return load_config(
        {
            "name": "finder",
            "source": {"type": "synthetic", "rows": 64},
            "inputs": {"image": {"type": "image", "shape": [SIDE, SIDE, 1], "encoder": given}},
            "heads": heads,
        }
    )


def train_finder() -> Finder:
    """A network that classifies images with and without a square."""
    names = ["nothing", "square"]
    config = config_of({"found": {"type": "classification", "classes": 2, "class_names": names}})
    model = build_model(config)
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    random = np.random.RandomState(0)
    for _ in range(60):
        with_square, _ = squares(random, 16)
        without = random.randint(0, 80, with_square.shape).astype("uint8")
        labels = np.repeat([1, 0], 16)
        model.train_on_batch({"image": np.concatenate([with_square, without])}, {"found": labels})
    return Finder(model, config, *squares(random, 8))
