"""Losses of GANs, gradient penalty and spectral normalization, each against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo import layers
from mmzoo.lazy import tf

REAL = np.array([[2.0], [-1.0], [0.5]], "float32")
MADE = np.array([[-3.0], [0.25], [1.0]], "float32")


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values.astype("float64")))


def test_the_non_saturating_loss_is_the_cross_entropy_of_real_and_generated():
    loss = layers.discriminator_loss(tf.constant(REAL), tf.constant(MADE), "non_saturating")
    expected = -np.log(sigmoid(REAL)).mean() - np.log(1 - sigmoid(MADE)).mean()
    assert float(loss) == pytest.approx(expected, rel=1e-6)
    loss = layers.generator_loss(tf.constant(MADE), "non_saturating")
    assert float(loss) == pytest.approx(-np.log(sigmoid(MADE)).mean(), rel=1e-6)


def test_the_non_saturating_loss_is_finite_where_the_discriminator_is_sure():
    sure = tf.constant([[1000.0]])
    assert float(layers.discriminator_loss(-sure, sure, "non_saturating")) == 2000.0
    assert float(layers.generator_loss(-sure, "non_saturating")) == 1000.0


def test_the_wasserstein_loss_is_the_difference_of_the_means():
    loss = layers.discriminator_loss(tf.constant(REAL), tf.constant(MADE), "wasserstein")
    assert float(loss) == pytest.approx(MADE.mean() - REAL.mean())
    assert float(layers.generator_loss(tf.constant(MADE), "wasserstein")) == -MADE.mean()


def test_the_gradient_penalty_is_that_of_gradients_by_hand():
    """Of the score `a . x + (b . x)^2`, whose gradient at x is `a + 2 (b . x) b`."""
    random = np.random.RandomState(0)
    a, b = random.normal(size=(2, 6))
    real, made = random.normal(size=(2, 5, 2, 3, 1))
    share = random.uniform(size=5)

    def score(x: tf.Tensor) -> tf.Tensor:
        flat = tf.reshape(x, [-1, 6])
        return tf.linalg.matvec(flat, a)[:, None] + tf.linalg.matvec(flat, b)[:, None] ** 2

    found = layers.gradient_penalty(score, tf.constant(real), tf.constant(made), tf.constant(share))
    between = share[:, None] * real.reshape(5, 6) + (1 - share[:, None]) * made.reshape(5, 6)
    gradients = a + 2 * (between @ b)[:, None] * b
    expected = ((np.linalg.norm(gradients, axis=1) - 1) ** 2).mean()
    assert float(found) == pytest.approx(expected, rel=1e-9)


def test_the_gradient_penalty_has_a_finite_gradient_for_a_constant_score():
    weight = tf.Variable(0.0, dtype=tf.float64)
    ones = tf.ones([2, 3], tf.float64)
    with tf.GradientTape() as tape:
        penalty = layers.gradient_penalty(
            lambda x: weight * tf.reduce_sum(x, axis=1, keepdims=True), ones, ones, ones[:, 0]
        )
    assert float(penalty) == pytest.approx(1.0, rel=1e-5)
    assert np.isfinite(float(tape.gradient(penalty, weight)))


@pytest.mark.parametrize("shape", [(7, 4), (3, 3, 2, 5)])
def test_spectral_normalization_reaches_a_largest_singular_value_of_one(shape):
    random = np.random.RandomState(0)
    kernel = tf.constant(random.normal(size=shape))
    vector = tf.constant(random.normal(size=shape[-1]))
    first = kernel
    for _ in range(60):
        kernel, vector = layers.spectrally_normalized(kernel, vector)
    matrix = kernel.numpy().reshape(-1, shape[-1])
    _, values, right = np.linalg.svd(matrix)
    assert values[0] == pytest.approx(1.0, rel=1e-6)
    assert abs(right[0] @ vector.numpy()) == pytest.approx(1.0, rel=1e-4)
    largest = np.linalg.norm(first.numpy().reshape(-1, shape[-1]), 2)
    np.testing.assert_allclose(kernel * largest, first, rtol=1e-5)


def test_a_kernel_of_zeros_stays_as_it_is():
    kernel, vector = layers.spectrally_normalized(tf.zeros([3, 2]), tf.ones([2]))
    assert not kernel.numpy().any()
    assert vector.numpy().tolist() == [1.0, 1.0]
