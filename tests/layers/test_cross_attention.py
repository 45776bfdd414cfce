"""CrossAttention is Keras' MultiHeadAttention where both can be used."""

import numpy as np
import pytest

from mmzoo.lazy import keras, tf


@pytest.mark.parametrize("heads", [1, 4])
def test_outputs_are_those_of_keras(heads):
    from mmzoo.layers.attention_layers import CrossAttention

    random = np.random.RandomState(0)
    asking = random.normal(size=(3, 4, 8)).astype("float32")
    asked = random.normal(size=(3, 6, 8)).astype("float32")
    present = np.arange(6) < np.array([[6], [2], [4]])
    theirs = keras.layers.MultiHeadAttention(heads, 8 // heads, bias_initializer="random_normal")
    expected = theirs(asking, asked, attention_mask=present[:, None, :])
    mine = CrossAttention(heads)
    mine(asking, asked, present)
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
    np.testing.assert_allclose(mine(asking, asked, present), expected, rtol=1e-4, atol=1e-5)


def test_where_nothing_is_there_nothing_is_found():
    from mmzoo.layers.attention_layers import CrossAttention

    layer = CrossAttention(2)
    asking, asked = tf.random.normal((2, 3, 4), seed=1), tf.random.normal((2, 5, 4), seed=2)
    found = layer(asking, asked, tf.zeros((2, 5), tf.bool))
    np.testing.assert_array_equal(found, 0.0)  # Biases begin at 0.


def test_a_sequence_of_one_token_gives_it_to_all_that_ask():
    from mmzoo.layers.attention_layers import CrossAttention

    layer = CrossAttention(2)
    asking, asked = tf.random.normal((2, 3, 4), seed=1), tf.random.normal((2, 1, 4), seed=2)
    found = layer(asking, asked, tf.ones((2, 1), tf.bool)).numpy()
    np.testing.assert_allclose(found, np.repeat(found[:, :1], 3, axis=1), atol=1e-6)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_its_own_precision_is_that_of_its_parts(precision):
    from mmzoo.layers.attention_layers import CrossAttention

    layer = CrossAttention(2, dropout=0.1, dtype=f"mixed_{precision}")
    values, present = tf.random.normal((2, 3, 4), seed=1), tf.ones((2, 3), tf.bool)
    for training in (False, True):
        assert layer(values, values, present, training=training).dtype == precision


def test_weights_of_the_mixtures_are_dropped_in_training_only():
    from mmzoo.layers.attention_layers import CrossAttention

    layer = CrossAttention(2, dropout=0.5)
    values, present = tf.random.normal((2, 3, 4), seed=1), tf.ones((2, 3), tf.bool)
    quiet = [layer(values, values, present, training=False).numpy() for _ in range(2)]
    np.testing.assert_array_equal(*quiet)
    noisy = [layer(values, values, present, training=True).numpy() for _ in range(2)]
    assert (noisy[0] != noisy[1]).any()
