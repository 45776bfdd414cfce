"""Sinusoidal and learned position embeddings."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.layers.positions import LearnedPositions, SinusoidalPositions
from mmzoo.lazy import tf


@pytest.mark.parametrize("width", [2, 7, 8])
def test_sinusoids_differ_at_every_position(width):
    waves = SinusoidalPositions()(tf.zeros((2, 600, width))).numpy()
    np.testing.assert_array_equal(waves[0], waves[1])
    assert np.abs(waves).max() <= 1.0
    assert len(np.unique(waves[0].round(5), axis=0)) == 600


def test_sinusoids_are_those_of_the_paper_reordered():
    waves = SinusoidalPositions()(tf.zeros((1, 50, 6))).numpy()[0]
    for pair in range(3):
        angles = np.arange(50) / 10_000 ** (2 * pair / 6)
        np.testing.assert_allclose(waves[:, pair], np.sin(angles), atol=1e-4)
        np.testing.assert_allclose(waves[:, 3 + pair], np.cos(angles), atol=1e-4)


def test_input_is_scaled_by_the_square_root_of_its_width():
    layer = SinusoidalPositions()
    zeros, ones = tf.zeros((1, 5, 16)), tf.ones((1, 5, 16))
    np.testing.assert_allclose(layer(ones) - layer(zeros), 4.0, atol=1e-5)
    layer = SinusoidalPositions(scaled=False)
    np.testing.assert_allclose(layer(ones) - layer(zeros), 1.0, atol=1e-5)


def test_positions_beyond_the_learned_ones_share_the_last_embedding():
    layer = LearnedPositions(3)
    added = layer(tf.zeros((2, 5, 4))).numpy()
    np.testing.assert_array_equal(added[0], layer.vectors.numpy()[[0, 1, 2, 2, 2]])
    np.testing.assert_array_equal(added[0], added[1])
