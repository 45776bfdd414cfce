"""First-layer filters as images."""

from __future__ import annotations

import numpy as np
import pytest
from squares import config_of

from mmzoo.model import build_model
from mmzoo.model_graph import encoder_of
from mmzoo.visualization.feature_maps import filter_images, first_filters

HEADS = {"found": {"type": "binary", "class_names": ["no", "yes"]}}


def test_first_filters_are_the_kernels():
    encoder = encoder_of(build_model(config_of(HEADS)), "image")
    found = first_filters(encoder)
    assert (found.layer, found.kernels.shape) == ("stage1_conv1", (8, 3, 3, 1))
    kernel = np.asarray(encoder.get_layer("stage1_conv1").kernel.numpy())
    assert np.array_equal(found.kernels[5], kernel[..., 5])


def test_bgr_filters_are_reversed():
    encoder = encoder_of(build_model(config_of(HEADS)), "image")
    straight, turned = (first_filters(encoder, bgr) for bgr in (False, True))
    assert np.array_equal(turned.kernels, straight.kernels[..., ::-1])


def test_zero_weight_is_grey_and_extremes_are_black_or_white():
    kernels = np.zeros((2, 3, 3, 3), np.float32)
    kernels[0, 0, 0, 0], kernels[0, 1, 1, 1] = 0.02, -0.01
    first, second = filter_images(kernels)
    assert first[0, 0].tolist() == [255, 128, 128]
    assert first[1, 1].tolist() == [128, 64, 128]
    assert (second == 128).all()


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_other_channel_counts_are_averaged(channels):
    assert filter_images(np.ones((4, 5, 5, channels), np.float32)).shape == (4, 5, 5, 1)
