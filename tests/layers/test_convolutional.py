"""Layers of convolutional networks match Keras or numpy."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.layers.convolutional import BatchNorm, GroupedConv, IdentityShortcut, LocalResponseNorm
from mmzoo.lazy import keras, tf

SHAPE = (7, 5, 6, 3)


def _pair(**settings):
    layers = BatchNorm(**settings), keras.layers.BatchNormalization(**settings)
    random = np.random.RandomState(0)
    values = [random.uniform(0.5, 2.0, SHAPE[-1]).astype("float32") for _ in range(4)]
    for layer in layers:
        layer.build(SHAPE)
        layer.set_weights(values)
    return layers


def _images(dtype="float32"):
    return tf.cast(np.random.RandomState(1).normal(3.0, 2.0, SHAPE), dtype)


@pytest.mark.parametrize("training", [True, False])
def test_outputs_gradients_and_statistics_match_keras(training):
    ours, theirs = _pair()
    results = []
    for layer in (ours, theirs):
        images = tf.Variable(_images())
        with tf.GradientTape() as tape:
            outputs = layer(images, training=training)
            loss = tf.reduce_sum(tf.sin(outputs))
        gradients = tape.gradient(loss, [images, *(w.value for w in layer.trainable_weights)])
        results.append([outputs, *gradients, *(w.value for w in layer.weights)])
    for mine, expected in zip(*results, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=2e-4, atol=2e-5)


def test_compiles_with_unknown_batch_size():
    ours, theirs = _pair()
    call = tf.function(
        lambda images: ours(images, training=True),
        input_signature=[tf.TensorSpec((None, *SHAPE[1:]))],
    )
    np.testing.assert_allclose(
        call(_images()), theirs(_images(), training=True), rtol=2e-4, atol=2e-5
    )


def test_frozen_layer_uses_moving_statistics():
    ours, theirs = _pair()
    ours.trainable = theirs.trainable = False
    before = [weight.numpy() for weight in ours.weights]
    outputs = ours(_images(), training=True)
    np.testing.assert_allclose(outputs, theirs(_images(), training=True), rtol=2e-4, atol=2e-5)
    for weight, value in zip(ours.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_keeps_dtype_and_approximates_float32(policy):
    ours, theirs = _pair(dtype=policy)
    images = _images("float16" if policy == "mixed_float16" else "bfloat16")
    mine, expected = ours(images, training=True), theirs(images, training=True)
    assert mine.dtype == expected.dtype == images.dtype
    np.testing.assert_allclose(
        tf.cast(mine, "float32"), tf.cast(expected, "float32"), rtol=0.05, atol=0.05
    )


def test_is_registered_for_saving():
    assert keras.saving.get_registered_object("mmzoo>BatchNorm") is BatchNorm


@pytest.mark.parametrize(
    "settings",
    [
        {"groups": 2, "padding": "same"},
        {"groups": 3, "padding": "valid", "strides": 2, "activation": "relu"},
        {"groups": 2, "padding": "same", "use_bias": False},
        {"groups": 1, "padding": "same"},
    ],
)
def test_outputs_and_gradients_match_keras(settings):
    random = np.random.RandomState(0)
    values = random.normal(size=(3, 7, 6, 6)).astype("float32")
    weights, results = None, []
    for kind in (keras.layers.Conv2D, GroupedConv):
        layer = kind(12, 3, bias_initializer="random_normal", **settings)
        layer.build(values.shape)
        weights = weights or layer.get_weights()
        layer.set_weights(weights)
        images = tf.Variable(values)
        with tf.GradientTape() as tape:
            outputs = layer(images)
            loss = tf.reduce_sum(tf.sin(outputs))
        gradients = tape.gradient(loss, [images, *(w.value for w in layer.trainable_weights)])
        results.append([outputs, *gradients])
    for expected, mine in zip(*results, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-4, atol=1e-5)


def test_grouped_conv_mixed_precision():
    layer = GroupedConv(4, 3, groups=2, dtype="mixed_bfloat16")
    assert layer(tf.ones((1, 5, 5, 2))).dtype == tf.bfloat16
    assert layer.kernel.dtype == "float32"


@pytest.mark.parametrize(
    ("filters", "strides", "shape"),
    [(7, 2, (2, 5, 4, 3)), (8, 2, (2, 6, 6, 4)), (4, 3, (1, 7, 2, 4)), (6, 1, (2, 3, 3, 2))],
)
def test_subsamples_positions_and_pads_channels(filters, strides, shape):
    values = np.random.RandomState(0).normal(size=shape).astype("float32")
    layer = IdentityShortcut(filters, strides)
    outputs = layer(values).numpy()
    kept = values[:, ::strides, ::strides]
    before = (filters - shape[-1]) // 2
    expected = np.zeros((*kept.shape[:3], filters), "float32")
    expected[..., before : before + shape[-1]] = kept
    np.testing.assert_array_equal(outputs, expected)
    assert layer.weights == []
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *expected.shape[1:])


def test_gradients_reach_sampled_positions_only():
    values = tf.ones((1, 4, 4, 2))
    with tf.GradientTape() as tape:
        tape.watch(values)
        total = tf.reduce_sum(IdentityShortcut(4, 2)(values))
    gradient = tape.gradient(total, values).numpy()
    expected = np.zeros((1, 4, 4, 2))
    expected[:, ::2, ::2] = 1
    np.testing.assert_array_equal(gradient, expected)


def test_is_rebuilt_from_its_config():
    described = IdentityShortcut(6, 2, name="shortcut").get_config()
    assert (described["filters"], described["strides"], described["name"]) == (6, 2, "shortcut")
    image = keras.Input((None, None, 3))
    assert IdentityShortcut(**described)(image).shape == (None, None, None, 6)


def by_hand(values, size, bias, alpha, beta):
    channels = values.shape[-1]
    outputs = np.empty_like(values)
    for channel in range(channels):
        around = values[..., max(0, channel - size // 2) : channel + size // 2 + 1]
        total = (around**2).sum(-1)
        outputs[..., channel] = values[..., channel] / (bias + alpha * total) ** beta
    return outputs


@pytest.mark.parametrize(
    "settings",
    [
        {"size": 5, "bias": 2.0, "alpha": 1e-4, "beta": 0.75},
        {"size": 3, "bias": 1.0, "alpha": 0.5, "beta": 0.5},
    ],
)
def test_divides_by_neighboring_channels(settings):
    values = np.random.RandomState(0).normal(0, 10, (2, 3, 4, 9)).astype("float32")
    layer = LocalResponseNorm(**settings)
    np.testing.assert_allclose(layer(values), by_hand(values, **settings), rtol=1e-5)
    described = layer.get_config()
    assert {key: described[key] for key in settings} == settings


def test_defaults_are_those_of_the_paper():
    values = np.full((1, 1, 1, 7), 100.0, "float32")
    # Five maps of 100 squared: 2 + 1e-4 * 50,000 is 7 in the middle.
    np.testing.assert_allclose(LocalResponseNorm()(values)[0, 0, 0, 3], 100 / 7**0.75, rtol=1e-5)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_local_response_norm_mixed_precision(precision):
    outputs = LocalResponseNorm(dtype=f"mixed_{precision}")(tf.ones((1, 2, 2, 4)))
    assert outputs.dtype == precision
    np.testing.assert_allclose(tf.cast(outputs, "float32"), 2.0**-0.75, rtol=1e-2)
