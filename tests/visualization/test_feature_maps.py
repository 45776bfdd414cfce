"""Feature maps of each stage of a network."""

from __future__ import annotations

import numpy as np
import pytest
from squares import config_of

from mmzoo.lazy import keras
from mmzoo.model import build_model
from mmzoo.model_graph import encoder_of
from mmzoo.visualization.feature_maps import highest_variance_channels, stage_maps

HEADS = {"found": {"type": "binary", "class_names": ["no", "yes"]}}


@pytest.mark.parametrize(
    ("encoder", "layers"),
    [
        ({}, ["stage1_conv1_relu", "stage2_conv1_relu", "stage2_pool"]),
        ({"padding": "valid", "filters": [4], "pool": 1}, ["stage1_conv1_relu"]),
        ({"filters": [4, 4], "pool": [2, 16]}, ["stage1_conv1_relu", "stage2_conv1_relu"]),
        ({"type": "lenet"}, ["conv1", "pool1", "conv2", "pool2"]),
        (
            {"type": "resnet", "depth": [1, 1], "filters": [4, 8]},
            ["stage1_block1_relu", "stage2_block1_relu"],
        ),
    ],
)
def test_a_stage_ends_where_the_size_changes(encoder, layers):
    found = stage_maps(encoder_of(build_model(config_of(HEADS, **encoder)), "image"), noise())
    assert [stage.layer for stage in found] == layers


def noise():
    return np.random.RandomState(0).randint(0, 256, (1, 32, 32, 1)).astype("uint8")


def test_maps_are_the_layer_output():
    encoder = encoder_of(build_model(config_of(HEADS)), "image")
    last = stage_maps(encoder, noise())[-1]
    assert str(last) == "stage2_pool: 16 maps of 8 x 8"
    layer = encoder.get_layer("stage2_pool")
    expected = keras.Model(encoder.input, layer.output)(noise())
    np.testing.assert_array_equal(last.maps, expected[0])


def test_highest_variance_channels_come_first():
    maps = np.zeros((4, 4, 3), np.float32)
    maps[0, 0, 1], maps[0, 0, 2], maps[..., 0] = 1, 5, 7
    assert highest_variance_channels(maps, 2)[:, 0, 0].tolist() == [5, 1]
