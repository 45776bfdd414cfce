"""Encoders and head inputs in a built model."""

from __future__ import annotations

import pytest

from mmzoo.config import load_config
from mmzoo.lazy import keras
from mmzoo.model import build_model
from mmzoo.model_graph import encoder_of

PHOTO = {"type": "image", "shape": [4, 4, 1], "encoder": {"type": "cnn", "filters": [2]}}


@pytest.fixture(scope="module")
def towers() -> keras.Model:
    """A model of two heads with an encoder each; the second's name is no Python identifier."""
    kind = {"type": "classification", "classes": 2}
    return build_model(
        load_config(
            {
                "name": "towers",
                "source": {"type": "synthetic"},
                "inputs": {"photo": PHOTO},
                "share": False,
                "heads": {"kind": kind, "None": kind},
            }
        )
    )


@pytest.mark.parametrize(
    ("head", "encoder"),
    [(None, "photo_encoder"), ("kind", "photo_encoder"), ("None", "photo_encoder-None")],
)
def test_the_encoder_of_the_first_head_is_the_default(towers, head, encoder):
    assert encoder_of(towers, "photo", head).name == encoder
