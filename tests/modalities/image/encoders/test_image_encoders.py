"""Contract of all image encoders; the tests iterate over the union of specs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from mmzoo.lazy import keras, tf
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.image import Image
from mmzoo.modalities.image.encoders import CNN, ImageEncoder, LeNet
from mmzoo.modalities.image.encoders.pretrained import Pretrained
from mmzoo.spec.expected_types import ExpectedType

FAMILY = ExpectedType.from_annotation(ImageEncoder).family
ENCODERS = {
    name: spec for name, spec in FAMILY.items() if name not in ("shared", "run")
}  # No network of their own.
FROM_SCRATCH = [name for name, spec in ENCODERS.items() if not issubclass(spec, Pretrained)]
SOME_PRETRAINED = ["squeezenet", "mobilenet_v2", "mobilenet_v3_small"]
"""Small ones of three builds; `test_pretrained` looks at every one."""


def test_there_are_image_encoders():
    assert len(FROM_SCRATCH) >= 6
    assert len(ENCODERS) >= 40
    assert ENCODERS.keys() >= set(SOME_PRETRAINED)


@pytest.fixture(
    params=[
        *FROM_SCRATCH,
        SOME_PRETRAINED[0],
        *(pytest.param(name, marks=pytest.mark.slow) for name in SOME_PRETRAINED[1:]),
    ]
)
def encoder(request):
    """Encoder with its defaults, but narrow where it can be, and with random initial weights."""
    spec = ENCODERS[request.param]
    if issubclass(spec, Pretrained):
        return spec(type=request.param, weights="none", trainable=True)
    return narrow(spec)


def narrow(spec: Any) -> Any:
    fields = {"width": 0.25, "units": (64, 64)} if "width" in spec.model_fields else {}
    return spec(**{name: value for name, value in fields.items() if name in spec.model_fields})


def images(shape, count=3) -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, (count, *shape)).astype("uint8")


def built(encoder, shape) -> tuple[Features, keras.Model]:
    image = keras.Input(shape, dtype="uint8")
    features = encoder.build(image)
    outputs = [features.vector] + ([features.tokens] if features.tokens is not None else [])
    return features, keras.Model(image, outputs)


def shapes(encoder):
    smallest = encoder.smallest_image()
    sizes = [(smallest, smallest), (33, 29)]
    return list(dict.fromkeys(fitting(encoder, *size) for size in sizes))


def fitting(encoder, height=28, width=28) -> tuple[int, int, int]:
    """Shape of images of this size, or of the minimum size of the encoder."""
    smallest = encoder.smallest_image()
    return max(height, smallest), max(width, smallest), encoder.channels[0]


def test_channels_are_supported_or_rejected(encoder):
    for channels in (1, 3):
        height, width, _ = fitting(encoder)
        if channels in encoder.channels:
            assert Image(shape=(height, width, channels), encoder=encoder)
        else:
            with pytest.raises(ValidationError, match=f"channels, not {channels}"):
                Image(shape=(height, width, channels), encoder=encoder)


def test_features_have_a_static_width_and_tokens_a_shape(encoder):
    for shape in shapes(encoder):
        features, model = built(encoder, shape)
        assert features.vector.shape[0] is None
        assert len(features.vector.shape) == 2
        assert features.vector.shape[1] >= 1
        vector, *tokens = model(images(shape), training=False)
        assert vector.shape == (3, *features.vector.shape[1:])
        assert np.isfinite(vector).all()
        if features.tokens is not None:
            assert features.tokens.shape[0] is None
            assert len(features.tokens.shape) == 3
            assert all(size >= 1 for size in features.tokens.shape[1:])
            assert tokens[0].shape == (3, *features.tokens.shape[1:])


def test_input_rejects_images_below_the_minimum(encoder):
    smallest = encoder.smallest_image()
    assert smallest > 1
    channels = encoder.channels[0]
    Image(shape=(smallest, smallest, channels), encoder=encoder)
    for shape in [(smallest - 1, 100, channels), (100, smallest - 1, channels)]:
        with pytest.raises(ValidationError) as caught:
            Image(shape=shape, encoder=encoder)
        [error] = caught.value.errors()
        assert error["msg"] == (
            f"images of {shape[0]} x {shape[1]} are too small for this {encoder.type} encoder: "
            f"the minimum is {smallest} x {smallest}"
        )


def test_gradients_reach_every_weight(encoder):
    _, model = built(encoder, (32, 32, 3))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(images((32, 32, 3)), training=True)[0] - 1.0))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert len(gradients) > 1
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert tf.reduce_max(tf.abs(gradient)) > 0, variable.path


@pytest.mark.parametrize("name", FROM_SCRATCH)
def test_network_scales_pixels(name):
    """The first trainable layer sees small numbers for raw pixels from 0 to 255.

    For pretrained networks, see `test_pretrained.py`.
    """
    _, model = built(narrow(ENCODERS[name]), (28, 28, 1))
    first = next(layer for layer in model.layers if layer.weights)
    seen = keras.Model(model.input, first.input)
    white = np.full((1, 28, 28, 1), 255, "uint8")
    assert np.abs(seen(white)).max() <= 2
    assert (model(white)[0].numpy() != model(np.zeros_like(white))[0].numpy()).any()


def test_initial_weights_depend_on_the_seed_and_names_on_nothing(encoder):
    """Weights files use layer names, so there must be no counters such as `conv2d_7`."""

    def seeded(seed):
        keras.utils.set_random_seed(seed)
        return built(encoder, fitting(encoder))[1]

    first, again = seeded(1), seeded(1)
    weights = [model.get_weights() for model in (first, again)]
    assert all((a == b).all() for a, b in zip(*weights, strict=True))
    # The first layer is the input layer of the test.
    assert [one.name for one in first.layers][1:] == [one.name for one in again.layers][1:]


# CNN.


def parameters(encoder, shape=(28, 28, 1)) -> int:
    return built(encoder, shape)[1].count_params()


@pytest.mark.parametrize(
    ("fields", "expected", "width"),
    [
        # 3*3*1*32 + 32, 3*3*32*64 + 64, 3*3*64*64 + 64; 28 > 26/13 > 11/5 > 3/1, so 1*1*64.
        ({}, 320 + 18_496 + 36_928, 64),
        # One pool of 2 leaves 13*13*4.
        ({"filters": [4]}, 40, 676),
        # Padding keeps 28/14.
        ({"filters": [4], "padding": "same"}, 40, 784),
        ({"filters": [4], "pool": 1}, 40, 2_704),
        ({"filters": [4], "pool": 4, "padding": "same"}, 40, 196),
        ({"filters": [4], "kernel_size": 5}, 104, 576),
        # Two convolutions in the one stage: 3*3*4*4 + 4 more; 28 > 26 > 24/12.
        ({"filters": [4], "convolutions": 2}, 40 + 148, 576),
        # Batch norm has four parameters per filter and replaces the bias.
        ({"filters": [4], "batch_norm": True}, 36 + 16, 676),
        ({"filters": [4], "pooling": "average"}, 40, 4),
        ({"filters": [4], "pooling": "max"}, 40, 4),
        # 4*10 + 10 and 10*3 + 3.
        ({"filters": [4], "pooling": "max", "units": [10, 3]}, 40 + 50 + 33, 3),
        # One entry per stage: 3*3*4 + 4 and 1*1*4*8 + 8, 1*1*8*8 + 8; 28 > 26/13 > 13 > 13.
        (
            {"filters": [4, 8], "kernel_size": [3, 1], "convolutions": [1, 2], "pool": [2, 1]},
            40 + 40 + 72,
            13 * 13 * 8,
        ),
        ({"filters": [4], "stage_dropout": 0.2, "dropout": 0.5, "pool_type": "average"}, 40, 676),
    ],
)
def test_cnn_layers_follow_its_fields(fields, expected, width):
    encoder = CNN(**{key: tuple(v) if isinstance(v, list) else v for key, v in fields.items()})
    features, model = built(encoder, (28, 28, 1))
    assert model.count_params() == expected
    assert features.vector.shape == (None, width)


def test_cnn_dropout_in_training_only():
    encoder = CNN(filters=(4,), stage_dropout=0.5, dropout=0.5, units=(8,))
    _, model = built(encoder, (28, 28, 1))
    values = images((28, 28, 1))
    quiet = [model(values, training=False)[0].numpy() for _ in range(2)]
    np.testing.assert_array_equal(*quiet)
    noisy = [model(values, training=True)[0].numpy() for _ in range(2)]
    assert (noisy[0] != noisy[1]).any()
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("SpatialDropout2D") == 1
    assert kinds.count("Dropout") == 2


@pytest.mark.parametrize("activation", ["relu", "gelu", "leaky_relu", "linear", "mish"])
def test_cnn_supports_keras_activations(activation):
    _, model = built(CNN(filters=(2,), activation=activation), (28, 28, 1))
    assert model.get_layer(f"stage1_conv1_{activation}")


@pytest.mark.parametrize(
    "encoder",
    [
        CNN(),
        CNN(filters=(2, 2, 2, 2)),
        CNN(filters=(2, 2), kernel_size=(5, 3), pool=(3, 2)),
        CNN(filters=(2, 2), convolutions=3, padding="same", pool=2),
        CNN(filters=(2,), kernel_size=7, pool=1),
        CNN(filters=(2, 2, 2), padding="same", pool=(1, 1, 1), kernel_size=9),
        LeNet(),
        LeNet(filters=(2, 2, 2)),
        LeNet(filters=(2,)),
    ],
)
def test_smallest_image_is_tight(encoder):
    smallest = encoder.smallest_image()
    assert fits(encoder, smallest)
    assert smallest == 1 or not fits(encoder, smallest - 1)


def fits(encoder, size: int) -> bool:
    """Whether the last feature map is not empty for an image of this size."""
    try:
        features, _ = built(encoder, (size, 64, 1))
    except ValueError:  # Keras' own, in many wordings.
        return False
    return all(features.tokens.shape[1:])


def problems(build) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        build()
    return [error["msg"] for error in caught.value.errors()]


def test_rules_of_the_cnn():
    assert problems(lambda: CNN(filters=())) == ["expected at least one stage, got an empty list"]
    assert problems(lambda: CNN(filters=(8, 8), pool=(2, 2, 1))) == [
        "expected one number, or one for each of the 2 stages of `filters`; got 3 numbers"
    ]


def test_rules_of_lenet():
    assert problems(lambda: LeNet(filters=())) == ["expected at least one stage, got an empty list"]


# LeNet.


def test_lenet_matches_the_paper():
    features, model = built(LeNet(), (28, 28, 1))
    kinds = [(layer.name, layer.output.shape[1:]) for layer in model.layers[1:]]
    assert kinds == [
        ("rescaling", (28, 28, 1)),
        ("conv1", (28, 28, 6)),  # C1, padded as if the digit were 32 x 32.
        ("pool1", (14, 14, 6)),  # S2
        ("conv2", (10, 10, 16)),  # C3
        ("pool2", (5, 5, 16)),  # S4
        ("flatten", (400,)),
        ("dense1", (120,)),  # C5
        ("dense2", (84,)),  # F6
        ("tokens", (25, 16)),
    ]
    assert features.vector.shape == (None, 84)


def test_lenet_scales_pixels_as_the_paper_does():
    _, model = built(LeNet(), (28, 28, 1))
    scaled = keras.Model(model.input, model.get_layer("rescaling").output)
    ends = scaled(np.array([0, 255], "uint8").reshape(2, 1, 1, 1).repeat(28, 1).repeat(28, 2))
    np.testing.assert_allclose(ends.numpy()[:, 0, 0, 0], [-0.1, 1.175], atol=1e-6)
