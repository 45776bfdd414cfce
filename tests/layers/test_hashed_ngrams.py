"""HashedNgrams: the id of an n-gram depends on its words only."""

import numpy as np
import pytest

from mmzoo.lazy import keras, tf


def ngrams(ids, longest=2, buckets=10**6):
    from mmzoo.layers.input_layers import HashedNgrams

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
    from mmzoo.layers.input_layers import HashedNgrams

    ids = keras.Input((None,), dtype="int32")
    numbers = HashedNgrams(2, 50)(ids)
    assert numbers.shape == (None, None)
    assert numbers.dtype == "int32"
    assert HashedNgrams(3, 50)(keras.Input((10,), dtype="int32")).shape == (None, 17)
    model = keras.Model(ids, numbers)
    values = tf.constant([[5, 6, 7, 0]], tf.int32)
    compiled = tf.function(model, autograph=False)
    np.testing.assert_array_equal(compiled(values), ngrams([[5, 6, 7, 0]], buckets=50))
