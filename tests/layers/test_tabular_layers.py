"""Tabular input layers match numpy."""

import numpy as np
import pytest

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
    from mmzoo.layers.input_layers import SplitColumns

    numbers, categories = SplitColumns(2)(ROWS)
    np.testing.assert_array_equal(numbers, ROWS[:, :2])
    assert numbers.dtype == tf.float32
    np.testing.assert_array_equal(categories, [[2, 3000], [0, 2049], [1, 0]])
    assert categories.dtype == tf.int32


def test_only_missing_numbers_are_imputed(policy):
    from mmzoo.layers.missing_features import LearnedImputation

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
    from mmzoo.layers.missing_features import LearnedImputation

    values = tf.constant(ROWS[:, :2])
    with tf.GradientTape() as tape:
        tape.watch(values)
        total = tf.reduce_sum(tf.square(LearnedImputation()(values)[0]))
    np.testing.assert_array_equal(tape.gradient(total, values), [[1, 0], [0, 0], [2, -4]])


def test_each_category_has_its_own_embedding(policy):
    from mmzoo.layers.input_layers import CategoryEmbedding

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
    from mmzoo.layers.input_layers import CategoryEmbedding

    layer = CategoryEmbedding((3,), (2,))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(np.array([[1], [1], [2]])))
    [gradient] = tape.gradient(total, layer.trainable_variables)
    np.testing.assert_array_equal(tf.convert_to_tensor(gradient), [[0, 0], [2, 2], [1, 1]])


def test_one_hot_encoding(policy):
    from mmzoo.layers.input_layers import OneHotCategories

    places = OneHotCategories((3, 2))(np.array([[2, 0], [0, 1]]))
    np.testing.assert_array_equal(places, [[0, 0, 1, 1, 0], [1, 0, 0, 0, 1]])
    assert places.dtype == policy.compute_dtype


def test_layers_are_rebuilt_from_their_configs():
    from mmzoo.layers.input_layers import CategoryEmbedding, OneHotCategories, SplitColumns
    from mmzoo.layers.missing_features import LearnedImputation

    row = keras.Input((4,))
    numbers, categories = SplitColumns(**SplitColumns(3, name="parts").get_config())(row)
    assert (numbers.shape, categories.shape) == ((None, 3), (None, 1))
    assert categories.dtype == "int32"
    assert LearnedImputation(**LearnedImputation().get_config())(numbers)[0].shape == (None, 3)
    described = CategoryEmbedding((5,), (2,)).get_config()
    assert CategoryEmbedding(**described)(categories).shape == (None, 2)
    described = OneHotCategories((5,)).get_config()
    assert OneHotCategories(**described)(categories).shape == (None, 5)
