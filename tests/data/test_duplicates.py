"""Duplicates: equal rows have equal keys, missing values match nothing."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mmzoo.data.duplicates import array_keys, distinct_count, matching_rows, row_keys

NAN = float("nan")


@pytest.mark.parametrize(
    ("train", "test", "rows", "matches"),
    [
        (["a", "b", "a", None], ["c", "a", None, "b"], [1, 3], [0, 1]),
        ([[0.0, 1], [NAN, 1]], [[-0.0, 1], [1, 1], [NAN, 1]], [0, 2], [0, 1]),
        ([[1, 2], [3, 4]], [[3, 4], [4, 3]], [0], [1]),
        ([b"x"], [b"y"], [], []),
    ],
)
def test_equal_rows_of_arrays_match(train, test, rows, matches):
    dtype = object if isinstance(train[0], str | bytes) else None
    keys = [array_keys(np.array(values, dtype)) for values in (test, train)]
    assert [found.tolist() for found in matching_rows(*keys)] == [rows, matches]


def test_equal_rows_of_frames_match_unless_they_are_empty():
    frame = pl.DataFrame({"a": [1, None, 1, None], "b": ["x", "y", "x", None]})
    keys = row_keys(frame.get_columns())
    assert distinct_count(keys) == 3
    rows, matches = matching_rows(keys, keys)
    assert (rows.tolist(), matches.tolist()) == ([0, 1, 2], [0, 1, 0])


def test_rows_of_a_single_bit_of_difference_have_other_keys():
    random = np.random.RandomState(0)
    images = np.repeat(random.randint(0, 256, (1, 8, 8, 3), "uint8"), 64, axis=0)
    images.reshape(64, -1)[range(64), range(0, 192, 3)] ^= 1
    assert distinct_count(array_keys(images)) == 64
