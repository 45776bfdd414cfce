"""Attention layers match keras.layers.MultiHeadAttention."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.layers.attention_layers import CrossAttention, SelfAttention
from mmzoo.lazy import keras, tf


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_self_attention_matches_keras(heads):
    random = np.random.RandomState(0)
    values = random.normal(size=(3, 6, 8)).astype("float32")
    present = np.arange(6) < np.array([[6], [2], [4]])
    theirs = keras.layers.MultiHeadAttention(heads, 8 // heads, bias_initializer="random_normal")
    expected = theirs(values, values, attention_mask=present[:, None, :])
    mine = SelfAttention(heads)
    mine(values, present)
    query, query_bias, key, key_bias, value, value_bias, out, out_bias = theirs.get_weights()
    mine.set_weights(
        [
            np.concatenate([kernel.reshape(8, 8) for kernel in (query, key, value)], axis=1),
            np.concatenate([bias.ravel() for bias in (query_bias, key_bias, value_bias)]),
            out.reshape(8, 8),
            out_bias,
        ]
    )
    np.testing.assert_allclose(mine(values, present), expected, rtol=1e-4, atol=1e-5)


def test_empty_sequence_gives_zeros():
    layer = SelfAttention(2)
    mixed = layer(tf.random.normal((2, 3, 4), seed=1), tf.zeros((2, 3), tf.bool))
    np.testing.assert_array_equal(mixed, 0.0)  # Initial biases are 0.


def test_self_attention_dropout_in_training_only():
    layer = SelfAttention(2, dropout=0.5)
    values, present = tf.random.normal((2, 3, 4), seed=1), tf.ones((2, 3), tf.bool)
    quiet = [layer(values, present, training=False).numpy() for _ in range(2)]
    np.testing.assert_array_equal(*quiet)
    noisy = [layer(values, present, training=True).numpy() for _ in range(2)]
    assert (noisy[0] != noisy[1]).any()


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_self_attention_sublayers_have_its_dtype_policy(precision):
    """Also when a layer is rebuilt from its config under another global policy."""
    layer = SelfAttention(2, dropout=0.1, dtype=f"mixed_{precision}")
    values, present = tf.random.normal((2, 3, 4), seed=1), tf.ones((2, 3), tf.bool)
    for training in (False, True):
        assert layer(values, present, training=training).dtype == precision


def test_large_values_do_not_overflow_in_float16():
    """Queries and keys of 100: products are 160,000 before scaling and 40,000 after."""
    layer = SelfAttention(1, dtype="mixed_float16")
    values, present = tf.ones((1, 3, 16)), tf.ones((1, 3), tf.bool)
    layer(values, present)
    layer.projection.kernel.assign(tf.fill((16, 48), 100.0 / 16))
    layer.output_layer.kernel.assign(tf.eye(16))
    np.testing.assert_allclose(layer(values, present), 100.0, rtol=1e-3)


@pytest.mark.parametrize("heads", [1, 4])
def test_cross_attention_matches_keras(heads):
    random = np.random.RandomState(0)
    asking = random.normal(size=(3, 4, 8)).astype("float32")
    requested = random.normal(size=(3, 6, 8)).astype("float32")
    present = np.arange(6) < np.array([[6], [2], [4]])
    theirs = keras.layers.MultiHeadAttention(heads, 8 // heads, bias_initializer="random_normal")
    expected = theirs(asking, requested, attention_mask=present[:, None, :])
    mine = CrossAttention(heads)
    mine(asking, requested, present)
    query, query_bias, key, key_bias, value, value_bias, out, out_bias = theirs.get_weights()
    mine.set_weights(
        [
            query.reshape(8, 8),
            query_bias.ravel(),
            np.concatenate([kernel.reshape(8, 8) for kernel in (key, value)], axis=1),
            np.concatenate([bias.ravel() for bias in (key_bias, value_bias)]),
            out.reshape(8, 8),
            out_bias,
        ]
    )
    np.testing.assert_allclose(mine(asking, requested, present), expected, rtol=1e-4, atol=1e-5)


def test_all_masked_keys_give_zeros():
    layer = CrossAttention(2)
    asking, requested = tf.random.normal((2, 3, 4), seed=1), tf.random.normal((2, 5, 4), seed=2)
    found = layer(asking, requested, tf.zeros((2, 5), tf.bool))
    np.testing.assert_array_equal(found, 0.0)  # Initial biases are 0.


def test_single_key_is_attended_by_all_queries():
    layer = CrossAttention(2)
    asking, requested = tf.random.normal((2, 3, 4), seed=1), tf.random.normal((2, 1, 4), seed=2)
    found = layer(asking, requested, tf.ones((2, 1), tf.bool)).numpy()
    np.testing.assert_allclose(found, np.repeat(found[:, :1], 3, axis=1), atol=1e-6)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_cross_attention_sublayers_have_its_dtype_policy(precision):
    layer = CrossAttention(2, dropout=0.1, dtype=f"mixed_{precision}")
    values, present = tf.random.normal((2, 3, 4), seed=1), tf.ones((2, 3), tf.bool)
    for training in (False, True):
        assert layer(values, values, present, training=training).dtype == precision


def test_cross_attention_dropout_in_training_only():
    layer = CrossAttention(2, dropout=0.5)
    values, present = tf.random.normal((2, 3, 4), seed=1), tf.ones((2, 3), tf.bool)
    quiet = [layer(values, values, present, training=False).numpy() for _ in range(2)]
    np.testing.assert_array_equal(*quiet)
    noisy = [layer(values, values, present, training=True).numpy() for _ in range(2)]
    assert (noisy[0] != noisy[1]).any()
