"""BatchNorm matches keras.layers.BatchNormalization."""

import numpy as np
import pytest

from mmzoo.lazy import keras, tf

SHAPE = (7, 5, 6, 3)


def _pair(**settings):
    from mmzoo.layers.convolutional import BatchNorm

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
    from mmzoo.layers.convolutional import BatchNorm

    assert keras.saving.get_registered_object("mmzoo>BatchNorm") is BatchNorm
