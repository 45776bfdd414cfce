"""GroupedConv matches keras.layers.Conv2D."""

import numpy as np
import pytest

from mmzoo.lazy import keras, tf


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
    from mmzoo.layers.convolutional import GroupedConv

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


def test_mixed_precision():
    from mmzoo.layers.convolutional import GroupedConv

    layer = GroupedConv(4, 3, groups=2, dtype="mixed_bfloat16")
    assert layer(tf.ones((1, 5, 5, 2))).dtype == tf.bfloat16
    assert layer.kernel.dtype == "float32"
