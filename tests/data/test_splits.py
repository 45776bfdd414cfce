"""Random, stratified and grouped hold-outs and folds."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mmzoo.data.split_assignment import SplitInfo, assign_splits
from mmzoo.data.splits import (
    Fold,
    assign_folds,
    assign_group_folds,
    hold_out_groups,
    hold_out_random,
    hold_out_stratified,
)
from mmzoo.errors import DataError

CLASSES = np.random.RandomState(0).permutation(np.repeat([0, 1, 2], [500, 300, 105]))


def test_every_row_is_in_exactly_one_part_in_order() -> None:
    kept, cut = hold_out_stratified(CLASSES, 0.1, seed=0)
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, cut])), np.arange(905))
    assert (np.diff(kept) > 0).all()
    assert (np.diff(cut) > 0).all()


def test_every_class_keeps_its_share() -> None:
    _, cut = hold_out_stratified(CLASSES, 0.1, seed=0)
    # 50, 30 and 10.5; the whole cut is round(90.5) rows, to the even side.
    assert np.bincount(CLASSES[cut]).tolist() == [50, 30, 10]


def test_rows_left_by_rounding_go_to_the_class_with_the_largest_remainder() -> None:
    classes = np.repeat([0, 1, 2], [13, 18, 11])
    # 3.9, 5.4 and 3.3 of 12.6, rounded to 13: one of two left rows each to 0.9 and 0.4.
    _, cut = hold_out_stratified(classes, 0.3, seed=0)
    assert np.bincount(classes[cut]).tolist() == [4, 6, 3]


def test_the_seed_decides_which_rows() -> None:
    _, first = hold_out_stratified(CLASSES, 0.1, seed=0)
    _, again = hold_out_stratified(CLASSES, 0.1, seed=0)
    _, other = hold_out_stratified(CLASSES, 0.1, seed=1)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@given(
    members=st.lists(st.integers(2, 40), min_size=1, max_size=5),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32 - 1),
)
def test_stratified_splits_are_correct(members: list[int], fraction: float, seed: int) -> None:
    classes = np.repeat(np.arange(len(members)), members)
    kept, cut = hold_out_stratified(classes, fraction, seed)
    assert sorted([*kept, *cut]) == list(range(len(classes)))
    large = min(members) * min(fraction, 1 - fraction) >= 1
    assert not large or len(cut) == round(len(classes) * fraction)
    for name, have in enumerate(members):
        taken = int((classes[cut] == name).sum())
        assert 0 < taken < have
        assert abs(taken - have * fraction) <= 1


@pytest.mark.parametrize(("fraction", "taken"), [(0.001, 1), (0.999, -1)])
def test_a_small_class_has_one_example_in_each_part(fraction: float, taken: int) -> None:
    _, cut = hold_out_stratified(CLASSES, fraction, seed=0)
    _, members = np.unique(CLASSES, return_counts=True)
    _, found = np.unique(CLASSES[cut], return_counts=True)
    assert (found == (taken if taken > 0 else members - 1)).all()


def test_the_only_example_of_a_class_is_not_held_out() -> None:
    remaining, held_out = hold_out_stratified(np.array([0, 1, 0, 2]), 0.9, seed=0)
    assert sorted([*remaining, *held_out]) == [0, 1, 2, 3]
    assert held_out.tolist() in ([0], [2])
    with pytest.raises(DataError, match=r"^no class has two examples left"):
        hold_out_stratified(np.array([0, 1, 2]), 0.5, seed=0)


def test_classes_with_fewer_examples_than_splits_are_noted() -> None:
    classes = np.repeat([0, 1, 2, 3], [20, 1, 2, 3])
    shares = {"test": 0.2, "validation": 0.1}
    info = SplitInfo(np.zeros(26, int), classes=classes, class_names=("a", "b", "c", "d"))
    assigned = assign_splits("some", info, shares, 0)
    assert sorted(assigned.splits[classes == 3].tolist()) == [0, 1, 2]
    assert sorted(assigned.splits[classes == 2].tolist()) == [0, 2]
    assert assigned.splits[classes == 1].tolist() == [0]
    assert assigned.notes[2:] == (
        "some: 2 classes have too few rows to be in every split: 'b' (1 row), 'c' (2 rows)",
    )


@given(rows=st.integers(2, 200), fraction=st.floats(0.001, 0.999), seed=st.integers(0, 99))
def test_random_splits_are_correct(rows: int, fraction: float, seed: int) -> None:
    kept, cut = hold_out_random(rows, fraction, seed)
    assert sorted([*kept, *cut]) == list(range(rows))
    assert (np.diff(kept) > 0).all()
    assert (np.diff(cut) > 0).all()
    assert len(cut) == min(max(round(rows * fraction), 1), rows - 1)


def test_a_single_row_is_not_split() -> None:
    with pytest.raises(DataError, match=r"^source\.test: a single example cannot be split"):
        assign_splits("one", SplitInfo(np.zeros(1, int)), {"test": 0.2, "validation": 0.1}, 0)


def test_equal_values_of_a_group_stay_together() -> None:
    patient, shares = np.repeat(np.arange(50), 4), {"test": 0.2, "validation": 0.1}
    info = SplitInfo(np.zeros(200, int), groups=pl.Series(patient), grouped_by="patient")
    assigned = assign_splits("some", info, shares, 0)
    patients = [set(patient[assigned.splits == split].tolist()) for split in range(3)]
    assert len(set.union(*patients)) == sum(map(len, patients)) == 50
    assert assigned.notes[0] == (
        "some has no test split: held out 40 of 200 training examples, grouped by patient, seed 0"
    )


@given(members=st.lists(st.integers(1, 40), min_size=1, max_size=5), of=st.integers(2, 12))
def test_folds_are_equal_in_size_and_stratified(members: list[int], of: int) -> None:
    classes = np.random.RandomState(1).permutation(np.repeat(np.arange(len(members)), members))
    folds = assign_folds(len(classes), of, classes)
    assert (folds.dtype, folds.shape) == (np.int64, classes.shape)
    for part in (folds, *(folds[classes == one] for one in range(len(members)))):
        sizes = np.bincount(part, minlength=of)
        assert len(sizes) == of
        assert sizes.max() - sizes.min() <= 1


def test_folds_are_random() -> None:
    folds = assign_folds(1_000, 4)
    assert np.bincount(folds).tolist() == [250, 250, 250, 250]
    assert 0.15 < np.mean(folds[:-1] == folds[1:]) < 0.35


def test_folds_are_deterministic() -> None:
    np.testing.assert_array_equal(assign_folds(97, 10), assign_folds(97, 10))


@pytest.mark.parametrize("fields", [{"index": 0}, {"index": 11}, {"index": 1, "of": 1}, {}])
def test_an_unknown_fold_is_refused(fields: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Fold.model_validate(fields)


def test_there_are_ten_folds_by_default() -> None:
    assert Fold(index=10).of == 10


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
def test_splits_take_complete_groups(groups: np.ndarray, fraction: float, seed: int) -> None:
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
def test_folds_have_complete_groups(groups: np.ndarray, of: int, seed: int) -> None:
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


def test_group_splits_approximate_their_share_of_rows() -> None:
    groups = np.random.RandomState(0).permutation(np.repeat(np.arange(200), 5))
    for seed in range(5):
        _, cut = hold_out_groups(groups, 0.2, seed)
        assert len(cut) == 200
    assert not np.array_equal(cut, hold_out_groups(groups, 0.2, 9)[1])


def test_groups_of_one_class_each_keep_the_class_shares() -> None:
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
