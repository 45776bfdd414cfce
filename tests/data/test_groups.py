"""Groups of rows: never cut apart, drawn by a seed, dealt evenly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmzoo.data.splits import assign_group_folds, hold_out_groups
from mmzoo.errors import DataError

GROUPS = st.lists(st.integers(0, 12), min_size=2, max_size=80).map(np.array)


def parts_of(groups: np.ndarray, kept: np.ndarray, cut: np.ndarray) -> None:
    """Checks that two parts are all rows, in order, and share no group."""
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, cut])), np.arange(len(groups)))
    assert (np.diff(kept) > 0).all()
    assert (np.diff(cut) > 0).all()
    assert len(kept)
    assert len(cut)
    assert not set(groups[kept]) & set(groups[cut])


@given(groups=GROUPS, fraction=st.floats(0.01, 0.99), seed=st.integers(0, 2**32 - 1))
def test_a_cut_takes_whole_groups(groups: np.ndarray, fraction: float, seed: int) -> None:
    classes = np.random.RandomState(seed).randint(0, 3, len(groups))
    for given_classes in (None, classes):
        if len(set(groups)) < 2:
            with pytest.raises(DataError, match="a single group cannot be split"):
                hold_out_groups(groups, fraction, seed, given_classes)
            continue
        kept, cut = hold_out_groups(groups, fraction, seed, given_classes)
        parts_of(groups, kept, cut)
        np.testing.assert_array_equal(
            cut, hold_out_groups(groups, fraction, seed, given_classes)[1]
        )


@given(groups=GROUPS, of=st.integers(2, 6), seed=st.integers(0, 99))
def test_folds_have_whole_groups(groups: np.ndarray, of: int, seed: int) -> None:
    classes = np.random.RandomState(seed).randint(0, 3, len(groups))
    for given_classes in (None, classes):
        if len(set(groups)) < of:
            with pytest.raises(DataError, match="cannot be split into"):
                assign_group_folds(groups, of, given_classes)
            continue
        folds = assign_group_folds(groups, of, given_classes)
        assert set(folds) == set(range(of))
        for group in set(groups):
            assert len(set(folds[groups == group])) == 1


def test_a_cut_comes_near_to_its_share_of_rows() -> None:
    groups = np.random.RandomState(0).permutation(np.repeat(np.arange(200), 5))
    for seed in range(5):
        _, cut = hold_out_groups(groups, 0.2, seed)
        assert len(cut) == 200
    assert not np.array_equal(cut, hold_out_groups(groups, 0.2, 9)[1])


def test_groups_of_one_class_each_keep_the_classes_shares() -> None:
    groups = np.repeat(np.arange(100), 4)
    classes = (groups % 5 == 0).astype(int)  # A fifth of the groups.
    _, cut = hold_out_groups(groups, 0.25, 0, classes)
    assert np.bincount(classes[cut]).tolist() == [80, 20]
    folds = assign_group_folds(groups, 4, classes)
    for fold in range(4):
        assert np.bincount(classes[folds == fold]).tolist() == [80, 20]


def test_a_class_with_a_single_group_is_kept() -> None:
    groups = np.array([0, 0, 1, 1, 2, 2, 3])
    classes = np.array([0, 0, 0, 0, 0, 0, 1])
    kept, _ = hold_out_groups(groups, 0.3, 0, classes)
    assert 6 in kept
    one_each = np.array([0, 0, 0, 1, 1, 2])
    kept, cut = hold_out_groups(one_each, 0.3, 0, one_each)
    parts_of(one_each, kept, cut)
    assert len(cut) == 2


def test_large_groups_are_spread_over_folds() -> None:
    groups = np.repeat(np.arange(12), [50, 50, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10])
    assert np.bincount(assign_group_folds(groups, 2)).tolist() == [100, 100]
