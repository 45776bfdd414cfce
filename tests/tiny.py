"""The smallest useful training config."""

from __future__ import annotations

TINY = {
    "name": "tiny",
    "source": {"type": "dataset", "name": "digits"},
    "inputs": {
        "image": {
            "type": "image",
            "shape": [8, 8, 1],
            "encoder": {"type": "cnn", "filters": [8, 16], "padding": "same", "dropout": 0.1},
        }
    },
    "heads": {"digit": {"type": "classification"}},
    "train": {"epochs": 3, "optimizer": {"type": "adam", "learning_rate": 1e-2}},
}
"""A config that trains in two seconds, on bundled data."""
