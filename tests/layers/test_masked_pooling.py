"""Pooling layers ignore padding, and give zeros for empty sequences."""

import numpy as np
import pytest

from mmzoo.lazy import tf

VALUES = np.random.RandomState(0).normal(size=(4, 5, 3)).astype("float32")
LENGTHS = (5, 3, 1, 0)
PRESENT = np.arange(5) < np.array(LENGTHS)[:, None]


def layers():
    from mmzoo.layers.attention_layers import AdditiveAttention
    from mmzoo.layers.sequences import LastToken, MaskedAverage, MaskedMax

    return {
        "average": (MaskedAverage, lambda words: words.mean(axis=0)),
        "max": (MaskedMax, lambda words: words.max(axis=0)),
        "last": (LastToken, lambda words: words[-1]),
        "attention": (lambda **settings: AdditiveAttention(4, **settings), None),
    }


@pytest.mark.parametrize("name", ["average", "max", "last"])
def test_padding_is_ignored(name):
    layer, expected = layers()[name]
    pooled = layer()(VALUES, PRESENT).numpy()
    for row, length in enumerate(LENGTHS[:3]):
        np.testing.assert_allclose(pooled[row], expected(VALUES[row, :length]), atol=1e-6)


@pytest.mark.parametrize("name", ["average", "max", "last", "attention"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_empty_sequence_gives_zeros_in_every_precision(name, dtype):
    layer = layers()[name][0](dtype=dtype)
    pooled = layer(tf.cast(VALUES, dtype), PRESENT)
    assert pooled.dtype == dtype
    assert pooled.shape == (4, 3)
    np.testing.assert_array_equal(tf.cast(pooled[3], tf.float32), 0.0)
    assert np.isfinite(tf.cast(pooled, tf.float32)).all()


@pytest.mark.parametrize("name", ["average", "max", "last", "attention"])
def test_gradients_are_finite_and_zero_at_padding(name):
    layer = layers()[name][0]()
    values = tf.Variable(VALUES)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(values, PRESENT) - 1.0))
    gradient = tape.gradient(loss, values).numpy()
    assert np.isfinite(gradient).all()
    np.testing.assert_array_equal(gradient[~PRESENT], 0.0)
    assert np.abs(gradient[:3]).max() > 0


def test_additive_attention_weights():
    from mmzoo.layers.attention_layers import AdditiveAttention

    layer = AdditiveAttention(2)
    layer(VALUES, PRESENT)
    layer.kernel.assign(tf.eye(3, 2) * 1e3)
    layer.query.assign([[50.0], [0.0]])
    # Nearly all weight is on words whose first entry is above 0.
    pooled = layer(VALUES, PRESENT).numpy()
    for row, length in enumerate(LENGTHS[:3]):
        words = VALUES[row, :length]
        above = words[words[:, 0] > 0] if (words[:, 0] > 0).any() else words
        np.testing.assert_allclose(pooled[row], above.mean(axis=0), atol=1e-4)


def test_reversing_keeps_padding_last_and_is_an_involution():
    from mmzoo.layers.sequences import ReverseSequence

    layer = ReverseSequence()
    back = layer(VALUES, PRESENT)
    np.testing.assert_array_equal(back[1, :3], VALUES[1, 2::-1])
    np.testing.assert_array_equal(back[1, 3:], VALUES[1, 3:])
    np.testing.assert_array_equal(layer(back, PRESENT), VALUES)
