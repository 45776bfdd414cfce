"""Inception: parameter counts of GoogLeNet, options and rules."""

from __future__ import annotations

import numpy as np
import pytest
from encoder_helpers import built, convolutions, kernels, noise_images, part, problems, trainable

from mmzoo.modalities.image.encoders import Inception

ONE = ((8, 4, 8, 4, 8, 8),)
"""A stage of one small module."""


def test_googlenet():
    """The count is that of the authors' implementation without the two auxiliary classifiers."""
    model, last = built(Inception(), (224, 224, 3))
    assert trainable(model, classes=1000) == 6_998_552
    assert last == (7, 7, 1024)


def test_feature_maps_match_the_paper():
    model, _ = built(Inception(width=0.25), (224, 224, 3))
    shapes = {layer.name: layer.output.shape[1:] for layer in model.layers}
    names = ["stem_conv1", "stem_pool1", "stem_conv3", "stem_pool2"]
    assert [shapes[name][0] for name in names] == [112, 56, 56, 28]
    concatenated = [shape for name, shape in shapes.items() if name.endswith("concat")]
    assert concatenated == [
        *[(28, 28, 64), (28, 28, 120)],
        *[(14, 14, 128), (14, 14, 128), (14, 14, 128), (14, 14, 132), (14, 14, 208)],
        *[(7, 7, 208), (7, 7, 256)],
    ]


def test_module_concatenates_four_branches():
    model, last = built(Inception(stages=(((1, 2, 3, 4, 5, 6),),), norm="none"), (8, 8, 1))
    assert last == (8, 8, 1 + 3 + 5 + 6)
    assert kernels(model)[3:] == [
        *[(1, 1, 192, 2), (1, 1, 192, 4)],
        *[(1, 1, 192, 1), (3, 3, 2, 3), (5, 5, 4, 5), (1, 1, 192, 6)],
    ]
    values = noise_images((2, 8, 8, 1))
    name = "stage1_module1"
    views = ("1x1_relu", "3x3_relu", "5x5_relu", "pool_projection_relu")
    expected = np.concatenate([part(model, f"{name}_{view}")(values) for view in views], -1)
    np.testing.assert_array_equal(part(model, f"{name}_concat")(values), expected)


def test_width_multiplier():
    model, last = built(Inception(width=0.125))
    assert last == (8, 8, 128)
    assert kernels(model)[:3] == [(3, 3, 3, 8), (1, 1, 8, 8), (3, 3, 8, 24)]
    assert built(Inception(stages=(ONE,), width=0.01))[1] == (32, 32, 4)


def test_norms():
    model, _ = built(Inception(stages=(ONE,)), (8, 8, 1))
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("LocalResponseNorm") == 2
    model, _ = built(Inception(stages=(ONE,), norm="batch"), (8, 8, 1))
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("BatchNorm") == len(convolutions(model)) == 9
    assert not any(layer.use_bias for layer in convolutions(model))
    model, _ = built(Inception(stages=(ONE,), norm="none"), (8, 8, 1))
    assert not any("norm" in layer.name for layer in model.layers)


@pytest.mark.parametrize(
    ("stem", "size", "kernel", "left"),
    [("auto", 63, 3, 63), ("auto", 64, 7, 8), ("small", 64, 3, 64), ("imagenet", 32, 7, 4)],
)
def test_auto_stem_depends_on_the_image_size(stem, size, kernel, left):
    model, last = built(Inception(stages=(ONE,), width=0.25, stem=stem), (size, size, 3))
    assert kernels(model)[0][:2] == (kernel, kernel)
    assert last[:2] == (left, left)


@pytest.mark.parametrize(
    ("fields", "smallest"),
    [({}, 3), ({"stem": "imagenet"}, 17), ({"stages": (ONE,)}, 1)],
)
def test_every_stride_reduces_the_smallest_image(fields, smallest):
    encoder = Inception(width=0.0625, **fields)
    assert encoder.smallest_image() == smallest
    assert built(encoder, (smallest, smallest, 1))[1][:2] == (1, 1)


def test_dropout_follows_average_pooling():
    model, _ = built(Inception(stages=(ONE,), dropout=0.5), (8, 8, 1))
    assert model.get_layer("dropout").output is model.output[0]
    assert model.get_layer("average").output.shape == (None, 32)


def test_rules():
    assert problems(Inception, stages=()) == ["expected at least one stage, got an empty list"]
    assert problems(Inception, stages=(ONE, ())) == [
        "expected at least one module in a stage, got an empty list"
    ]
