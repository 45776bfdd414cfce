"""The first filters of a network as pictures."""

from __future__ import annotations

import numpy as np
import pytest
from squares import config_of

from mmzoo.anatomy import encoder_of
from mmzoo.model import build_model
from mmzoo.visualization.feature_maps import filter_pictures, first_filters

HEADS = {"found": {"type": "binary", "class_names": ["no", "yes"]}}


def test_they_are_the_kernels_of_the_first_convolution():
    encoder = encoder_of(build_model(config_of(HEADS)), "image")
    found = first_filters(encoder)
    assert (found.layer, found.kernels.shape) == ("stage1_conv1", (8, 3, 3, 1))
    kernel = np.asarray(encoder.get_layer("stage1_conv1").kernel.numpy())
    assert np.array_equal(found.kernels[5], kernel[..., 5])


def test_those_of_a_network_that_sees_blue_first_are_turned_round():
    encoder = encoder_of(build_model(config_of(HEADS)), "image")
    straight, turned = (first_filters(encoder, blue_first) for blue_first in (False, True))
    assert np.array_equal(turned.kernels, straight.kernels[..., ::-1])


def test_a_weight_of_0_is_grey_and_the_strongest_is_white_or_black():
    kernels = np.zeros((2, 3, 3, 3), np.float32)
    kernels[0, 0, 0, 0], kernels[0, 1, 1, 1] = 0.02, -0.01
    first, second = filter_pictures(kernels)
    assert first[0, 0].tolist() == [255, 128, 128]
    assert first[1, 1].tolist() == [128, 64, 128]
    assert (second == 128).all()


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_channels_that_are_no_colours_become_one(channels):
    assert filter_pictures(np.ones((4, 5, 5, channels), np.float32)).shape == (4, 5, 5, 1)
