"""Models: parameter counts by hand, names of layers, weights by seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mmzoo.config import Config, load_config
from mmzoo.errors import ConfigError
from mmzoo.lazy import keras, tf
from mmzoo.model import build_model, build_network


def config(encoder: dict, shape=(28, 28, 1), **fields: Any) -> Config:
    return load_config(
        {
            "name": "net",
            "source": {"type": "synthetic"},
            "inputs": {"image": {"type": "image", "shape": list(shape), "encoder": encoder}},
            "heads": {"digit": {"type": "classification", "classes": 10}},
            **fields,
        }
    )


def images(count=2, shape=(28, 28, 1)) -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, (count, *shape)).astype("uint8")


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        pytest.param(
            # 28 > 26/13 > 11/5 > 3: 3*3*64 = 576 features.
            # 3*3*1*32 + 32, 3*3*32*64 + 64, 3*3*64*64 + 64, 576*10 + 10.
            {"type": "cnn", "filters": [32, 64, 64], "pool": [2, 2, 1]},
            320 + 18_496 + 36_928 + 5_770,
            id="three convolutions",
        ),
        pytest.param(
            # 28 > 26/13 > 11/5: 5*5*64 = 1,600 features, then 64.
            # 320, 18,496, 1,600*64 + 64, 64*10 + 10.
            {"type": "cnn", "filters": [32, 64], "units": [64]},
            320 + 18_496 + 102_464 + 650,
            id="two convolutions and a dense layer",
        ),
        pytest.param(
            # 28 > 26/13: 13*13*32 = 5,408 features. 320, 5,408*10 + 10.
            {"type": "cnn", "filters": [32]},
            320 + 54_090,
            id="one convolution",
        ),
        pytest.param(
            # 5*5*1*6 + 6, 5*5*6*16 + 16, 400*120 + 120, 120*84 + 84, 84*10 + 10: LeNet-5's 61,706.
            {"type": "lenet"},
            156 + 2_416 + 48_120 + 10_164 + 850,
            id="LeNet-5",
        ),
    ],
)
def test_tutorial_networks_have_the_expected_parameter_counts(encoder, expected):
    model = build_model(config(encoder))
    assert model.count_params() == expected
    assert sum(np.prod(w.shape) for w in model.trainable_weights) == expected


def test_lenet_has_its_published_parameter_count():
    assert build_model(config({"type": "lenet"})).count_params() == 61_706


def test_a_model_maps_bytes_to_probabilities():
    model = build_model(config({"type": "lenet"}))
    assert {name: (x.dtype, x.shape) for name, x in model.input.items()} == {
        "image": ("uint8", (None, 28, 28, 1))
    }
    output = model({"image": images()})["digit"]
    assert output.dtype == tf.float32
    np.testing.assert_allclose(output.numpy().sum(axis=1), 1, atol=1e-6)


def test_every_encoder_is_a_sub_model():
    two = config({"type": "lenet"})
    photo = two.inputs["image"].replace(shape=(20, 20, 3))
    model = build_model(two.replace(inputs={**two.inputs, "photo": photo}))
    for name, shape in (("image", (28, 28, 1)), ("photo", (20, 20, 3))):
        encoder = model.get_layer(f"{name}_encoder")
        assert isinstance(encoder, keras.Model)
        vector, tokens = encoder(images(shape=shape))
        assert vector.shape == (2, 84)
        assert tokens.shape[2] == 16
    trained = len(model.trainable_weights)
    model.get_layer("image_encoder").trainable = False
    assert len(model.trainable_weights) == trained - 8  # Two convolutions and two dense layers.


def test_heads_share_encoders_and_fusion():
    heads = {
        "digit": {"type": "classification", "classes": 10},
        "even": {"type": "binary"},
        "size": {"type": "regression", "dim": 2},
    }
    model = build_model(config({"type": "lenet"}, heads=heads))
    outputs = model({"image": images()})
    assert {name: tuple(output.shape) for name, output in outputs.items()} == {
        "digit": (2, 10),
        "even": (2, 1),
        "size": (2, 2),
    }
    # LeNet's 60,856, and 84 features to 10, 1 and 2 outputs.
    assert model.count_params() == 60_856 + 850 + 85 + 170


def test_initial_weights_depend_on_the_seed():
    def weights(seed):
        return build_model(config({"type": "cnn"}, train={"seed": seed})).get_weights()

    first, again, other = weights(3), weights(3), weights(4)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_dropout_depends_on_the_seed():
    """It changes from call to call."""
    spec = config({"type": "cnn", "filters": [4], "dropout": 0.5})

    def two_calls():
        model = build_model(spec)
        return [model({"image": images()}, training=True)["digit"].numpy() for _ in range(2)]

    first, again = two_calls(), two_calls()
    np.testing.assert_array_equal(first, again)
    assert (first[0] != first[1]).any()


def test_a_model_built_again_has_its_variables_in_the_same_order():
    spec = config({"type": "cnn", "batch_norm": True, "dropout": 0.5, "units": [8]})
    described = [
        [(v.path, v.shape, v.dtype) for v in build_model(spec).variables if "seed" not in v.path]
        for _ in range(2)
    ]
    assert described[0] == described[1]
    assert len(described[0]) > 10


def test_the_model_has_the_experiments_name():
    assert build_model(config({"type": "lenet"})).name == "net"


@pytest.mark.parametrize(
    ("type_", "size"),
    [("classification", "classes"), ("multilabel", "classes"), ("regression", "dim")],
)
def test_an_unfitted_head_is_an_error(type_, size):
    with pytest.raises(ConfigError) as caught:
        build_model(config({"type": "lenet"}, heads={"digit": {"type": type_}}))
    assert str(caught.value) == (
        f"heads.digit.{size}: missing, so the model's shape is unknown. Set it, or use "
        "`run.config()` of a trained run, or `fit_config` and `load_frame` of "
        "`mmzoo.preprocessing` on your data"
    )


def test_the_parts_of_a_model_compose_to_it():
    two = {
        "image": {"type": "image", "shape": [8, 8, 1], "encoder": {"type": "cnn", "filters": [2]}},
        "title": {
            "type": "text",
            "length": 5,
            "encoder": {"type": "gru", "units": [3], "dim": 4, "bidirectional": False},
        },
    }
    network = build_network(config({"type": "cnn"}, inputs=two))
    values = {"image": images(3, (8, 8, 1)), "title": np.array([[2, 3, 0]] * 3, "int32")}
    encoders, rest = network.parted()
    features = {name: encoders[name](value) for name, value in values.items()}
    assert [len(features[name]) for name in two] == [2, 3]  # A text has a mask.
    np.testing.assert_array_equal(rest(features)["digit"], network.model(values)["digit"])
    layers = {layer.name for layer in rest.layers}
    assert "digit" in layers
    assert not {"image_encoder", "title_encoder"} & layers


@pytest.mark.parametrize("name", ["words", "embedding", "average", "input"])
def test_an_input_can_be_named_like_a_layer_of_its_encoder(name):
    values = {
        "name": "net",
        "source": {"type": "synthetic"},
        "inputs": {name: {"type": "text", "length": 5, "encoder": {"type": "embedding"}}},
        "heads": {"mood": {"type": "binary"}},
    }
    model = build_model(load_config(values))
    assert model.get_layer(f"{name}_encoder").get_layer("words") is not None
