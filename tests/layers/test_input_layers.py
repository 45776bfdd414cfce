"""Input layers match numpy."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.layers.input_layers import (
    CategoryEmbedding,
    HashedNgrams,
    OneHotCategories,
    SplitColumns,
    Standardize,
)
from mmzoo.layers.missing_features import LearnedImputation
from mmzoo.lazy import keras, tf

NAN = float("nan")
ROWS = np.array([[0.5, NAN, 2, 3000], [NAN, NAN, 0, 2049], [1, -2, 1, 0]], "float32")


@pytest.fixture(params=["float32", "mixed_float16", "mixed_bfloat16"])
def policy(request):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield keras.config.dtype_policy()
    keras.config.set_dtype_policy(before)


def test_columns_are_split_without_rounding_in_any_precision(policy):
    numbers, categories = SplitColumns(2)(ROWS)
    np.testing.assert_array_equal(numbers, ROWS[:, :2])
    assert numbers.dtype == tf.float32
    np.testing.assert_array_equal(categories, [[2, 3000], [0, 2049], [1, 0]])
    assert categories.dtype == tf.int32


def test_only_missing_numbers_are_imputed(policy):
    layer = LearnedImputation()
    with tf.GradientTape() as tape:
        filled, missing = layer(ROWS[:, :2])
        total = tf.reduce_sum(filled * tf.cast([[1.0, 2], [3, 4], [5, 6]], filled.dtype))
    np.testing.assert_array_equal(filled, [[0.5, 0], [0, 0], [1, -2]])
    np.testing.assert_array_equal(missing, [[0, 1], [1, 1], [0, 0]])
    assert filled.dtype == missing.dtype == policy.compute_dtype
    [variable] = layer.trainable_variables
    np.testing.assert_array_equal(tape.gradient(total, variable), [3, 2 + 4])
    variable.assign([7, 8])
    np.testing.assert_array_equal(layer(ROWS[:, :2])[0], [[0.5, 8], [7, 8], [1, -2]])


def test_gradients_of_imputation_are_finite():
    values = tf.constant(ROWS[:, :2])
    with tf.GradientTape() as tape:
        tape.watch(values)
        total = tf.reduce_sum(tf.square(LearnedImputation()(values)[0]))
    np.testing.assert_array_equal(tape.gradient(total, values), [[1, 0], [0, 0], [2, -4]])


def test_each_category_has_its_own_embedding(policy):
    layer = CategoryEmbedding((3, 4000), (2, 5))
    ids = np.array([[2, 3000], [0, 2049], [2, 0]])
    vectors = layer(ids)
    assert vectors.shape == (3, 7)
    assert vectors.dtype == policy.compute_dtype
    first, second = (table.numpy() for table in layer.weights)
    assert (first.shape, second.shape) == ((3, 2), (4000, 5))
    expected = np.concatenate([first[ids[:, 0]], second[ids[:, 1]]], axis=1)
    np.testing.assert_array_equal(vectors, expected.astype(vectors.dtype.as_numpy_dtype))


def test_gradients_reach_the_embeddings():
    layer = CategoryEmbedding((3,), (2,))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(np.array([[1], [1], [2]])))
    [gradient] = tape.gradient(total, layer.trainable_variables)
    np.testing.assert_array_equal(tf.convert_to_tensor(gradient), [[0, 0], [2, 2], [1, 1]])


def test_one_hot_encoding(policy):
    places = OneHotCategories((3, 2))(np.array([[2, 0], [0, 1]]))
    np.testing.assert_array_equal(places, [[0, 0, 1, 1, 0], [1, 0, 0, 0, 1]])
    assert places.dtype == policy.compute_dtype


def test_layers_are_rebuilt_from_their_configs():
    row = keras.Input((4,))
    numbers, categories = SplitColumns(**SplitColumns(3, name="parts").get_config())(row)
    assert (numbers.shape, categories.shape) == ((None, 3), (None, 1))
    assert categories.dtype == "int32"
    assert LearnedImputation(**LearnedImputation().get_config())(numbers)[0].shape == (None, 3)
    described = CategoryEmbedding((5,), (2,)).get_config()
    assert CategoryEmbedding(**described)(categories).shape == (None, 2)
    described = OneHotCategories((5,)).get_config()
    assert OneHotCategories(**described)(categories).shape == (None, 5)


def ngrams(ids, longest=2, buckets=10**6):
    return HashedNgrams(longest, buckets)(np.array(ids, "int32")).numpy()


def test_bigram_id_does_not_depend_on_the_position():
    first, second = ngrams([[5, 6, 7, 5, 6]]), ngrams([[9, 5, 6, 0, 0]])
    assert first[0, 0] == first[0, 3] == second[0, 1]
    assert len(set(first[0])) == 3


def test_bigram_id_depends_on_the_order():
    found = ngrams([[5, 6], [6, 5], [5, 5]])
    assert len(set(found[:, 0])) == 3


def test_ngrams_that_reach_into_padding_have_id_0():
    found = ngrams([[5, 6, 7, 0, 0], [5, 0, 0, 0, 0], [0, 0, 0, 0, 0]], longest=3)
    assert (found > 0).tolist() == [
        [True, True, False, False, True, False, False],
        [False] * 7,
        [False] * 7,
    ]


@pytest.mark.parametrize("positions", [0, 1, 2, 3])
def test_short_texts_have_few_or_no_ngrams(positions):
    found = ngrams(np.ones((2, positions)), longest=3)
    assert found.shape == (2, max(0, positions - 1) + max(0, positions - 2))
    assert found.dtype == np.int32


def test_ngrams_of_different_lengths_have_different_ids():
    found = ngrams([[5, 6, 7]], longest=3)
    assert len(set(found[0])) == 3


@pytest.mark.parametrize("buckets", [1, 7, 1000])
def test_ids_are_from_1_to_buckets(buckets):
    ids = np.random.RandomState(0).randint(1, 2**31 - 1, (50, 40))
    found = ngrams(ids, longest=4, buckets=buckets)
    assert found.min() == 1
    assert found.max() == buckets


@pytest.mark.parametrize("buckets", [50_000, 90_000, 100_000, 2**18, 10**6])
def test_frequent_words_fill_the_buckets_evenly(buckets):
    """All pairs of 300 words with consecutive ids use as many buckets as random ids would."""
    first, second = np.meshgrid(np.arange(1, 301), np.arange(1, 301))
    ids = np.stack([first.ravel(), second.ravel()], axis=1)
    found = ngrams(ids, buckets=buckets)
    filled = buckets * (1 - np.exp(-90_000 / buckets))
    assert len(np.unique(found)) == pytest.approx(filled, rel=0.01)


def test_ids_are_pinned():
    """Embeddings of trained models depend on these ids."""
    assert ngrams([[5, 6, 7], [1, 1, 20_000]], longest=3, buckets=2**18).tolist() == [
        [217432, 221575, 201768],
        [24022, 101651, 174786],
    ]


def test_works_in_a_graph_with_variable_length():
    ids = keras.Input((None,), dtype="int32")
    numbers = HashedNgrams(2, 50)(ids)
    assert numbers.shape == (None, None)
    assert numbers.dtype == "int32"
    assert HashedNgrams(3, 50)(keras.Input((10,), dtype="int32")).shape == (None, 17)
    model = keras.Model(ids, numbers)
    values = tf.constant([[5, 6, 7, 0]], tf.int32)
    compiled = tf.function(model, autograph=False)
    np.testing.assert_array_equal(compiled(values), ngrams([[5, 6, 7, 0]], buckets=50))


VALUES = np.random.RandomState(0).normal(-40, 25, (3, 20, 10)).astype("float32")


def test_examples_are_standardized_independently():
    values = VALUES * np.array([1, 2, 3], "float32")[:, None, None]
    outputs = Standardize()(values).numpy()
    np.testing.assert_allclose(outputs.mean((1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(outputs.std((1, 2)), 1, atol=1e-4)
    np.testing.assert_allclose(outputs[:1], Standardize()(values[:1]), atol=1e-5)


def test_axes():
    outputs = Standardize(axes=(1,))(VALUES).numpy()
    np.testing.assert_allclose(outputs.mean(1), 0, atol=1e-4)
    np.testing.assert_allclose(outputs.std(1), 1, atol=1e-4)
    described = Standardize(axes=(1,), epsilon=0.5).get_config()
    assert (described["axes"], described["epsilon"]) == ((1,), 0.5)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_constant_input_gives_zeros(dtype):
    assert not Standardize(dtype=dtype)(np.full((2, 5, 5), -80, "float32")).numpy().any()


def test_large_values_do_not_overflow_in_float16():
    outputs = Standardize(dtype="mixed_float16")(VALUES * 100)
    assert outputs.dtype == "float16"
    np.testing.assert_allclose(outputs, Standardize()(VALUES * 100), atol=5e-3)
