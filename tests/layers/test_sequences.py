"""Sequence layers: pooling ignores padding; variational dropout shares one mask between gates."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.layers.attention_layers import AdditiveAttention
from mmzoo.layers.sequences import (
    LastToken,
    MaskedAverage,
    MaskedMax,
    ReverseSequence,
    VariationalDropoutGRUCell,
    VariationalDropoutLSTMCell,
)
from mmzoo.lazy import keras, tf

VALUES = np.random.RandomState(0).normal(size=(4, 5, 3)).astype("float32")
LENGTHS = (5, 3, 1, 0)
PRESENT = np.arange(5) < np.array(LENGTHS)[:, None]


def layers():
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
    layer = ReverseSequence()
    back = layer(VALUES, PRESENT)
    np.testing.assert_array_equal(back[1, :3], VALUES[1, 2::-1])
    np.testing.assert_array_equal(back[1, 3:], VALUES[1, 3:])
    np.testing.assert_array_equal(layer(back, PRESENT), VALUES)


def cell(kind, dropout=0.5):
    return {"lstm": VariationalDropoutLSTMCell, "gru": VariationalDropoutGRUCell}[kind](
        6, recurrent_dropout=dropout
    )


def keras_cell(kind):
    return {"lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell}[kind](6)


KINDS = ("lstm", "gru")


@pytest.mark.parametrize("kind", KINDS)
def test_without_dropout_cells_match_keras(kind):
    values = np.random.RandomState(0).normal(size=(3, 7, 4)).astype("float32")
    plain = keras.layers.RNN(keras_cell(kind), return_sequences=True)
    mine = keras.layers.RNN(cell(kind), return_sequences=True)
    expected = plain(values)
    mine(values)
    for variable, weights in zip(mine.trainable_variables, plain.get_weights(), strict=True):
        variable.assign(weights)
    np.testing.assert_allclose(mine(values), expected, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_mask_of_ones_changes_nothing(kind, monkeypatch):
    """The training code path without dropped entries."""
    values = np.random.RandomState(0).normal(size=(3, 7, 4)).astype("float32")
    one = cell(kind)
    layer = keras.layers.RNN(one, return_sequences=True)
    expected = layer(values, training=False)
    monkeypatch.setattr(one, "get_recurrent_dropout_mask", tf.ones_like)
    np.testing.assert_allclose(layer(values, training=True), expected, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_gates_do_not_see_dropped_state(kind, monkeypatch):
    """If all entries are dropped, only the carried-over state links the steps."""
    values = np.random.RandomState(0).normal(size=(3, 7, 4)).astype("float32")
    one = cell(kind)
    layer = keras.layers.RNN(one, return_sequences=True)
    layer(values)
    recurrent = one.recurrent_kernel
    monkeypatch.setattr(one, "get_recurrent_dropout_mask", tf.zeros_like)
    dropped = layer(values, training=True).numpy()
    recurrent.assign(tf.zeros_like(recurrent))
    np.testing.assert_allclose(layer(values, training=False), dropped, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_mask_is_shared_by_positions_and_redrawn_per_call(kind, monkeypatch):
    masks = []
    one = cell(kind)
    create = one._create_dropout_mask
    monkeypatch.setattr(
        one, "_create_dropout_mask", lambda *args: masks.append(create(*args)) or masks[-1]
    )
    layer = keras.layers.RNN(one)
    values = tf.ones((3, 7, 4))
    layer(values)
    for _ in range(2):
        layer(values, training=True)
    masks = masks[-2:]  # Earlier masks are drawn while the layer is built.
    assert masks[0].shape == (3, 6)
    assert (masks[0].numpy() != masks[1].numpy()).any()
    assert set(np.unique(masks[0])) <= {0.0, 2.0}
