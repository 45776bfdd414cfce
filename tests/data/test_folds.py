"""Folds: equal parts, each class in each of them, the same ones every time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mmzoo.data.splits import Fold, assign_folds


@given(members=st.lists(st.integers(1, 40), min_size=1, max_size=5), of=st.integers(2, 12))
def test_folds_are_equal_in_all_and_of_every_class(members: list[int], of: int) -> None:
    classes = np.random.RandomState(1).permutation(np.repeat(np.arange(len(members)), members))
    folds = assign_folds(len(classes), of, classes)
    assert (folds.dtype, folds.shape) == (np.int64, classes.shape)
    for part in (folds, *(folds[classes == one] for one in range(len(members)))):
        sizes = np.bincount(part, minlength=of)
        assert len(sizes) == of
        assert sizes.max() - sizes.min() <= 1


def test_folds_are_drawn_and_not_in_the_order_of_rows() -> None:
    folds = assign_folds(1_000, 4)
    assert np.bincount(folds).tolist() == [250, 250, 250, 250]
    assert 0.15 < np.mean(folds[:-1] == folds[1:]) < 0.35


def test_the_same_rows_are_dealt_alike() -> None:
    np.testing.assert_array_equal(assign_folds(97, 10), assign_folds(97, 10))


@pytest.mark.parametrize("fields", [{"index": 0}, {"index": 11}, {"index": 1, "of": 1}, {}])
def test_a_fold_is_one_of_them(fields: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Fold.model_validate(fields)


def test_there_are_ten_folds_by_default() -> None:
    assert Fold(index=10).of == 10
