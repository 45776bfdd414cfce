"""Fusion layers match numpy."""

import numpy as np
import pytest

from mmzoo.lazy import tf

RANDOM = np.random.RandomState(0)
VECTORS = [RANDOM.normal(size=(2, 4)).astype("float32") for _ in range(3)]


def test_learned_average_has_equal_initial_weights():
    from mmzoo.layers.fusion_layers import LearnedAverage

    layer = LearnedAverage()
    np.testing.assert_allclose(layer(VECTORS), np.mean(VECTORS, axis=0), atol=1e-6)
    np.testing.assert_allclose(layer.weights_of_inputs(), [1 / 3] * 3)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_learned_average_weights_are_a_softmax_of_scores(policy):
    from mmzoo.layers.fusion_layers import LearnedAverage

    layer = LearnedAverage(dtype=policy)
    layer(VECTORS)
    layer.scores.assign(np.log([1.0, 2.0, 5.0]))
    assert layer.weights_of_inputs().dtype == tf.float32
    np.testing.assert_allclose(layer.weights_of_inputs(), [0.125, 0.25, 0.625], atol=1e-6)
    expected = 0.125 * VECTORS[0] + 0.25 * VECTORS[1] + 0.625 * VECTORS[2]
    np.testing.assert_allclose(layer(VECTORS), expected, atol=1e-6 if policy == "float32" else 1e-2)


def test_gated_sum():
    from mmzoo.layers.fusion_layers import GatedSum

    gates = np.zeros((2, 3, 4), "float32")
    gates[0, 1] = 1.0  # The first example is the second vector,
    gates[1, 0, :2], gates[1, 2, 2:] = 1.0, 0.5  # the second example combines the others.
    first, second = GatedSum()(gates, VECTORS).numpy()
    np.testing.assert_allclose(first, VECTORS[1][0])
    np.testing.assert_allclose(second, [*VECTORS[0][1, :2], *(0.5 * VECTORS[2][1, 2:])])


def test_all_true_mask():
    from mmzoo.layers.missing_features import AllTrueMask

    present = AllTrueMask()(tf.zeros((2, 3, 5)))
    assert present.dtype == tf.bool
    np.testing.assert_array_equal(present, np.ones((2, 3), bool))


@pytest.mark.parametrize("shape", [(2, 4), (2, 3, 4)])
def test_modulation_with_zero_weights_is_the_identity(shape):
    from mmzoo.layers.fusion_layers import FeatureModulation

    layer = FeatureModulation()
    x, condition = tf.random.normal(shape, seed=1), tf.random.normal((2, 5), seed=2)
    assert (layer(x, condition).numpy() != x.numpy()).all()
    layer.set_weights([np.zeros((5, 8)), np.zeros(8)])
    np.testing.assert_array_equal(layer(x, condition), x)


def test_modulation_scales_and_shifts_every_feature():
    from mmzoo.layers.fusion_layers import FeatureModulation

    layer = FeatureModulation()
    x = RANDOM.normal(size=(2, 3, 4)).astype("float32")
    condition = RANDOM.normal(size=(2, 5)).astype("float32")
    layer(x, condition)
    kernel, bias = RANDOM.normal(size=(5, 8)), RANDOM.normal(size=8)
    layer.set_weights([kernel, bias])
    gamma, beta = np.split(condition @ kernel + bias, 2, axis=1)
    expected = x * (1 + gamma[:, None]) + beta[:, None]
    np.testing.assert_allclose(layer(x, condition), expected, rtol=1e-4, atol=1e-5)


def test_vectors_are_stacked_along_either_axis():
    from mmzoo.layers.fusion_layers import StackVectors

    assert StackVectors(axis=1)(VECTORS).shape == (2, 3, 4)
    assert StackVectors(axis=2)(VECTORS).shape == (2, 4, 3)
    np.testing.assert_array_equal(StackVectors(axis=2)(VECTORS)[:, :, 1], VECTORS[1])


def test_product_is_sum_pooled_by_group():
    from mmzoo.layers.fusion_layers import PooledProduct

    product = VECTORS[0] * VECTORS[1] * VECTORS[2]
    expected = product[:, [0, 2]] + product[:, [1, 3]]
    np.testing.assert_allclose(PooledProduct(2)(VECTORS), expected, atol=1e-6)


def test_signed_sqrt_keeps_the_sign_and_has_finite_gradients():
    from mmzoo.layers.fusion_layers import SignedSqrt

    x = tf.constant([-4.0, -1.0, 0.0, 1.0, 4.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        root = SignedSqrt()(x)
    np.testing.assert_allclose(root, [-2, -1, 0, 1, 2], atol=0.011)
    slope = tape.gradient(root, x).numpy()
    assert np.isfinite(slope).all()
    assert slope.min() >= 0


@pytest.mark.parametrize("count", [1, 2, 3])
def test_outer_product_includes_single_features(count):
    from mmzoo.layers.fusion_layers import OuterProduct

    vectors = VECTORS[:count]
    padded = [np.pad(vector, [(0, 0), (0, 1)], constant_values=1) for vector in vectors]
    expected = np.ones((2, 1), "float32")
    for vector in padded:
        expected = (expected[:, :, None] * vector[:, None, :]).reshape(2, -1)
    layer = OuterProduct()
    np.testing.assert_allclose(layer(vectors), expected, atol=1e-6)
    np.testing.assert_allclose(expected[:, -1], 1)
    assert layer.compute_output_shape([vector.shape for vector in vectors]) == expected.shape
