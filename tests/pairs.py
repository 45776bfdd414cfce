"""A small multimodal variational autoencoder, and its data: images and the name of their side."""

from __future__ import annotations

from typing import Any

import numpy as np

ROWS = 64


def pairs() -> dict[str, Any]:
    """Images with a bright half, its name, which some rows lack, and its class."""
    random = np.random.RandomState(0)
    side = np.arange(ROWS) % 2
    images = random.randint(0, 100, (ROWS, 6, 6, 1)).astype(np.uint8)
    images[side == 0, :, :3] += 140
    images[side == 1, :, 3:] += 140
    places = [["left", "right"][one] if row % 5 else None for row, one in enumerate(side)]
    return {"photo": images, "place": places, "side": np.array(["l", "r"])[side]}


OPTIONAL = {"missing": "learned", "modality_dropout": 0.3}
PAIRS: dict[str, Any] = {
    "name": "pairs",
    "source": {"type": "table", "path": "x", "split": {"validation": 0.2, "test": 0.2}},
    "inputs": {
        "photo": {
            "type": "image",
            "shape": [6, 6, 1],
            "binarize": 0.5,
            "encoder": {"type": "cnn", "filters": [4], "padding": "same"},
            **OPTIONAL,
        },
        "cells": {
            "type": "tabular",
            "columns": {"place": "category"},
            "encoder": {"type": "mlp", "units": [8]},
            **OPTIONAL,
        },
    },
    "fusion": {
        "type": "variational",
        "dim": 2,
        "combine": "product_of_experts",
        "warmup": 0.5,
        "importance_samples": 20,
    },
    "heads": {
        "photo_again": {"type": "reconstruction", "input": "photo", "loss": "bernoulli"},
        "cells_again": {"type": "reconstruction", "input": "cells", "loss": "gaussian"},
        "side": {"type": "classification", "weight": 0.1},
    },
    "train": {
        "epochs": 20,
        "batch_size": 8,
        "optimizer": {"type": "adam", "learning_rate": 0.03},
    },
}
"""To be trained on `pairs()`."""
