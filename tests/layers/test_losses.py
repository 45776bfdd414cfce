"""RescaledDense and ScaledLoss match numpy."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.layers.convolutional import RescaledDense
from mmzoo.layers.losses import ScaledLoss
from mmzoo.lazy import keras, tf

MEAN, STD = (1e6, 3.0), (2e5, 0.5)


def test_outputs_are_rescaled_dense_outputs():
    values = np.random.RandomState(0).normal(size=(4, 3)).astype("float32")
    layer = RescaledDense(MEAN, STD)
    outputs = layer(values).numpy()
    kernel, bias = (weight.numpy() for weight in layer.weights)
    np.testing.assert_allclose(outputs, (values @ kernel + bias) * STD + MEAN, rtol=1e-6)
    assert layer.activation is keras.activations.linear


def test_is_rebuilt_from_its_config():
    described = RescaledDense(MEAN, STD, name="price").get_config()
    layer = RescaledDense(**described)
    assert (layer.mean, layer.std, layer.name) == (MEAN, STD, "price")
    assert layer(keras.Input((3,))).shape == (None, 2)


@pytest.mark.parametrize("loss", ["MeanSquaredError", "MeanAbsoluteError", "Huber"])
def test_scaled_loss_is_the_loss_of_scaled_numbers(loss):
    random = np.random.RandomState(0)
    true, predicted = (random.normal(size=(5, 2)) * STD + MEAN for _ in range(2))
    plain = getattr(keras.losses, loss)()
    weights = tf.constant([1.0, 0, 2, 1, 1])
    value = ScaledLoss(plain, STD)(true, predicted, sample_weight=weights)
    expected = plain(true / STD, predicted / STD, sample_weight=weights)
    assert float(value) == pytest.approx(float(expected), rel=1e-5)
    assert ScaledLoss(plain, STD).name == plain.name
