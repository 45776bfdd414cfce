"""VGG: parameter counts of the paper, comparison with keras.applications, options and rules."""

from __future__ import annotations

import numpy as np
import pytest
from encoder_helpers import built, convolutions, kernels, noise_images, problems, trainable

from mmzoo.lazy import keras
from mmzoo.modalities.image.encoders import VGG

SMALL = {"units": (8,), "width": 0.0625}


@pytest.mark.parametrize(
    ("depth", "expected"),
    [(11, 132_863_336), (13, 133_047_848), (16, 138_357_544), (19, 143_667_240)],
)
def test_networks_of_the_paper(depth, expected):
    """Table 2 of the paper: 133, 133, 138 and 144 million. The exact counts are torchvision's."""
    # The dense layers are counted by hand: half a gigabyte of weights takes seconds to draw.
    model, last = built(VGG(depth=depth, units=(), dropout=0.0), (224, 224, 3))
    assert last == (7, 7, 512)
    assert len(convolutions(model)) == depth - 3  # And two dense layers, and the head's.
    flat = model.output[0].shape[1]
    dense = (flat * 4096 + 4096) + (4096 * 4096 + 4096) + (4096 * 1000 + 1000)
    assert model.count_params() + dense == expected


@pytest.mark.slow
def test_dense_layers_match_the_paper():
    model, _ = built(VGG(depth=11), (28, 28, 1))
    names = ["flatten", "dense1", "dropout1", "dense2", "dropout2"]
    assert [layer.name for layer in model.layers if layer.name in names] == names
    weights = 512 * 4096 + 4096 + 4096 * 4096 + 4096
    assert trainable(model, classes=10) == 9_219_328 + weights + 4096 * 10 + 10


@pytest.mark.parametrize(
    ("depth", "name"), [(16, "VGG16"), pytest.param(19, "VGG19", marks=pytest.mark.slow)]
)
def test_outputs_match_keras_applications(depth, name):
    shape = (64, 64, 3)
    theirs = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=shape)
    ours, _ = built(VGG(depth=depth, pooling="average", units=()), shape)
    assert kernels(ours) == kernels(theirs)
    for mine, other in zip(convolutions(ours), convolutions(theirs), strict=True):
        mine.set_weights(other.get_weights())
    values = noise_images((2, *shape))
    expected = theirs(values / 127.5 - 1).numpy()
    np.testing.assert_allclose(
        ours(values)[1].numpy().reshape(expected.shape), expected, rtol=1e-4, atol=1e-6
    )


def test_custom_width_depth_and_stages():
    encoder = VGG(depth=(1, 2), filters=(6, 10), width=0.5, units=())
    model, last = built(encoder, (12, 12, 1))
    assert kernels(model) == [(3, 3, 1, 3), (3, 3, 3, 5), (3, 3, 5, 5)]
    assert last == (3, 3, 5)
    assert model.output[0].shape == (None, 45)


def test_batch_norm_replaces_biases():
    model, _ = built(VGG(batch_norm=True, depth=(1,), filters=(4,), units=()), (4, 4, 1))
    assert model.count_params() == 36 + 16
    kinds = [type(layer).__name__ for layer in model.layers[2:5]]
    assert kinds == ["Conv2D", "BatchNorm", "Activation"]


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_pooling_of_the_last_map(pooling):
    model, last = built(VGG(depth=(1,), filters=(4,), pooling=pooling, units=()), (6, 6, 1))
    vector, tokens = model(noise_images((2, 6, 6, 1)))
    reduce = np.mean if pooling == "average" else np.max
    np.testing.assert_allclose(vector, reduce(tokens.numpy(), axis=1), rtol=1e-5)
    assert last == (3, 3, 4)


@pytest.mark.parametrize(
    ("fields", "smallest"),
    [({}, 17), ({"depth": (1, 1), "filters": (8, 8)}, 3), ({"depth": (1,), "filters": (8,)}, 2)],
)
def test_every_pooling_reduces_the_smallest_image(fields, smallest):
    encoder = VGG(**SMALL, **fields)
    assert encoder.smallest_image() == smallest
    assert built(encoder, (smallest, smallest, 1))[1][:2] == (1, 1)


def test_pooling_rounds_up():
    """28, 14, 7, 4, 2, 1: the paper's five stages on 28x28 pixels."""
    model, last = built(VGG(depth=11, **SMALL), (28, 28, 1))
    sizes = [model.get_layer(f"stage{stage}_pool").output.shape[1] for stage in range(1, 6)]
    assert sizes == [14, 7, 4, 2, 1]
    assert last == (1, 1, 32)


def test_rules():
    assert problems(VGG, depth=12) == [
        "expected 11, 13, 16 or 19, or the number of convolutions per stage, as in [1, 1, 2]; "
        "got 12"
    ]
    assert problems(VGG, filters=()) == ["expected at least one stage, got an empty list"]
    assert problems(VGG, filters=(64, 128)) == [
        "expected the number of convolutions of each of the 2 stages of `filters`; got depth 16, "
        "which has [2, 2, 3, 3, 3]"
    ]
    assert problems(VGG, depth=(1, 1, 1)) == [
        "expected the number of convolutions of each of the 5 stages of `filters`; got 3 numbers"
    ]
