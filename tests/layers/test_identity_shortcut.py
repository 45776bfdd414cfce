"""IdentityShortcut matches the paper's option A in numpy."""

import numpy as np
import pytest

from mmzoo.lazy import keras, tf


@pytest.mark.parametrize(
    ("filters", "strides", "shape"),
    [(7, 2, (2, 5, 4, 3)), (8, 2, (2, 6, 6, 4)), (4, 3, (1, 7, 2, 4)), (6, 1, (2, 3, 3, 2))],
)
def test_subsamples_positions_and_pads_channels(filters, strides, shape):
    from mmzoo.layers.convolutional import IdentityShortcut

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
    from mmzoo.layers.convolutional import IdentityShortcut

    values = tf.ones((1, 4, 4, 2))
    with tf.GradientTape() as tape:
        tape.watch(values)
        total = tf.reduce_sum(IdentityShortcut(4, 2)(values))
    gradient = tape.gradient(total, values).numpy()
    expected = np.zeros((1, 4, 4, 2))
    expected[:, ::2, ::2] = 1
    np.testing.assert_array_equal(gradient, expected)


def test_is_rebuilt_from_its_config():
    from mmzoo.layers.convolutional import IdentityShortcut

    described = IdentityShortcut(6, 2, name="shortcut").get_config()
    assert (described["filters"], described["strides"], described["name"]) == (6, 2, "shortcut")
    image = keras.Input((None, None, 3))
    assert IdentityShortcut(**described)(image).shape == (None, None, None, 6)
