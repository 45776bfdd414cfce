"""Pretrained networks match keras.applications, including pixel scaling, and stay frozen."""

from __future__ import annotations

import importlib
import inspect
import sys
import warnings
from typing import get_args

import numpy as np
import pytest
from encoder_helpers import noise_images, problems
from pydantic import ValidationError
from weights_files import with_other_values, write_old_layout

from mmzoo.lazy import keras, tf
from mmzoo.modalities.image import Image
from mmzoo.modalities.image.encoders import EfficientNet, KerasBackbone, MobileNet, SqueezeNet
from mmzoo.modalities.image.encoders.pretrained import Pretrained

SPECS = (EfficientNet, KerasBackbone, MobileNet, SqueezeNet)
NETWORKS = {name: spec for spec in SPECS for name in spec.backbones}
OF_KERAS = {name: spec for name, spec in NETWORKS.items() if spec is not SqueezeNet}


def some_quick(names, quick=("mobilenet_v2", "squeezenet")):
    """All networks, marked as slow unless they are among the quick ones."""
    return [pytest.param(name, marks=() if name in quick else pytest.mark.slow) for name in names]


def network(name, **fields) -> Pretrained:
    return NETWORKS[name](type=name, **{"weights": "none", **fields})


def keras_function(name):
    return getattr(keras.applications, NETWORKS[name].backbones[name].function)


def built(encoder, size=96) -> keras.Model:
    """Sub-model of the encoder."""
    image = keras.Input((size, size, 3), dtype="uint8", name="image")
    features = encoder.build(image)
    return keras.Model(image, [features.vector, features.tokens], name="image_encoder")


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    """Two photographs, uint8 `[2, 224, 224, 3]`."""
    from sklearn.datasets import load_sample_images

    images = [tf.image.resize(image, (224, 224)) for image in load_sample_images().images]
    return tf.cast(images, tf.uint8).numpy()


def test_every_network_of_keras_applications_is_covered():
    factories = {name for name in dir(keras.applications) if name[0].isupper()}
    assert {spec.backbones[name].function for name, spec in OF_KERAS.items()} == factories


def test_types_and_backbones_agree():
    for spec in SPECS:
        assert get_args(spec.model_fields["type"].annotation) == tuple(spec.backbones)


def test_references_of_backbones_are_in_the_class_docstring():
    for name, spec in NETWORKS.items():
        assert spec.backbones[name].reference in " ".join(spec.__doc__.split()), name


@pytest.mark.parametrize("name", OF_KERAS)
def test_hashes_and_urls_match_the_installed_keras(name):
    modules = {keras_function(name).__module__, "keras.src.applications.resnet"}  # v2 has both.
    source = "".join(inspect.getsource(sys.modules[module]) for module in modules)
    official = NETWORKS[name].backbones[name].weights
    assert official.digest is None or official.digest in source
    folder = official.url.rpartition("/")[0]
    unfolded = source.replace('"\n    "', "").replace('"\n        "', "")
    assert f"{folder}/" in unfolded


@pytest.mark.parametrize("name", OF_KERAS)
def test_pixel_scaling_matches_keras(name):
    """For networks that Keras scales outside of the model; the others are built without scaling."""
    encoder = network(name)
    preprocess = importlib.import_module(f"keras.src.applications.{family(keras_function(name))}")
    image = noise_images((2, 8, 8, 3))
    given = keras.Input((8, 8, 3), dtype="uint8")
    scaled = keras.Model(given, encoder.backbone.scaling.apply(given))(image).numpy()
    expected = preprocess.preprocess_input(image.astype("float32"))
    if encoder.backbone.has_preprocessing or isinstance(encoder, EfficientNet):
        np.testing.assert_array_equal(expected, image)
    else:
        np.testing.assert_allclose(scaled, expected, atol=1e-5)


# The weights of EfficientNet need the most care.
@pytest.mark.parametrize("name", some_quick(OF_KERAS, quick=()))
def test_features_match_keras_applications(name, tmp_path, monkeypatch):
    """Equal weights and pixels give equal features, up to the last decimals.

    Keras is asked to load its ImageNet weights and gets a synthetic file.
    """
    size = 96
    image = np.random.RandomState(1).randint(0, 256, (2, size, size, 3)).astype("uint8")
    file = tmp_path / "weights.h5"

    encoder = network(name, weights=str(file), trainable=False)
    ours = built(encoder, size)
    assert ours.count_params() == encoder.backbone.parameters
    function = keras_function(name)
    random = with_other_values(
        function(include_top=False, weights=None, input_shape=(size, size, 3))
    )
    for layer in random.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            layer.weights[0].assign([0.485, 0.456, 0.406])  # As in the published files.
            layer.weights[1].assign([0.229, 0.224, 0.225])
    write_old_layout(random, file)
    del random

    requested = {}

    def get_file(fname, origin, cache_subdir, file_hash=None):
        requested.update(name=fname, url=origin, digest=file_hash)
        return str(file)

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # About sizes without published weights.
        theirs = function(
            include_top=False, weights="imagenet", input_shape=(size, size, 3), pooling="avg"
        )
    official = encoder._official(size, size)
    assert requested == {"name": official.name, "url": official.url, "digest": official.digest}

    encoder.load_pretrained(ours)
    scale = importlib.import_module(f"keras.src.applications.{family(function)}").preprocess_input
    expected = theirs(scale(image.astype("float32")), training=False).numpy()
    found = ours(image, training=True)[0].numpy()  # Frozen, so `training` changes nothing.
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def family(function) -> str:
    return function.__module__.rpartition(".")[2]


@pytest.mark.parametrize("name", some_quick(NETWORKS))
def test_smallest_image_matches_keras(name):
    encoder = network(name)
    smallest = encoder.smallest_image()
    Image(shape=(smallest, smallest, 3), encoder=encoder)
    model = built(encoder, smallest)
    values, tokens = model(noise_images((2, smallest, smallest, 3)))
    assert np.isfinite(values).all()
    assert tokens.shape[1] >= 1
    if name == "squeezenet":  # Not part of Keras.
        with pytest.raises(ValueError, match="output size would be zero or negative"):
            built(encoder, smallest - 1)
        return
    with pytest.raises(ValueError, match=f"must be at least {smallest}x{smallest}"):
        keras_function(name)(
            include_top=False, weights=None, input_shape=(smallest - 1, smallest, 3)
        )


@pytest.mark.parametrize("name", some_quick(NETWORKS))
def test_layers_have_the_same_names_in_every_process(name):
    names = [[layer.name for layer in leaves(built(network(name)))] for _ in range(2)]
    assert names[0] == names[1]
    assert len(set(names[0])) == len(names[0])


def leaves(model):
    for layer in model.layers:
        yield from leaves(layer) if isinstance(layer, keras.Model) else [layer]


# ImageNet weights on photos.


def test_mobilenet_v2_features_match_keras(real_data, photos, monkeypatch):
    monkeypatch.setenv("MMZOO_DATA_DIR", str(real_data))
    encoder = MobileNet(type="mobilenet_v2", alpha=0.35)
    ours = built(encoder, 224)
    encoder.load_pretrained(ours)
    file = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
    theirs = keras.applications.MobileNetV2(
        alpha=0.35,
        include_top=False,
        weights=str(real_data / "weights" / file),
        input_shape=(224, 224, 3),
    )
    scaled = keras.applications.mobilenet_v2.preprocess_input(photos.astype("float32"))
    last_map = theirs(scaled, training=False).numpy()
    vector, tokens = ours(photos)
    np.testing.assert_allclose(vector, last_map.mean((1, 2)), atol=1e-4)
    np.testing.assert_allclose(tokens, last_map.reshape(2, 49, 1280), atol=1e-4)


def test_squeezenet_features_match_a_reference_implementation(real_data, photos, monkeypatch):
    """Convolutions written out here, in the order and with the names of the file."""
    import h5py

    monkeypatch.setenv("MMZOO_DATA_DIR", str(real_data))
    encoder = SqueezeNet(pooling="flatten")
    ours = built(encoder, 224)
    encoder.load_pretrained(ours)
    name = encoder.backbone.weights.name
    with h5py.File(real_data / "weights" / name) as file:
        weights = {
            layer.decode(): [file[layer][one][()] for one in file[layer].attrs["weight_names"]]
            for layer in file.attrs["layer_names"]
        }

    def convolved(x, layer, stride=1, padding="SAME"):
        kernel, bias = weights[layer]
        return tf.nn.relu(tf.nn.conv2d(x, kernel, stride, padding) + bias)

    x = keras.applications.imagenet_utils.preprocess_input(photos.astype("float32"), mode="caffe")
    x = tf.nn.max_pool2d(convolved(x, "conv1", 2, "VALID"), 3, 2, "VALID")
    for number in range(2, 10):
        squeezed = convolved(x, f"fire{number}/squeeze1x1")
        expanded = [convolved(squeezed, f"fire{number}/expand{size}") for size in ("1x1", "3x3")]
        x = tf.concat(expanded, axis=-1)
        if number in (3, 5):
            x = tf.nn.max_pool2d(x, 3, 2, "VALID")
    vector, tokens = ours(photos)
    assert x.shape == (2, 13, 13, 512)
    np.testing.assert_allclose(vector, tf.reshape(x, (2, -1)), atol=1e-3, rtol=1e-4)
    np.testing.assert_allclose(tokens, tf.reshape(x, (2, 169, 512)), atol=1e-3, rtol=1e-4)


def test_imagenet_weights_separate_photos_better_than_random_weights(
    real_data, photos, monkeypatch
):
    """A photo is closer to its own crop than to the other photo."""
    monkeypatch.setenv("MMZOO_DATA_DIR", str(real_data))
    encoder = MobileNet(type="mobilenet_v2", alpha=0.35)
    model = built(encoder, 224)
    encoder.load_pretrained(model)
    crops = tf.cast(tf.image.resize(photos[:, 20:204, 20:204], (224, 224)), tf.uint8)
    vectors = np.concatenate([model(photos)[0], model(crops)[0]])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = vectors[:2] @ vectors[2:].T
    assert likeness.diagonal().min() > 0.2 + likeness[[0, 1], [1, 0]].max()


def weights_after_training(encoder, tmp_path, **train_fields) -> tuple[list, list]:
    """Weights of an encoder's layers before and after two epochs of training."""
    from mmzoo.trained_model import load_trained
    from mmzoo.training.train import train

    run = train(
        {
            "name": "transfer",
            "source": {"type": "synthetic", "rows": 64},
            "inputs": {
                "image": {
                    "type": "image",
                    "shape": [32, 32, 3],
                    "encoder": encoder.model_dump(),
                }
            },
            "heads": {"kind": {"type": "classification", "classes": 3}},
            "train": {"epochs": 2, "batch_size": 16, **train_fields},
        },
        run=tmp_path / "run",
    )
    loaded = built(encoder, 32)
    encoder.load_pretrained(loaded)
    trained = load_trained(run)[0].get_layer("image_encoder")
    return [layer for layer in loaded.layers if layer.weights], [
        layer for layer in trained.layers if layer.weights
    ]


@pytest.fixture
def small(real_data) -> MobileNet:
    """A frozen network with pretrained weights from a file."""
    name = MobileNet(type="mobilenet_v2", alpha=0.35)._official(224, 224).name
    return MobileNet(type="mobilenet_v2", alpha=0.35, weights=str(real_data / "weights" / name))


@pytest.mark.slow
@pytest.mark.parametrize("keep", ["memory", "off"])
def test_training_does_not_change_a_frozen_network(small, tmp_path, keep):
    """Bit-identical, including batch norm statistics, with and without cached features."""
    loaded, trained = weights_after_training(small, tmp_path, frozen_features={"keep": keep})
    assert len(trained) == 104
    for before, after in zip(loaded, trained, strict=True):
        for was, now in zip(before.get_weights(), after.get_weights(), strict=True):
            np.testing.assert_array_equal(was, now)


@pytest.mark.slow
def test_training_changes_only_the_last_layers(small, tmp_path):
    loaded, trained = weights_after_training(small.replace(trainable=2), tmp_path)
    changed = [
        before.name
        for before, after in zip(loaded, trained, strict=True)
        if any(
            (was != now).any()
            for was, now in zip(before.get_weights(), after.get_weights(), strict=True)
        )
    ]
    assert changed == ["block_16_project", "Conv_1"]


# Trainable layers.


def trained_kernels(encoder) -> list[str]:
    model = built(encoder)
    return [layer.name for layer in leaves(model) if layer.trainable and has_kernel(layer)]


def has_kernel(layer) -> bool:
    return any(len(weight.shape) > 1 for weight in layer.weights)


@pytest.mark.parametrize(
    "name", some_quick(["vgg16", "mobilenet_v2", "squeezenet"], ("squeezenet",))
)
def test_trainable_counts_convolutions(name):
    every = trained_kernels(network(name, trainable=True))
    assert trained_kernels(network(name)) == []
    for number in (1, 3):
        assert trained_kernels(network(name, trainable=number)) == every[-number:]
    assert trained_kernels(network(name, trainable=1000)) == every


def test_last_convolutions_of_vgg16():
    names = trained_kernels(network("vgg16", trainable=4))
    assert names == ["block4_conv3", "block5_conv1", "block5_conv2", "block5_conv3"]


def test_frozen_network_has_no_trainable_weights():
    assert network("mobilenet_v2").frozen
    model = built(network("mobilenet_v2"))
    assert model.trainable_weights == []
    assert not network("mobilenet_v2", trainable=1).frozen
    assert not network("mobilenet_v2", trainable=True).frozen


@pytest.mark.parametrize(
    ("fields", "trained"),
    [
        ({"weights": "imagenet"}, False),
        pytest.param({"weights": "x.h5"}, False, marks=pytest.mark.slow),
        pytest.param({"weights": "none"}, True, marks=pytest.mark.slow),
        ({"weights": "imagenet", "batch_norm": "trained"}, True),
        pytest.param({"weights": "none", "batch_norm": "frozen"}, False, marks=pytest.mark.slow),
    ],
)
def test_batch_norm_stays_frozen_with_pretrained_weights(fields, trained):
    model = built(network("mobilenet_v2", trainable=2, **fields))
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    # Between the last two convolutions, and after them.
    learning = [layer.name for layer in norms if layer.trainable]
    assert learning == (["block_16_project_BN", "Conv_1_bn"] if trained else [])


@pytest.mark.parametrize("name", some_quick(["efficientnet_b0", "mobilenet_v2"]))
@pytest.mark.slow
def test_frozen_network_is_deterministic_in_training(name):
    """No batch statistics, and no dropout, which EfficientNet has in its blocks."""
    image = noise_images((3, 96, 96, 3))
    frozen = built(network(name))
    before = frozen.get_weights()
    within = keras.Model(frozen.input, frozen(frozen.input))  # As part of a larger model.
    for model in (frozen, within):
        np.testing.assert_array_equal(model(image, training=True)[0], model(image)[0])
    for was, now in zip(before, frozen.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)
    thawed = built(network(name, trainable=True))
    assert (thawed(image, training=True)[0].numpy() != thawed(image)[0].numpy()).any()


def test_unfrozen():
    frozen = network("mobilenet_v2")
    assert frozen.unfrozen(4) == network("mobilenet_v2", trainable=4)
    assert frozen.unfrozen(None) == network("mobilenet_v2", trainable=True)
    assert network("mobilenet_v2", trainable=4).unfrozen(6).trainable == 6
    for trainable in (True, 8):  # Never freezes a trainable layer.
        assert network("mobilenet_v2", trainable=trainable).unfrozen(8).trainable == trainable


# Features.


@pytest.mark.parametrize(
    ("name", "pooling"),
    [
        ("mobilenet_v2", "average"),
        ("squeezenet", "max"),
        ("squeezenet", "flatten"),
        pytest.param("convnext_tiny", "average", marks=pytest.mark.slow),
    ],
)
def test_pooling(name, pooling):
    encoder = network(name, pooling=pooling)
    model = built(encoder)
    vector, tokens = model(noise_images((2, 96, 96, 3)))
    positions, width = tokens.shape[1:]
    if pooling == "flatten":
        assert vector.shape == (2, positions * width)
        np.testing.assert_array_equal(vector, tf.reshape(tokens, (2, -1)))
        return
    pool = tf.reduce_mean if pooling == "average" else tf.reduce_max
    pooled = pool(tokens, axis=1)
    if name == "convnext_tiny":  # Normalizes after pooling.
        mean, variance = tf.nn.moments(pooled, axes=1, keepdims=True)
        pooled = (pooled - mean) / tf.sqrt(variance + 1e-6)
    np.testing.assert_allclose(vector, pooled, atol=1e-4)


def test_images_need_not_be_square():
    image = keras.Input((64, 96, 3), dtype="uint8")
    features = network("mobilenet_v2").build(image)
    assert features.tokens.shape == (None, 2 * 3, 1280)


@pytest.mark.slow
def test_scaling_is_exact_in_half_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = built(network("resnet50"))
    finally:
        keras.config.set_dtype_policy("float32")
    scaled = keras.Model(model.input, model.get_layer("scaling").output)
    image = noise_images((1, 96, 96, 3))
    expected = keras.applications.resnet.preprocess_input(image.astype("float32"))
    np.testing.assert_allclose(scaled(image), expected, atol=1e-5)


@pytest.mark.parametrize(("alpha", "width"), [(0.35, 1280), (1.4, 1792)])
@pytest.mark.slow
def test_alpha_is_the_width_multiplier_of_mobilenet(alpha, width):
    ours = built(network("mobilenet_v2", alpha=alpha))
    theirs = keras.applications.MobileNetV2(
        alpha=alpha, include_top=False, weights=None, input_shape=(96, 96, 3)
    )
    assert ours.count_params() == theirs.count_params()
    assert ours.output[0].shape == (None, width)


@pytest.mark.parametrize(
    ("name", "alpha", "size", "file"),
    [
        ("mobilenet", 0.25, (128, 128), "mobilenet_2_5_128_tf_no_top.h5"),
        ("mobilenet", 1.0, (96, 96), "mobilenet_1_0_224_tf_no_top.h5"),
        (
            "mobilenet_v2",
            0.35,
            (96, 96),
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5",
        ),
        (
            "mobilenet_v2",
            1,
            (160, 128),
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
        ),
        (
            "mobilenet_v3_large",
            0.75,
            (96, 96),
            "weights_mobilenet_v3_large_224_0.75_float_no_top_v2.h5",
        ),
    ],
)
def test_mobilenets_have_weights_for_widths_and_sizes(name, alpha, size, file):
    assert network(name, weights="imagenet", alpha=alpha)._official(*size).name == file


# Configs.


def test_greyscale_shape_error_suggests_a_fix():
    with pytest.raises(ValidationError) as caught:
        Image(shape=(96, 96, 1), encoder=network("vgg16"))
    [error] = caught.value.errors()
    assert error["msg"] == (
        "this vgg16 encoder takes images with 3 channels, not 1: write [96, 96, 3], and "
        "images are converted"
    )


def test_unknown_weights_are_an_error():
    assert problems(KerasBackbone, type="vgg16", weights="imagnet") == [
        "expected imagenet, none, or the path of a weights file that ends in .h5; did you mean "
        "'imagenet'? Got 'imagnet'"
    ]


def test_width_without_published_weights_is_an_error():
    assert problems(MobileNet, type="mobilenet_v3_small", alpha=0.5) == [
        "there are ImageNet weights of mobilenet_v3_small for 0.75 or 1, not for 0.5; for random "
        "weights, set `weights: none`"
    ]
    assert network("mobilenet_v3_small", alpha=0.5).alpha == 0.5


def test_about_describes_a_single_network():
    notes = KerasBackbone.describe_type("resnet50")
    assert notes.startswith(
        "ResNet-50: 23.6 million parameters, trained on ImageNet at 224 x 224 pixels (smallest: "
        "32 x 32).\n\n"
    )
    assert "BGR order" in notes
    assert notes.endswith('"Deep residual learning for image recognition", 2015.')
    assert "VGG" not in notes
