"""Rows that cannot be read: named in an error, or left out, counted and listed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmzoo.errors import DataError
from mmzoo.sources import Data, Skipped, settled, unreadable, without_rows


@pytest.fixture
def data() -> Data:
    """Four rows to train on, two to validate, two to test; those of test have no names."""
    sizes = {"train": 4, "validation": 2, "test": 2}
    return Data(
        name="photos",
        fingerprint="0" * 64,
        splits={
            split: {"file": np.arange(size) + 0.5, "label": np.arange(size)}
            for split, size in sizes.items()
        },
        class_names={},
        notes=(),
        row_names={
            "train": np.array([f"cat/{row}.jpg" for row in range(4)]),
            "validation": np.array(["dog/a.jpg", "dog/b\n.jpg"]),
        },
    )


BAD = {"train": {2: "it is cut short", 0: "it has no bytes"}, "validation": {1: "it is a pipe"}}


def test_rows_leave_all_columns_and_names_of_their_split(data: Data) -> None:
    kept = without_rows(data, BAD)
    assert kept.splits["train"]["file"].tolist() == [1.5, 3.5]
    assert kept.splits["train"]["label"].tolist() == [1, 3]
    assert kept.splits["validation"]["label"].tolist() == [0]
    assert kept.splits["test"]["label"].tolist() == [0, 1]
    assert kept.row_names["train"].tolist() == ["cat/1.jpg", "cat/3.jpg"]
    assert data.examples("train") == 4


def test_rows_that_left_are_listed_by_split_and_row(data: Data) -> None:
    assert without_rows(data, BAD).skipped == (
        Skipped("cat/0.jpg", "train", "it has no bytes"),
        Skipped("cat/2.jpg", "train", "it is cut short"),
        Skipped(r"dog/b\n.jpg", "validation", "it is a pipe"),
    )


def test_rows_may_leave_twice(data: Data) -> None:
    again = without_rows(without_rows(data, BAD), {"test": {1: "it is a device"}})
    assert [row.file for row in again.skipped] == [
        *("cat/0.jpg", "cat/2.jpg", r"dog/b\n.jpg", "row 1")
    ]


def test_the_fingerprint_tells_which_rows_left(data: Data) -> None:
    first, other = ({"train": {row: "it has no bytes"}} for row in (0, 1))
    fingerprints = {
        data.fingerprint,
        without_rows(data, first).fingerprint,
        without_rows(data, other).fingerprint,
    }
    assert len(fingerprints) == 3
    assert all(len(fingerprint) == 64 for fingerprint in fingerprints)
    reworded = {"train": {0: "it is empty"}}
    assert without_rows(data, first).fingerprint == without_rows(data, reworded).fingerprint


def test_data_without_bad_rows_stay_as_they_are(data: Data) -> None:
    assert without_rows(data, {"train": {}}) is data
    assert settled(data, {}, "error") is data


def test_a_split_must_not_lose_all_rows(data: Data) -> None:
    with pytest.raises(DataError) as caught:
        without_rows(data, {"test": {0: "it has no bytes", 1: "it is a pipe"}})
    assert str(caught.value) == (
        "photos: nothing is left of its test split, as no file of it can be read:\n"
        "  row 0: it has no bytes\n"
        "  row 1: it is a pipe\n"
        "Replace some of them."
    )


def test_what_left_is_noted(data: Data) -> None:
    bad = {**BAD, "train": dict.fromkeys(range(4), "it is empty")}
    del bad["train"][3]
    assert without_rows(data, bad).notes == (
        "photos: left out 3 of 4 train examples that cannot be read: cat/0.jpg, cat/1.jpg, "
        "cat/2.jpg",
        r"photos: left out 1 of 2 validation examples that cannot be read: dog/b\n.jpg",
    )


def test_a_class_must_not_lose_all_rows_to_train_on(data: Data) -> None:
    named = replace(data, class_names={"label": ("cat", "dog", "emu", "fox")})
    with pytest.raises(DataError) as caught:
        without_rows(named, {"train": {2: "it is empty"}})
    assert str(caught.value) == (
        "photos: no file of class 'emu' can be read, of 1 to train on, such as cat/2.jpg. Replace "
        "some of them, or remove the class."
    )
    assert without_rows(named, {"test": {0: "it is empty"}}).examples("test") == 1


def test_the_policy_decides(data: Data) -> None:
    assert len(settled(data, BAD, "skip").skipped) == 3
    with pytest.raises(DataError) as caught:
        settled(data, BAD, "error")
    assert str(caught.value) == (
        "photos: 3 files cannot be read:\n"
        "  cat/0.jpg: it has no bytes\n"
        "  cat/2.jpg: it is cut short\n"
        "  dog/b\\n.jpg: it is a pipe\n"
        "Replace or remove them, or write `on_bad_row: skip` into the config's source to go on "
        "without them."
    )


def test_many_bad_rows_are_counted_and_ten_named() -> None:
    rows = [Skipped(f"{row}.jpg", "train", "it has no bytes") for row in range(1200)]
    lines = str(unreadable("photos", rows)).splitlines()
    assert lines[0] == "photos: 1,200 files cannot be read:"
    assert lines[1:11] == [f"  {row}.jpg: it has no bytes" for row in range(10)]
    assert lines[11] == "  and 1,190 more"
    assert len(lines) == 13


def test_one_bad_row_is_one_file() -> None:
    lines = str(unreadable("photos", [Skipped("a.jpg", "test", "it is a pipe")])).splitlines()
    assert lines == [
        "photos: 1 file cannot be read:",
        "  a.jpg: it is a pipe",
        "Replace or remove it, or write `on_bad_row: skip` into the config's source to go on "
        "without it.",
    ]
