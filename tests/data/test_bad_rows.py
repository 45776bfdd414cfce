"""Unreadable rows: listed in an error, or skipped, counted and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from frames import splits_of

from mmzoo.data.bad_rows import apply_on_bad_row, bad_rows_error
from mmzoo.data.frame import ROW, Frame, Skipped, table_of
from mmzoo.errors import DataError


@pytest.fixture
def data() -> Frame:
    """Four rows to train on, two to validate, two to test."""
    names = {
        "train": [f"cat/{row}.jpg" for row in range(4)],
        "validation": ["dog/a.jpg", "dog/b\n.jpg"],
        "test": ["emu/a.jpg", "emu/b.jpg"],
    }
    columns = {
        split: {
            "file": np.arange(len(of)) + 0.5,
            "label": np.arange(len(of)),
            ROW: np.array(of),
        }
        for split, of in names.items()
    }
    return Frame(table_of(columns), name="photos", fingerprint="0" * 64)


Bad = Mapping[str, Mapping[int, str]]
BAD: Bad = {
    "train": {2: "it is cut short", 0: "it has no bytes"},
    "validation": {1: "it is a pipe"},
}


def with_bad(data: Frame, bad: Bad) -> Frame:
    return data.with_issues(
        {
            int(data.rows[split][row]): (None, why)
            for split in bad
            for row, why in bad[split].items()
        }
    )


def without_rows(data: Frame, bad: Bad) -> Frame:
    return apply_on_bad_row(with_bad(data, bad), "skip")


def test_dropped_rows_leave_all_columns_and_names(data: Frame) -> None:
    kept = without_rows(data, BAD)
    assert splits_of(kept)["train"]["file"].tolist() == [1.5, 3.5]
    assert splits_of(kept)["train"]["label"].tolist() == [1, 3]
    assert splits_of(kept)["validation"]["label"].tolist() == [0]
    assert splits_of(kept)["test"]["label"].tolist() == [0, 1]
    assert kept.row_names["train"].tolist() == ["cat/1.jpg", "cat/3.jpg"]
    assert kept.row_name(0) == "cat/1.jpg"
    assert data.examples("train") == 4


def test_rows_without_names_are_numbered_by_split(data: Frame) -> None:
    unnamed = replace(data, table=data.table.drop(ROW))
    assert [unnamed.row_name(row) for row in (0, 3, 4, 7)] == ["row 0", "row 3", "row 0", "row 1"]
    assert unnamed.row_names == {}


def test_issues_belong_to_their_split(data: Frame) -> None:
    test = with_bad(data, {**BAD, "test": {1: "it is a device"}}).split("validation", "test")
    assert test.splits == ("validation", "test")
    assert test.found_issues() == {1: (None, "it is a pipe"), 3: (None, "it is a device")}


def test_dropped_rows_are_listed_by_split_and_row(data: Frame) -> None:
    assert without_rows(data, BAD).skipped == (
        Skipped("cat/0.jpg", "train", "it has no bytes"),
        Skipped("cat/2.jpg", "train", "it is cut short"),
        Skipped(r"dog/b\n.jpg", "validation", "it is a pipe"),
    )


def test_rows_can_be_dropped_twice(data: Frame) -> None:
    again = without_rows(without_rows(data, BAD), {"test": {1: "it is a device"}})
    assert [row.file for row in again.skipped] == [
        *("cat/0.jpg", "cat/2.jpg", r"dog/b\n.jpg", "emu/b.jpg")
    ]


def test_the_fingerprint_depends_on_dropped_rows(data: Frame) -> None:
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


def test_data_without_bad_rows_are_unchanged(data: Frame) -> None:
    assert without_rows(data, {"train": {}}) is data
    assert apply_on_bad_row(data, "error") is data


def test_a_split_must_not_lose_all_rows(data: Frame) -> None:
    with pytest.raises(DataError) as caught:
        without_rows(data, {"test": {0: "it has no bytes", 1: "it is a pipe"}})
    assert str(caught.value) == (
        "photos: the test split would be empty, as none of its files can be read:\n"
        "  emu/a.jpg: it has no bytes\n"
        "  emu/b.jpg: it is a pipe\n"
        "Replace some of them."
    )


def test_dropped_rows_are_noted(data: Frame) -> None:
    bad = {**BAD, "train": dict.fromkeys(range(4), "it is empty")}
    del bad["train"][3]
    assert without_rows(data, bad).notes == (
        "photos: skipped 3 of 4 train examples that cannot be read: cat/0.jpg, cat/1.jpg, "
        "cat/2.jpg",
        r"photos: skipped 1 of 2 validation examples that cannot be read: dog/b\n.jpg",
    )


def test_a_class_must_not_lose_all_rows_to_train_on(data: Frame) -> None:
    named = replace(data, class_names={"label": ("cat", "dog", "emu", "fox")})
    with pytest.raises(DataError) as caught:
        without_rows(named, {"train": {2: "it is empty"}})
    assert str(caught.value) == (
        "photos: none of the 1 training files of class 'emu' can be read, such as cat/2.jpg. "
        "Replace "
        "some of them, or remove the class."
    )
    assert without_rows(named, {"test": {0: "it is empty"}}).examples("test") == 1


def test_the_policy_decides(data: Frame) -> None:
    assert len(apply_on_bad_row(with_bad(data, BAD), "skip").skipped) == 3
    with pytest.raises(DataError) as caught:
        apply_on_bad_row(with_bad(data, BAD), "error")
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
    lines = str(bad_rows_error("photos", rows)).splitlines()
    assert lines[0] == "photos: 1,200 files cannot be read:"
    assert lines[1:11] == [f"  {row}.jpg: it has no bytes" for row in range(10)]
    assert lines[11] == "  and 1,190 more"
    assert len(lines) == 13


def test_one_bad_row_is_one_file() -> None:
    lines = str(bad_rows_error("photos", [Skipped("a.jpg", "test", "it is a pipe")])).splitlines()
    assert lines == [
        "photos: 1 file cannot be read:",
        "  a.jpg: it is a pipe",
        "Replace or remove it, or write `on_bad_row: skip` into the config's source to go on "
        "without it.",
    ]
