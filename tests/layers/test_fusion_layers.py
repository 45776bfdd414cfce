"""Fusion layers match numpy."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.layers.fusion_layers import (
    CombinedDecisions,
    FeatureModulation,
    GatedSum,
    LearnedAverage,
    OuterProduct,
    PooledProduct,
    SignedSqrt,
    StackVectors,
)
from mmzoo.layers.missing_features import AllTrueMask
from mmzoo.lazy import keras, tf

RANDOM = np.random.RandomState(0)
VECTORS = [RANDOM.normal(size=(2, 4)).astype("float32") for _ in range(3)]


def test_learned_average_has_equal_initial_weights():
    layer = LearnedAverage()
    np.testing.assert_allclose(layer(VECTORS), np.mean(VECTORS, axis=0), atol=1e-6)
    np.testing.assert_allclose(layer.weights_of_inputs(), [1 / 3] * 3)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_learned_average_weights_are_a_softmax_of_scores(policy):
    layer = LearnedAverage(dtype=policy)
    layer(VECTORS)
    layer.scores.assign(np.log([1.0, 2.0, 5.0]))
    assert layer.weights_of_inputs().dtype == tf.float32
    np.testing.assert_allclose(layer.weights_of_inputs(), [0.125, 0.25, 0.625], atol=1e-6)
    expected = 0.125 * VECTORS[0] + 0.25 * VECTORS[1] + 0.625 * VECTORS[2]
    np.testing.assert_allclose(layer(VECTORS), expected, atol=1e-6 if policy == "float32" else 1e-2)


def test_gated_sum():
    gates = np.zeros((2, 3, 4), "float32")
    gates[0, 1] = 1.0  # The first example is the second vector,
    gates[1, 0, :2], gates[1, 2, 2:] = 1.0, 0.5  # the second example combines the others.
    first, second = GatedSum()(gates, VECTORS).numpy()
    np.testing.assert_allclose(first, VECTORS[1][0])
    np.testing.assert_allclose(second, [*VECTORS[0][1, :2], *(0.5 * VECTORS[2][1, 2:])])


def test_all_true_mask():
    present = AllTrueMask()(tf.zeros((2, 3, 5)))
    assert present.dtype == tf.bool
    np.testing.assert_array_equal(present, np.ones((2, 3), bool))


@pytest.mark.parametrize("shape", [(2, 4), (2, 3, 4)])
def test_modulation_with_zero_weights_is_the_identity(shape):
    layer = FeatureModulation()
    x, condition = tf.random.normal(shape, seed=1), tf.random.normal((2, 5), seed=2)
    assert (layer(x, condition).numpy() != x.numpy()).all()
    layer.set_weights([np.zeros((5, 8)), np.zeros(8)])
    np.testing.assert_array_equal(layer(x, condition), x)


def test_modulation_scales_and_shifts_every_feature():
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
    assert StackVectors(axis=1)(VECTORS).shape == (2, 3, 4)
    assert StackVectors(axis=2)(VECTORS).shape == (2, 4, 3)
    np.testing.assert_array_equal(StackVectors(axis=2)(VECTORS)[:, :, 1], VECTORS[1])


def test_product_is_sum_pooled_by_group():
    product = VECTORS[0] * VECTORS[1] * VECTORS[2]
    expected = product[:, [0, 2]] + product[:, [1, 3]]
    np.testing.assert_allclose(PooledProduct(2)(VECTORS), expected, atol=1e-6)


def test_signed_sqrt_keeps_the_sign_and_has_finite_gradients():
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
    vectors = VECTORS[:count]
    padded = [np.pad(vector, [(0, 0), (0, 1)], constant_values=1) for vector in vectors]
    expected = np.ones((2, 1), "float32")
    for vector in padded:
        expected = (expected[:, :, None] * vector[:, None, :]).reshape(2, -1)
    layer = OuterProduct()
    np.testing.assert_allclose(layer(vectors), expected, atol=1e-6)
    np.testing.assert_allclose(expected[:, -1], 1)
    assert layer.compute_output_shape([vector.shape for vector in vectors]) == expected.shape


KINDS = {"classes": ("average", "weighted", "product", "max", "vote")}
KINDS |= {"probabilities": KINDS["classes"], "numbers": ("average", "weighted")}
EACH = [(kind, combine) for kind in KINDS for combine in KINDS[kind]]


def together(combine: str, kind: str, *decisions, threshold: float = 0.5) -> np.ndarray:
    layer = CombinedDecisions(combine, kind, threshold)
    return layer([tf.constant(one, tf.float32) for one in decisions]).numpy()


def drawn(kind: str, rows: int = 50, width: int = 4, seed: int = 0) -> np.ndarray:
    values = np.random.RandomState(seed).exponential(size=(rows, width)).astype("float32") + 0.01
    if kind == "classes":
        return values / values.sum(axis=1, keepdims=True)
    return values / (1 + values) if kind == "probabilities" else values


@pytest.mark.parametrize(("kind", "combine"), EACH)
def test_order_of_members_does_not_matter(kind, combine):
    one, two, three = (drawn(kind, seed=seed) for seed in range(3))
    expected = together(combine, kind, one, two, three)
    np.testing.assert_allclose(together(combine, kind, three, one, two), expected, atol=1e-6)


@pytest.mark.parametrize("combine", KINDS["classes"])
def test_class_probabilities_sum_to_one(combine):
    result = together(combine, "classes", drawn("classes"), drawn("classes", seed=1))
    np.testing.assert_allclose(result.sum(axis=1), 1, atol=1e-5)
    assert (result >= 0).all()


@pytest.mark.parametrize("combine", KINDS["classes"])
def test_binary_probability_is_combined_like_two_classes(combine):
    """A binary head and a classification head with two classes are combined alike."""
    probabilities = [drawn("probabilities", width=1, seed=seed) for seed in range(4)]
    classes = [np.concatenate([1 - one, one], axis=1) for one in probabilities]
    result = together(combine, "probabilities", *probabilities)
    np.testing.assert_allclose(
        result[:, 0], together(combine, "classes", *classes)[:, 1], atol=1e-5
    )


@pytest.mark.parametrize("kind", KINDS)
def test_average_is_the_mean(kind):
    one, two = drawn(kind), drawn(kind, seed=1)
    np.testing.assert_allclose(together("average", kind, one, two), (one + two) / 2, rtol=1e-5)


def test_initial_weights_are_equal_and_sum_to_one():
    layer = CombinedDecisions("weighted", "classes")
    one, two = drawn("classes"), drawn("classes", seed=1)
    np.testing.assert_allclose(layer([one, two]), (one + two) / 2, rtol=1e-5)
    layer.logits.assign([0.0, np.log(3.0)])
    assert layer.weights_of_inputs() == pytest.approx([0.25, 0.75])
    np.testing.assert_allclose(layer([one, two]), 0.25 * one + 0.75 * two, rtol=1e-5)


def test_product_is_normalized():
    one, two = drawn("classes"), drawn("classes", seed=1)
    product = one * two
    expected = product / product.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(together("product", "classes", one, two), expected, rtol=1e-4)


def test_product_with_zeros_and_ones_is_finite():
    result = together("product", "classes", [[1.0, 0.0]], [[0.0, 1.0]])
    np.testing.assert_allclose(result, [[0.5, 0.5]])
    np.testing.assert_allclose(together("product", "probabilities", [[1.0]], [[0.0]]), [[0.5]])


def test_max_uses_the_largest_probability_of_each_class():
    result = together("max", "classes", [[0.7, 0.2, 0.1]], [[0.1, 0.6, 0.3]])
    np.testing.assert_allclose(result, np.array([[0.7, 0.6, 0.3]]) / 1.6, rtol=1e-6)


def test_two_votes_beat_one_confident_vote():
    result = together("vote", "classes", [[0.99, 0.01]], [[0.4, 0.6]], [[0.4, 0.6]])
    assert result.argmax() == 1
    np.testing.assert_allclose(result, [[1 / 3, 2 / 3]], atol=1e-3)


def test_mean_probability_breaks_ties():
    one, two, three = [[0.1, 0.5, 0.4]], [[0.6, 0.0, 0.4]], [[0.2, 0.3, 0.5]]
    assert together("vote", "classes", one, two, three).argmax() == 2
    assert together("vote", "classes", one, two).argmax() == 0


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.9])
def test_binary_vote_is_a_majority_at_any_threshold(threshold):
    random = np.random.RandomState(0)
    for deciders in (2, 3, 4):
        probabilities = random.uniform(size=(deciders, 200, 2)).astype("float32")
        votes = (probabilities >= threshold).sum(axis=0)
        mean = probabilities.mean(axis=0)
        majority = np.where(2 * votes == deciders, mean >= threshold, 2 * votes > deciders)
        decided = (
            together("vote", "probabilities", *probabilities, threshold=threshold) >= threshold
        )
        np.testing.assert_array_equal(decided, majority)


def test_vote_has_no_gradient():
    decisions = [tf.constant(drawn("classes", seed=seed)) for seed in range(2)]
    with tf.GradientTape() as tape:
        tape.watch(decisions)
        result = CombinedDecisions("vote", "classes")(decisions)
    assert tape.gradient(result, decisions) == [None, None]


def test_numbers_cannot_be_voted_on():
    with pytest.raises(ValueError, match="numbers cannot be combined by 'vote'"):
        together("vote", "numbers", [[1.0]], [[2.0]])


def test_is_rebuilt_from_its_config():
    layer = CombinedDecisions("vote", "probabilities", 0.3, name="good")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()
