"""ResNet: parameter counts of the papers, options and rules."""

from __future__ import annotations

import numpy as np
import pytest
from encoder_helpers import built, convolutions, kernels, noise_images, part, problems, trainable
from pydantic import ValidationError

from mmzoo.lazy import keras, tf
from mmzoo.modalities.image import Image
from mmzoo.modalities.image.encoders import ResNet

# The papers' networks.


@pytest.mark.parametrize(
    ("depth", "expected"),
    # The paper's table 6 says 0.27, 0.46, 0.66, 0.85 and 1.7 million.
    [(20, 269_722), (32, 464_154), (44, 658_586), (56, 853_018), (110, 1_727_962)],
)
@pytest.mark.slow
def test_cifar_networks_of_the_paper(depth, expected):
    model, last = built(ResNet(depth=depth, shortcut="identity"))
    assert trainable(model, classes=10) == expected
    assert last == (8, 8, 64)
    assert len(convolutions(model)) == depth - 1  # The last layer of the depth is the head's.


@pytest.mark.parametrize(
    ("depth", "expected", "width"),
    [
        (18, 11_689_512, 512),
        pytest.param(34, 21_797_672, 512, marks=pytest.mark.slow),
        pytest.param(50, 25_557_032, 2048, marks=pytest.mark.slow),
    ],
)
def test_imagenet_networks_of_the_paper(depth, expected, width):
    """The counts are those of torchvision.

    keras.applications has a redundant bias before each batch norm: 26,560 parameters in ResNet-50.
    Its often cited 25,636,712 also include 53,120 moving statistics.
    """
    model, last = built(ResNet(depth=depth), (224, 224, 3))
    assert trainable(model, classes=1000) == expected
    assert last == (7, 7, width)
    shortcuts = 3 + (depth == 50)  # Bottlenecks widen the first stage as well.
    assert len(convolutions(model)) == depth - 1 + shortcuts


@pytest.mark.slow
def test_kernels_match_keras_applications_in_order():
    theirs = keras.applications.ResNet50(weights=None, include_top=False)
    ours, _ = built(ResNet(depth=50), (224, 224, 3))
    assert kernels(ours) == kernels(theirs)
    biases = sum(layer.filters for layer in convolutions(theirs))
    assert biases == 26_560
    assert theirs.count_params() - biases == ours.count_params()


# Blocks.


def test_version_1_adds_the_shortcut_before_the_activation():
    model, _ = built(ResNet(depth=(1,), filters=(4,)), (8, 8, 1))
    values = noise_images((2, 8, 8, 1))
    entry = part(model, "stem_conv_relu")(values)
    branch = part(model, "stage1_block1_conv2_norm")(values)
    after = part(model, "stage1_block1_relu")(values)
    np.testing.assert_allclose(after, tf.nn.relu(entry + branch), rtol=1e-6)


def test_version_2_has_an_identity_shortcut():
    model, _ = built(ResNet(depth=(2,), filters=(4,), version=2), (8, 8, 1))
    values = noise_images((2, 8, 8, 1))
    entry = part(model, "stage1_block1_add")(values)
    branch = part(model, "stage1_block2_conv2")(values)
    after = part(model, "stage1_block2_add")(values)
    np.testing.assert_allclose(after, entry + branch, rtol=1e-6)
    assert after.numpy().min() < 0
    assert model.get_layer("last_relu").output.shape == (None, 8, 8, 4)


def test_bottleneck_has_its_stride_in_the_3x3_convolution():
    model, last = built(ResNet(depth=(1, 1), filters=(4, 6), block="bottleneck"), (8, 8, 1))
    sizes = [model.get_layer(f"stage2_block1_conv{i}").output.shape[1:] for i in (1, 2, 3)]
    assert sizes == [(8, 8, 6), (4, 4, 6), (4, 4, 24)]
    assert last == (4, 4, 24)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("block", ["basic", "bottleneck"])
@pytest.mark.parametrize("shortcut", ["projection", "identity"])
def test_zero_init_blocks_start_as_identities(version, block, shortcut):
    encoder = ResNet(
        depth=(1, 2),
        filters=(4, 8),
        version=version,
        block=block,
        shortcut=shortcut,
        zero_init=True,
    )
    model, _ = built(encoder, (8, 8, 1))
    values = noise_images((2, 8, 8, 1))
    before = "stage2_block1_relu" if version == 1 else "stage2_block1_add"
    after = "stage2_block2_relu" if version == 1 else "stage2_block2_add"
    np.testing.assert_array_equal(part(model, after)(values), part(model, before)(values))


def test_identity_shortcuts_have_no_weights():
    with_weights, _ = built(ResNet(depth=20))
    without, _ = built(ResNet(depth=20, shortcut="identity"))
    # Two 1x1 convolutions, and gamma, beta, mean and variance of the norms behind them.
    projections = 16 * 32 + 32 * 4 + 32 * 64 + 64 * 4
    assert with_weights.count_params() - without.count_params() == projections


# Width, depth, stem.


def test_width_multiplier():
    model, last = built(ResNet(depth=20, width=0.5))
    assert kernels(model)[0] == (3, 3, 3, 8)
    assert last == (8, 8, 32)


def test_custom_depth_and_filters():
    model, last = built(ResNet(depth=(1, 2, 1), filters=(5, 6, 7)))
    assert last == (8, 8, 7)
    assert len(convolutions(model)) == 1 + 2 * 4 + 2
    _, last = built(ResNet(depth=(1, 1, 1, 1)), (16, 16, 1))
    assert last == (2, 2, 512)
    _, last = built(ResNet(depth=(1, 1, 1)), (16, 16, 1))
    assert last == (4, 4, 64)


@pytest.mark.parametrize(
    ("stem", "size", "expected"),
    [
        ("auto", 63, (3, 3, 3, 4)),
        ("auto", 64, (7, 7, 3, 4)),
        ("small", 64, (3, 3, 3, 4)),
        ("imagenet", 32, (7, 7, 3, 4)),
    ],
)
def test_auto_stem_depends_on_the_image_size(stem, size, expected):
    model, last = built(ResNet(depth=(1, 1), filters=(4, 8), stem=stem), (size, size, 3))
    assert kernels(model)[0] == expected
    after_stem = size if expected[0] == 3 else -(-size // 4)
    assert last == (-(-after_stem // 2), -(-after_stem // 2), 8)


@pytest.mark.parametrize(
    ("fields", "smallest"),
    [({}, 5), ({"depth": 20}, 3), ({"stem": "imagenet"}, 17), ({"depth": (1,)}, 1)],
)
def test_every_stride_reduces_the_smallest_image(fields, smallest):
    encoder = ResNet(**{"width": 0.1, **fields})
    assert encoder.smallest_image() == smallest
    _, last = built(encoder, (smallest, smallest, 3))
    assert last[:2] == (1, 1)


def test_input_error_reports_the_minimum_size():
    with pytest.raises(ValidationError) as caught:
        Image(shape=(16, 28, 1), encoder=ResNet(stem="imagenet"))
    [error] = caught.value.errors()
    assert error["msg"] == (
        "images of 16 x 28 are too small for this resnet encoder: the minimum is 17 x 17"
    )


def test_dropout_follows_average_pooling():
    model, _ = built(ResNet(depth=(1,), filters=(4,), dropout=0.5), (8, 8, 1))
    values = noise_images((2, 8, 8, 1))
    assert (model(values, training=True)[0].numpy() == 0).any()
    assert model.output[0].shape == (None, 4)


# Rules.


def test_unknown_depth_is_an_error():
    assert problems(ResNet, depth=19) == [
        "expected 18, 20, 32, 34, 44, 50, 56, 101, 110, 152 or 164, or the number of blocks per "
        "stage, as in [2, 2, 2]; got 19"
    ]
    assert problems(ResNet, depth=()) == ["expected at least one stage, got an empty list"]


def test_block_that_contradicts_the_depth_is_an_error():
    assert problems(ResNet, depth=50, block="basic") == [
        "depth 50 has bottleneck blocks: remove `block`, or set `depth` to the number of blocks "
        "per stage, [3, 4, 6, 3]"
    ]
    assert ResNet(depth=50, block="bottleneck").block == "bottleneck"


def test_filters_must_match_the_stages():
    assert problems(ResNet, depth=20, filters=(16, 32)) == [
        "expected one number for each of the 3 stages; got 2"
    ]
    assert problems(ResNet, depth=(1, 1), filters=()) == [
        "expected one number for each of the 2 stages; got 0"
    ]


def test_identity_shortcuts_cannot_reduce_channels():
    assert problems(ResNet, depth=(1, 1), filters=(8, 4), shortcut="identity") == [
        "an identity shortcut cannot reduce the number of feature maps: expected `filters` that do "
        "not decrease from stage to stage, or `shortcut: projection`"
    ]
    built(ResNet(depth=(1, 1), filters=(8, 4)))
