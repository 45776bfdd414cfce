"""AlexNet: parameter counts of the paper, options and rules."""

from __future__ import annotations

import numpy as np
import pytest
from encoder_helpers import built, convolutions, kernels, noise_images, part, problems, trainable

from mmzoo.lazy import tf
from mmzoo.modalities.image.encoders import AlexNet

SMALL = {"width": 0.0625, "units": (8,)}


@pytest.mark.parametrize("size", [224, pytest.param(227, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_network_of_the_paper(size):
    """The paper says 224 pixels; its numbers require 227 without padding."""
    model, last = built(AlexNet(), (size, size, 3))
    assert trainable(model, classes=1000) == 60_965_224
    assert last == (6, 6, 256)


def test_layers_match_the_paper():
    model, _ = built(AlexNet(**SMALL), (224, 224, 3))
    sizes = [(layer.name, layer.output.shape[1:]) for layer in model.layers[1:]]
    relus = [f"conv{position}_relu" for position in range(1, 6)]
    assert [(name, shape) for name, shape in sizes if name not in relus] == [
        ("rescaling", (224, 224, 3)),
        ("padding", (228, 228, 3)),
        ("conv1", (55, 55, 6)),
        ("conv1_norm", (55, 55, 6)),
        ("pool1", (27, 27, 6)),
        ("conv2", (27, 27, 16)),
        ("conv2_norm", (27, 27, 16)),
        ("pool2", (13, 13, 16)),
        ("conv3", (13, 13, 24)),
        ("conv4", (13, 13, 24)),
        ("conv5", (13, 13, 16)),
        ("pool5", (6, 6, 16)),
        ("flatten", (576,)),
        ("dense1", (8,)),
        ("dropout1", (8,)),
        ("tokens", (36, 16)),
    ]
    assert [layer.groups for layer in convolutions(model)] == [1, 2, 1, 2, 2]
    assert kernels(model) == [
        *[(11, 11, 3, 6), (5, 5, 3, 16), (3, 3, 16, 24), (3, 3, 12, 24), (3, 3, 12, 16)]
    ]


def test_grouped_convolution_sees_its_own_half():
    """Changing half of the channels does not affect the other half after a grouped convolution."""
    model, _ = built(AlexNet(**SMALL, norm="none"), (32, 32, 1))
    layer = model.get_layer("conv4")
    maps = np.random.RandomState(0).normal(size=(1, 5, 5, 24)).astype("float32")
    changed = maps.copy()
    changed[..., :12] += 1
    before, after = layer(maps).numpy(), layer(changed).numpy()
    assert (before[..., :12] != after[..., :12]).all()
    np.testing.assert_array_equal(before[..., 12:], after[..., 12:])


def test_without_groups_every_convolution_sees_all_channels():
    model, _ = built(AlexNet(**SMALL, groups=1), (32, 32, 1))
    assert [shape[2] for shape in kernels(model)] == [1, 6, 16, 24, 24]


@pytest.mark.parametrize("groups", [1, 2])
def test_gradients_in_a_compiled_step(groups):
    model, _ = built(AlexNet(**SMALL, groups=groups), (32, 32, 3))

    @tf.function
    def gradients(values):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(values, training=True)[0] - 1))
        return tape.gradient(loss, model.trainable_variables)

    for gradient in gradients(noise_images((4, 32, 32, 3))):
        assert tf.reduce_all(tf.math.is_finite(gradient))


def test_norms():
    values = noise_images((2, 32, 32, 1))
    model, _ = built(AlexNet(**SMALL), (32, 32, 1))
    maps = part(model, "conv1_relu")(values).numpy()
    # Unless activations are large, the constant dominates the sum of squares.
    normed = part(model, "conv1_norm")(values)
    np.testing.assert_allclose(normed, maps / 2**0.75, rtol=1e-2)
    model, _ = built(AlexNet(**SMALL, norm="batch"), (32, 32, 1))
    assert sum(type(layer).__name__ == "BatchNorm" for layer in model.layers) == 5
    assert not any(layer.use_bias for layer in convolutions(model))
    model, _ = built(AlexNet(**SMALL, norm="none"), (32, 32, 1))
    assert not any("norm" in layer.name for layer in model.layers)


@pytest.mark.parametrize(
    ("stem", "size", "kernel", "first"),
    [("auto", 63, 3, 63), ("auto", 64, 11, 15), ("small", 64, 3, 64), ("imagenet", 63, 11, 15)],
)
def test_auto_stem_depends_on_the_image_size(stem, size, kernel, first):
    model, _ = built(AlexNet(**SMALL, stem=stem), (size, size, 3))
    assert kernels(model)[0][:2] == (kernel, kernel)
    assert model.get_layer("conv1").output.shape[1:3] == (first, first)


@pytest.mark.parametrize(
    ("fields", "smallest"),
    [
        ({}, 15),
        ({"stem": "small"}, 15),
        ({"stem": "imagenet"}, 63),
        ({"filters": (16,)}, 3),
        ({"filters": (32, 64, 64, 32, 32, 32)}, 15),
    ],
)
def test_smallest_image_is_tight(fields, smallest):
    encoder = AlexNet(**SMALL, **fields, groups=1)
    assert encoder.smallest_image() == smallest
    assert built(encoder, (smallest, smallest, 1))[1][:2] == (1, 1)
    with pytest.raises(ValueError):  # noqa: PT011 - Keras' own, in many wordings.
        built(encoder, (smallest - 1, smallest - 1, 1))


def test_groups_must_divide_all_filters():
    assert problems(AlexNet, groups=3) == [
        "expected a divisor of the filters of every convolution, which are "
        "[96, 256, 384, 384, 256] with width 1; got 3"
    ]
    assert problems(AlexNet, width=0.05) == [
        "expected a divisor of the filters of every convolution, which are "
        "[5, 13, 19, 19, 13] with width 0.05; got 2"
    ]
    assert AlexNet(width=0.05, groups=1).groups == 1


def test_no_convolutions_is_an_error():
    assert problems(AlexNet, filters=()) == ["expected at least one convolution, got an empty list"]
