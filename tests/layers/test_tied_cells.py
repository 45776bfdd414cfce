"""Cells with recurrent dropout are Keras' own, save that all gates share one mask."""

import numpy as np
import pytest

from mmzoo.lazy import keras, tf


def cell(kind, dropout=0.5):
    from mmzoo.layers.sequences import TiedGRUCell, TiedLSTMCell

    return {"lstm": TiedLSTMCell, "gru": TiedGRUCell}[kind](6, recurrent_dropout=dropout)


def keras_cell(kind):
    return {"lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell}[kind](6)


KINDS = ("lstm", "gru")


@pytest.mark.parametrize("kind", KINDS)
def test_without_dropping_they_are_those_of_keras(kind):
    values = np.random.RandomState(0).normal(size=(3, 7, 4)).astype("float32")
    plain = keras.layers.RNN(keras_cell(kind), return_sequences=True)
    mine = keras.layers.RNN(cell(kind), return_sequences=True)
    expected = plain(values)
    mine(values)
    for variable, weights in zip(mine.trainable_variables, plain.get_weights(), strict=True):
        variable.assign(weights)
    np.testing.assert_allclose(mine(values), expected, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_that_drops_nothing_changes_nothing(kind, monkeypatch):
    """The way through training, with all entries kept."""
    values = np.random.RandomState(0).normal(size=(3, 7, 4)).astype("float32")
    one = cell(kind)
    layer = keras.layers.RNN(one, return_sequences=True)
    expected = layer(values, training=False)
    monkeypatch.setattr(one, "get_recurrent_dropout_mask", tf.ones_like)
    np.testing.assert_allclose(layer(values, training=True), expected, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_dropped_entries_of_the_state_are_not_seen(kind, monkeypatch):
    """With all of them dropped, every word is read as if it were the first, save for what is kept
    by the gates themselves."""
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
def test_one_mask_serves_all_words_and_each_step_has_another(kind, monkeypatch):
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
    masks = masks[-2:]  # Those before are of building the layer.
    assert masks[0].shape == (3, 6)
    assert (masks[0].numpy() != masks[1].numpy()).any()
    assert set(np.unique(masks[0])) <= {0.0, 2.0}
