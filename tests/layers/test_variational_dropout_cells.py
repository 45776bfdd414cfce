"""Cells with variational dropout match Keras' cells, except that all gates share one mask."""

import numpy as np
import pytest

from mmzoo.lazy import keras, tf


def cell(kind, dropout=0.5):
    from mmzoo.layers.sequences import VariationalDropoutGRUCell, VariationalDropoutLSTMCell

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
