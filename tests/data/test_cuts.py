"""The cut of a split: stratified, seeded, every row in exactly one part."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmzoo.data.split_assignment import fill_missing_splits
from mmzoo.data.splits import hold_out_random, hold_out_stratified
from mmzoo.errors import DataError

CLASSES = np.random.RandomState(0).permutation(np.repeat([0, 1, 2], [500, 300, 105]))


def test_every_row_is_in_exactly_one_part_and_in_order() -> None:
    kept, cut = hold_out_stratified(CLASSES, 0.1, seed=0)
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, cut])), np.arange(905))
    assert (np.diff(kept) > 0).all()
    assert (np.diff(cut) > 0).all()


def test_every_class_keeps_its_share() -> None:
    _, cut = hold_out_stratified(CLASSES, 0.1, seed=0)
    # 50, 30 and 10.5; the whole cut is round(90.5) rows, to the even side.
    assert np.bincount(CLASSES[cut]).tolist() == [50, 30, 10]


def test_rows_left_by_rounding_go_to_the_class_that_lost_most() -> None:
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
def test_a_cut_is_right(members: list[int], fraction: float, seed: int) -> None:
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
def test_a_class_too_small_for_its_share_has_one_example_in_each_part(
    fraction: float, taken: int
) -> None:
    _, cut = hold_out_stratified(CLASSES, fraction, seed=0)
    _, members = np.unique(CLASSES, return_counts=True)
    _, found = np.unique(CLASSES[cut], return_counts=True)
    assert (found == (taken if taken > 0 else members - 1)).all()


def test_a_class_of_one_example_cannot_be_cut() -> None:
    with pytest.raises(
        DataError,
        match=r"^class 1 has only one example, so it cannot be split: add ",
    ):
        hold_out_stratified(np.array([0, 0, 1]), 0.5, seed=0)


@given(rows=st.integers(2, 200), fraction=st.floats(0.001, 0.999), seed=st.integers(0, 99))
def test_a_random_cut_is_right(rows: int, fraction: float, seed: int) -> None:
    kept, cut = hold_out_random(rows, fraction, seed)
    assert sorted([*kept, *cut]) == list(range(rows))
    assert (np.diff(kept) > 0).all()
    assert (np.diff(cut) > 0).all()
    assert len(cut) == min(max(round(rows * fraction), 1), rows - 1)


def test_nothing_is_cut_off_a_single_row() -> None:
    with pytest.raises(DataError, match=r"^source\.test: a single example cannot be split"):
        fill_missing_splits("one", np.zeros(1, int), {"test": 0.2, "validation": 0.1}, 0)


def test_equal_values_of_a_group_stay_together() -> None:
    patient, shares = np.repeat(np.arange(50), 4), {"test": 0.2, "validation": 0.1}
    given = np.zeros(200, int)
    splits, _, notes = fill_missing_splits(
        "some", given, shares, 0, grouped_by="patient", groups=patient
    )
    patients = [set(patient[splits == split].tolist()) for split in range(3)]
    assert len(set.union(*patients)) == sum(map(len, patients)) == 50
    assert notes[0] == (
        "some has no test split: held out 40 of 200 training examples, grouped by patient, seed 0"
    )
