"""Splits of a table: by shares, a column, files or folds; rows in two splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from frames import bad_of, splits_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from mmzoo.column_spec import ColumnSpec, Role
from mmzoo.config import load_config
from mmzoo.data import Frame, Table, apply_on_bad_row, read_rows
from mmzoo.errors import DataError
from mmzoo.preprocessing import load_frame


def column_specs(**roles: Role) -> dict[str, ColumnSpec]:
    return {
        name: ColumnSpec(role, lambda random, rows: np.zeros(rows)) for name, role in roles.items()
    }


CLASSES = column_specs(text="text", kind="class")


def write(path: Path, **columns: list[Any]) -> Path:
    pl.DataFrame(columns, strict=False).write_csv(path)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """100 rows: three classes of 50, 30 and 20, ten groups, four folds."""
    return write(
        tmp_path / "a.csv",
        text=[f"row {number}" for number in range(1, 101)],
        kind=["a"] * 50 + ["b"] * 30 + ["c"] * 20,
        patient=[f"p{number % 10}" for number in range(100)],
        part=["train"] * 80 + ["Valid", "dev"] * 5 + ["TEST", "testing"] * 5,
        fold=[number % 4 + 8 for number in range(100)],
    )


def load(
    path: Path, roles: Mapping[str, ColumnSpec] = CLASSES, seed: int = 0, **fields: Any
) -> Frame:
    return Table.model_validate({"path": str(path), **fields}).read(roles, seed)


def rows(data: Frame) -> dict[str, list[int]]:
    return {split: names.tolist() for split, names in data.row_names.items()}


def every_row(data: Frame) -> list[int]:
    return sorted(row for its in rows(data).values() for row in its)


def sizes(data: Frame) -> list[int]:
    return [data.examples(split) for split in splits_of(data)]


def error_message(path: Path, roles: Mapping[str, ColumnSpec] = CLASSES, **fields: Any) -> str:
    with pytest.raises(DataError) as caught:
        load(path, roles, **fields)
    return str(caught.value).replace(f"{path.parent}/", "")


# Shares


def test_shares_hold_for_all_rows_and_each_class(table: Path) -> None:
    data = load(table, split={"validation": 0.2, "test": 0.3})
    assert sizes(data) == [50, 20, 30]
    for split, of_class in (("train", [25, 15, 10]), ("validation", [10, 6, 4])):
        assert np.bincount(splits_of(data)[split]["kind"]).tolist() == of_class
    assert data.notes == (
        "a.csv: held out 30 of 100 rows for test, stratified by class, seed 0",
        "a.csv: held out 20 of 100 rows for validation, stratified by class, seed 0",
    )
    assert every_row(data) == list(range(1, 101))


def test_the_seed_affects_validation_but_never_the_test(table: Path) -> None:
    first, other = rows(load(table)), rows(load(table, seed=1))
    assert first["test"] == other["test"]
    assert first["validation"] != other["validation"]
    assert load(table).fingerprint != load(table, seed=1).fingerprint


def test_without_classes_splits_are_random(table: Path) -> None:
    data = load(table, column_specs(text="text"))
    assert sizes(data) == [80, 10, 10]
    assert data.notes[0] == "a.csv: held out 10 of 100 rows for test, at random, seed 0"


def test_rows_keep_their_order_and_names(table: Path) -> None:
    for split, columns in splits_of(load(table)).items():
        names = load(table).row_names[split]
        assert (np.diff(names) > 0).all()
        assert columns["text"].tolist() == [f"row {name}" for name in names]


def test_groups_are_not_split(table: Path) -> None:
    data = load(table, split={"group": "patient"})
    groups = {split: {name % 10 for name in names} for split, names in rows(data).items()}
    assert sum(map(len, groups.values())) == 10
    assert sizes(data) == [80, 10, 10]
    assert "grouped by patient" in data.notes[0]
    assert list(splits_of(data)["train"]) == ["text", "kind"]


def test_groups_divided_by_a_split_column_are_reported(table: Path) -> None:
    data = load(table, split={"column": "part", "group": "patient"})
    assert data.notes == (
        "a.csv: 10 values of `patient` have rows in several splits, as `source.split` assigns "
        "them, such as 'p0'",
    )


def test_a_row_without_a_group_is_bad(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", text=list("abcdefgh"), group=["1", "2", None, *"34512"])
    data = load(path, column_specs(text="text"), split={"group": "group"})
    assert bad_of(data)["train"] == {rows(data)["train"].index(3): "its `group` is empty"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.lists(
        st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(0, 5)),
        min_size=1,
        max_size=60,
    ),
    validation=st.floats(0.05, 0.45),
    test=st.floats(0.05, 0.45),
    seed=st.integers(0, 2**32 - 1),
    grouped=st.booleans(),
    classes=st.booleans(),
    fold=st.none() | st.tuples(st.integers(1, 3), st.just(3)),
)
def test_any_table_is_refused_or_split_correctly(
    cells: list[tuple[str | None, int]],
    validation: float,
    test: float,
    seed: int,
    grouped: bool,
    classes: bool,
    fold: tuple[int, int] | None,
    tmp_path: Path,
) -> None:
    kinds, groups = zip(*cells, strict=True)
    count = len(cells)
    path = write(tmp_path / "a.csv", text=[f"t{n}" for n in range(count)], kind=kinds, group=groups)
    fields = {
        "split": {"validation": validation, "test": test} | ({"group": "group"} if grouped else {}),
        "fold": fold and {"index": fold[0], "of": fold[1]},
        "on_bad_row": "skip",
    }
    roles = CLASSES if classes else column_specs(text="text")
    try:
        data = load(path, roles, seed, **fields)
    except DataError:
        return
    found = rows(data)
    assert every_row(data) == list(range(1, count + 1))
    assert all(sizes(data))
    again = load(path, roles, seed, **fields)
    assert rows(again) == found
    assert again.fingerprint == data.fingerprint
    bad = {found[split][place] for split, its in bad_of(data).items() for place in its}
    if classes:
        assert {row for row in range(1, count + 1) if kinds[row - 1] is None} <= bad
        train = {kinds[row - 1] for row in found["train"]} - {None}
        assert tuple(sorted(train)) == data.class_names["kind"]  # type: ignore[type-var]
    else:
        assert not bad
    if grouped:
        of = [{groups[row - 1] for row in its if row not in bad} for its in found.values()]
        assert len(set.union(*of)) == sum(map(len, of))
    elif not classes and fold is None:
        assert abs(len(found["test"]) - count * test) <= 1
        assert abs(len(found["validation"]) - count * validation) <= 1


def test_the_only_row_of_a_class_is_a_training_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", text=list("abcdefg"), kind=list("xxxyyyz"))
    data = load(path)
    assert 7 in rows(data)["train"]
    assert sizes(data) == [3, 2, 2]
    assert data.notes[2:] == ("a.csv: 1 class has too few rows to be in every split: 'z' (1 row)",)
    path = write(tmp_path / "b.csv", text=list("abc"), kind=list("xyz"))
    assert error_message(path) == (
        "source.split.test: no class has two examples left, so none can be held out: add "
        "examples, or provide the splits"
    )


# A column


def test_a_column_assigns_the_split(table: Path) -> None:
    data = load(table, split={"column": "part"})
    assert {split: (its[0], its[-1]) for split, its in rows(data).items()} == {
        "train": (1, 80),
        "validation": (81, 90),
        "test": (91, 100),
    }
    assert data.notes == ()
    assert load(table, seed=1, split={"column": "part"}).fingerprint == data.fingerprint


def test_splits_missing_from_the_column_are_sampled_from_train(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", text=[f"{n}" for n in range(50)], part=["train", "test"] * 25)
    data = load(path, column_specs(text="text"), split={"column": "part", "validation": 0.2})
    assert sizes(data) == [20, 5, 25]
    assert data.notes == ("a.csv: held out 5 of 25 rows for validation, at random, seed 0",)
    one = load(
        path, column_specs(text="text"), split={"column": "part", "validation": 0.2, "test": 0.9}
    )
    assert rows(one) == rows(data)


def test_unknown_split_names_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", text=list("abcd"), part=["train", "tets", None, "fit"])
    assert error_message(path, column_specs(text="text"), split={"column": "part"}) == (
        "table a.csv: column `part`: 3 rows, the first of them row 2, have 'tets', an empty cell, "
        "'fit'. Expected train, validation (or valid, val, dev) or test in each."
    )
    path = write(tmp_path / "a.csv", text=["a", "b"], part=["test", "val"])
    assert "no row is `train`" in error_message(
        path, column_specs(text="text"), split={"column": "part"}
    )
    assert error_message(path, column_specs(text="text"), split={"column": "prat"}).startswith(
        "table a.csv has no column `prat`. Did you mean `part`? There are: text, part."
    )


# Files


def test_splits_can_be_files(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    train = write(tmp_path / "train.csv", text=[f"t{n}" for n in range(20)], kind=["a", "b"] * 10)
    test = write(tmp_path / "more" / "test.csv", kind=["b", "a", "b"], text=["x", "y", "z"])
    data = load(train, split={"files": {"test": str(test)}, "validation": 0.3})
    assert sizes(data) == [14, 6, 3]
    assert splits_of(data)["test"]["text"].tolist() == ["x", "y", "z"]
    assert splits_of(data)["test"]["kind"].tolist() == [1, 0, 1]
    assert data.row_names["test"][2] == "test.csv row 3"
    assert data.row_names["train"][0].startswith("train.csv row ")
    write(test, kind=["b", "a", "a"], text=["x", "y", "z"])
    assert load(train, split={"files": {"test": str(test)}}).fingerprint != data.fingerprint


def test_split_files_can_have_different_formats(tmp_path: Path) -> None:
    train = write(tmp_path / "train.csv", text=[f"t{n}" for n in range(20)], kind=[1, 2] * 10)
    frame = pl.DataFrame({"text": ["x", "y"], "kind": [2, 1]})
    frame.write_parquet(tmp_path / "test.parquet")
    data = load(train, split={"files": {"test": str(tmp_path / "test.parquet")}})
    assert data.class_names == {"kind": ("1", "2")}
    assert splits_of(data)["test"]["kind"].tolist() == [1, 0]


def test_a_problem_of_another_file_names_it(tmp_path: Path) -> None:
    train = write(tmp_path / "train.csv", text=[f"t{n}" for n in range(20)], kind=["a", "b"] * 10)
    other = tmp_path / "other.csv"
    fields = {"split": {"files": {"test": str(other)}}}
    assert error_message(train, **fields).startswith(
        "source.split.files.test: there is no file other.csv"
    )
    write(other, text=["x"], kid=["a"])
    assert error_message(train, **fields).startswith("table other.csv has no column `kind`")
    write(other, text=["x", "y"], kind=["a", None])
    data = load(train, **fields)
    with pytest.raises(DataError, match=r"other.csv row 2: its `kind` is empty"):
        apply_on_bad_row(data, "error")
    write(other, text=["x", "y"], kind=["c", "a"])
    data = load(train, **fields)
    assert data.class_names == {"kind": ("a", "b")}
    assert bad_of(data)["test"] == {0: "its `kind` has class 'c', which no training row has"}
    assert splits_of(apply_on_bad_row(data, "skip"))["test"]["kind"].tolist() == [0]
    pl.DataFrame({"text": [["x"]], "kind": ["a"]}).write_parquet(tmp_path / "list.parquet")
    fields = {"split": {"files": {"test": str(tmp_path / "list.parquet")}}}
    assert "column `text` is List(String), but in train.csv it is String" in error_message(
        train, **fields
    )


def test_labels_missing_from_training_are_refused(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        text=list("abcdef"),
        tags=["x|y", "y", "x", "y", "z|x", "z"],
        part=["train"] * 3 + ["val", "test", "test"],
    )
    data = load(path, column_specs(text="text", tags="labels"), split={"column": "part"})
    assert data.class_names == {"tags": ("x", "y")}
    assert splits_of(data)["test"]["tags"].tolist() == [[1, 0], [0, 0]]
    why = "its `tags` has label 'z', which no training row has"
    assert bad_of(data)["test"] == {0: why, 1: why}


@pytest.mark.parametrize(
    ("role", "fields"),
    [
        ("labels", {"fold": {"index": 4, "of": 4}}),
        ("labels", {"split": {"validation": 0.3}}),
        ("class", {"split": {"group": "kind"}}),
    ],
)
def test_splits_do_not_change_once_classes_are_fitted(
    tmp_path: Path, role: Role, fields: dict[str, Any]
) -> None:
    """Rows with a class or label that only another split has are dropped; no other row moves."""
    kinds = [("a", "b")[row % 2] for row in range(40)]
    kinds[13] = "rare" if role == "class" else "a|rare"
    path = write(tmp_path / "a.csv", text=list(range(40)), kind=kinds)
    bad = 0
    for seed in range(12):
        roles = column_specs(text="text", kind=role)
        first = load(path, roles, seed, on_bad_row="skip", **fields)
        bad += sum(map(len, bad_of(first).values()))
        found = {**roles, "kind": replace(roles["kind"], names=first.class_names["kind"])}
        again = load(path, found, seed, on_bad_row="skip", **fields)
        assert again.fingerprint == first.fingerprint
        for split, columns in splits_of(first).items():
            assert set(bad_of(again)[split]) == set(bad_of(first)[split])
            np.testing.assert_array_equal(splits_of(again)[split]["kind"], columns["kind"])
    assert bad


def test_a_row_of_an_excluded_class_is_skipped(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", text=list(range(41)), kind=["a", "b"] * 20 + ["c"])
    roles = column_specs(text="text", kind="class")
    roles["kind"] = replace(roles["kind"], names=("b", "a"))
    data = load(path, roles)
    assert data.class_names == {"kind": ("b", "a")}
    why = "its `kind` has class 'c', expected one of the classes 'b', 'a'"
    assert [one for rows in bad_of(data).values() for one in rows.values()] == [why]
    left = apply_on_bad_row(data, "skip")
    assert every_row(left) == list(range(1, 41))
    for split, numbers in rows(left).items():
        assert splits_of(left)[split]["kind"].tolist() == [number % 2 for number in numbers]


# Folds


def test_the_only_row_of_a_class_is_in_no_test_fold(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", text=list("abcdefghi"), kind=list("xxxxyyyyz"))
    tested = [rows(load(path, fold={"index": n, "of": 3}))["test"] for n in (1, 2, 3)]
    assert sorted(row for its in tested for row in its) == list(range(1, 9))


def test_folds_test_each_row_once_for_any_seed(table: Path) -> None:
    tests = []
    for index in range(1, 6):
        data = load(table, seed=index, fold={"index": index, "of": 5})
        assert sizes(data) == [72, 8, 20]
        assert np.bincount(splits_of(data)["test"]["kind"]).tolist() == [10, 6, 4]
        assert data.notes[0] == f"a.csv: fold {index} of 5 is the test split"
        tests += rows(data)["test"]
    assert sorted(tests) == list(range(1, 101))


def test_folds_do_not_split_groups(table: Path) -> None:
    tests = []
    for index in range(1, 4):
        data = load(table, fold={"index": index, "of": 3}, split={"group": "patient"})
        groups = {split: {name % 10 for name in names} for split, names in rows(data).items()}
        assert sum(map(len, groups.values())) == 10
        tests += rows(data)["test"]
    assert sorted(tests) == list(range(1, 101))


def test_a_column_can_assign_the_folds(table: Path) -> None:
    # They are called 8, 9, 10 and 11, in this order.
    data = load(table, split={"folds": "fold"}, fold={"index": 3, "of": 4})
    assert rows(data)["test"] == list(range(3, 101, 4))
    assert error_message(table, split={"folds": "fold"}, fold={"index": 3, "of": 5}) == (
        "table a.csv: column `fold` has 4 folds, '8', '9', '10', '11'; `source.fold.of` is 5."
    )


def test_too_few_rows_or_groups_for_folds(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", text=["a", "b", "c"], group=["x", "x", "y"])
    roles = column_specs(text="text")
    assert error_message(path, roles, fold={"index": 1, "of": 5}) == (
        "source.fold: 3 rows cannot be split into 5 folds."
    )
    assert error_message(path, roles, fold={"index": 1, "of": 3}, split={"group": "group"}) == (
        "source.fold: 2 groups cannot be split into 3 folds."
    )


# Duplicates


@pytest.fixture
def repeated(tmp_path: Path) -> Path:
    """Rows 1, 2 and 3 of train also occur in validation, in test, and in both."""
    return write(
        tmp_path / "a.csv",
        text=["a", "b", "c", "d", "e", "d", "a", "c", "v", "b", "c", "t", None, None],
        more=["1"] * 14,
        kind=["x", "y"] * 7,
        part=["train"] * 6 + ["val"] * 3 + ["test"] * 3 + ["train", "test"],
    )


SPLIT = {"column": "part"}


INPUTS = {"text": {"type": "text", "encoder": {"type": "embedding"}}}


def load_all(
    path: Path, inputs: Mapping[str, Any] = INPUTS, head: str = "kind", **fields: Any
) -> Frame:
    """The frame that a training reads, after scanning."""
    source = {"type": "table", "path": str(path), **fields}
    heads = {head: {"type": "classification"}}
    config = {"name": "t", "source": source, "inputs": inputs, "heads": heads}
    return load_frame(load_config(config).with_columns())


def test_rows_in_two_splits_are_reported(repeated: Path) -> None:
    data = load_all(repeated, split=SPLIT, on_bad_row="skip")
    assert sizes(data) == [6, 3, 3]
    assert data.notes[-1] == (
        "a.csv: rows with the same inputs are in two splits, so scores may be too good: "
        "2 train rows are in test too: row 2 (as row 10), row 3 (as row 11); "
        "2 train rows are in validation too: row 1 (as row 7), row 3 (as row 8); "
        "1 validation row is in test too: row 8 (as row 11). "
        "`on_duplicate: drop` drops them"
    )


def test_rows_in_two_splits_can_be_refused(repeated: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_all(repeated, split=SPLIT, on_duplicate="error", on_bad_row="skip")
    assert str(caught.value).startswith(
        "a.csv: rows with the same inputs are in two splits:\n"
        "  2 train rows are in test too: row 2 (as row 10), row 3 (as row 11)\n"
    )


def test_rows_in_two_splits_can_be_dropped_from_the_one_nearer_to_training(repeated: Path) -> None:
    data = load_all(repeated, split=SPLIT, on_duplicate="drop", on_bad_row="skip")
    assert rows(data) == {"train": [4, 5, 6], "validation": [7, 9], "test": [10, 11, 12]}
    assert data.notes[-1].startswith("a.csv: dropped rows whose inputs are in a later split too: ")
    assert data.fingerprint != load_all(repeated, split=SPLIT, on_bad_row="skip").fingerprint
    assert data.class_names == {"kind": ("x", "y")}


def test_all_inputs_must_be_equal(repeated: Path) -> None:
    inputs = {
        "text": {**INPUTS["text"], "missing": "learned"},
        "more": {"type": "tabular", "columns": {"more": "number"}},
    }
    # Of rows 13 and 14 one input is missing, and the other equal.
    assert "3 train rows are in test" in str(load_all(repeated, inputs, split=SPLIT).notes)
    frame = pl.read_csv(repeated).with_columns(more=pl.int_range(14))
    frame.write_csv(repeated)
    assert "in two splits" not in str(load_all(repeated, inputs, split=SPLIT).notes)


def test_duplicates_are_compared_as_the_model_reads_them(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        text=["Café", "Cafe\u0301 ", "tea", "tea", "milk", "milk", "milk"],
        n=["1", "1.0", "01", "1.00", "-0", "0", "2"],
        code=["7", "7.0", "True", "true", "07", "07", "7"],
        kind=["x", "y", "y", "x", "x", "y", "x"],
        part=["train", "test", "train", "test", "train", "test", "val"],
    )
    inputs = {
        **INPUTS,
        "more": {"type": "tabular", "columns": {"n": "number", "code": "category"}},
    }
    note = load_all(path, inputs, split=SPLIT).notes[-1]
    assert "3 train rows are in test too: row 1 (as row 2), row 3 (as row 4), row 5" in note


def test_a_split_or_class_of_duplicates_only_is_refused(tmp_path: Path) -> None:
    text, path = list("abaxb"), tmp_path / "a.csv"
    write(path, text=text, kind=list("xxxyy"), part=["train", "val", "test", "train", "test"])
    with pytest.raises(DataError) as caught:
        load_all(path, split=SPLIT, on_duplicate="drop")
    assert str(caught.value) == (
        "a.csv: its validation split is empty after dropping duplicates, as test has all of its "
        "rows too."
    )
    write(path, text=text, kind=list("xyxxy"), part=["train", "train", "val", "train", "test"])
    with pytest.raises(DataError, match=r"class 'y' has no training row after dropping duplic"):
        load_all(path, split=SPLIT, on_duplicate="drop")


def test_spellings_of_one_group_or_fold_are_equal(tmp_path: Path) -> None:
    patients = [str(number // 4) for number in range(80)]
    path = write(
        tmp_path / "a.csv",
        text=[f"row {number}" for number in range(80)],
        kind=["a", "b"] * 40,
        patient=[f"{one}.0" if row % 2 else one for row, one in enumerate(patients)],
        fold=[("1", "1.0", "2", "2.0")[row % 4] for row in range(80)],
    )
    data = load(path, split={"group": "patient"})
    found = [{patients[row - 1] for row in its} for its in rows(data).values()]
    assert len(set.union(*found)) == sum(map(len, found)) == 20
    data = load(path, split={"folds": "fold"}, fold={"index": 2, "of": 2})
    assert rows(data)["test"] == [row for row in range(1, 81) if row % 4 in (3, 0)]


@pytest.mark.parametrize("fold", [None, 1, 2, 3])
def test_the_only_groups_of_a_class_are_for_training(tmp_path: Path, fold: int | None) -> None:
    """Class c is in one group, and d in a part of two groups that are equal otherwise."""
    group = [number // 5 for number in range(60)]
    kind = ["c" if one == 4 else "ab"[one % 2] for one in group]
    kind[10] = kind[35] = "d"
    path = write(tmp_path / "a.csv", text=[f"row {n}" for n in range(60)], kind=kind, patient=group)
    folds = {"fold": {"index": fold, "of": 3}} if fold else {}
    data = load(path, split={"group": "patient"}, **folds)
    assert data.class_names["kind"] == ("a", "b", "c", "d")
    assert data.issues.is_empty()
    found = {split: {group[row - 1] for row in its} for split, its in rows(data).items()}
    assert sum(map(len, found.values())) == 12
    assert 4 in found["train"]
    assert all(found.values())
    if not fold:
        assert data.notes[2] == (
            "a.csv: 2 classes have too few groups to be in every split: 'c' (1 group), 'd' (2 "
            "groups)"
        )


def test_whitespace_around_a_class_does_not_count(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", text=list("abcdefgh") * 5, kind=["x", "y ", "y ", "x"] * 10)
    assert load(path).class_names["kind"] == ("x", "y")


def test_large_whole_numbers_stay_exact_beside_a_file_of_floats(tmp_path: Path) -> None:
    ids = [1_582_218_195_625_938_903 - row % 10 for row in range(40)]
    text = [f"row {row}" for row in range(40)]
    kind = ["a", "b"] * 20
    pl.DataFrame({"text": text, "kind": kind, "g": ids}).write_parquet(tmp_path / "a.parquet")
    later = pl.DataFrame({"text": ["x", "y"], "kind": ["a", "b"], "g": [7.0, None]})
    later.write_parquet(tmp_path / "b.parquet")
    split = {"files": {"test": str(tmp_path / "b.parquet")}, "group": "g"}
    data = load(
        tmp_path / "a.parquet", column_specs(text="text", kind="class", g="category"), split=split
    )
    assert data.table["g"].to_list() == [*map(str, ids), "7", None]
    assert not any("have rows in several splits" in note for note in data.notes)


@pytest.mark.parametrize(
    ("trained", "later"),
    [
        (["0", "1"], ["0.0", "1.0"]),
        (["1", "7"], ["1.00", "7.000"]),
        (["True", "False"], ["true", "FALSE"]),
    ],
)
def test_spellings_of_one_class_are_equal(
    tmp_path: Path, trained: list[str], later: list[str]
) -> None:
    text = [f"row {number}" for number in range(40)]
    path = write(tmp_path / "a.csv", text=text, kind=trained * 20)
    data = load(path)
    names = data.class_names["kind"]
    assert set(names) == set(trained)  # As the table spells them.
    newer = write(tmp_path / "b.csv", text=text, kind=later * 20)
    known = {**CLASSES, "kind": replace(CLASSES["kind"], names=names)}
    found = read_rows(str(newer), known)
    assert found.issues.is_empty()
    assert [names[index] for index in found.table["kind"]] == trained * 20


def test_spellings_of_one_class_in_a_table_are_one_class_with_a_note(tmp_path: Path) -> None:
    kinds = ["Café"] * 3 + ["Cafe\u0301"] * 2 + ["Tea"] * 5
    path = write(tmp_path / "a.csv", text=[f"row {n}" for n in range(40)], kind=kinds * 4)
    data = load(path)
    assert data.class_names["kind"] == ("Café", "Tea")
    assert data.table["kind"].value_counts().sort("kind")["count"].to_list() == [20, 20]
    assert data.notes[-1] == (
        "a.csv: `kind`: 'Café' and 'Cafe\u0301' (composed and decomposed Unicode) are spellings of "
        "one value, and count as one"
    )


# Bad rows


@pytest.mark.parametrize("folder", [False, True])
def test_a_corrupt_file_is_never_drawn_into_a_split(tmp_path: Path, folder: bool) -> None:
    """Splits are drawn from the files that can be decoded, so that none loses a class."""
    root = tmp_path / "photos"
    for kind in "ab":
        (root / kind).mkdir(parents=True)
        for number in range(10):
            pixels = np.random.RandomState(number).randint(0, 256, (8, 8, 3), "uint8")
            Image.fromarray(pixels + (kind == "b")).save(root / kind / f"{number}.png")
    files = [f"{kind}/{number}.png" for kind in "ab" for number in range(10)]
    if not folder:
        table = write(root / "t.csv", file=files, label=[name[0] for name in files])
    source = {"type": "folder", "path": str(root), "test": 0.1}
    if not folder:
        source = {"type": "table", "path": str(table)}
    image = {"type": "image", "column": "file", "shape": [8, 8, 3]}
    image["encoder"] = {"type": "cnn", "filters": [4]}
    config = {
        "name": "t",
        "source": {**source, "on_bad_row": "skip"},
        "inputs": {"photo": image},
        "heads": {"label": {"type": "binary"}},
    }

    def drawn() -> dict[str, list[str]]:
        frame = load_frame(load_config(config).with_columns())
        names = frame.table.with_columns(pl.col("file").str.replace(f"{root}/", "").alias("n"))
        return {name: frame.values("label", name).to_list() for name in frame.splits} | {
            "names": sorted(names.filter(pl.col("mmzoo.split") != "train")["n"])
        }

    first = drawn()
    assert sorted(first["test"]) == sorted(first["validation"]) == [0, 1]
    for name in first["names"]:  # Damages all that were drawn.
        path = root / name
        path.write_bytes(path.read_bytes()[:-40])
    second = drawn()
    assert sorted(second["test"]) == sorted(second["validation"]) == [0, 1]
    assert not set(second["names"]) & set(first["names"])
    assert sum(len(second[split]) for split in ("train", "validation", "test")) == 16


def test_bad_rows_are_named_by_number(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,kind\n" + "x,a\ny,b\n" * 10 + "z\nw,\n\nv,a,b\n")
    data = load(path)
    with pytest.raises(DataError) as caught:
        apply_on_bad_row(data, "error")
    assert str(caught.value) == (
        "a.csv: 3 rows cannot be used:\n"
        "  row 21: it has 1 cell, and the header has 2\n"
        "  row 22: its `kind` is empty\n"
        "  row 23: it has 3 cells, and the header has 2\n"
        "Fix or remove them, or write `on_bad_row: skip` into the config's source to go on "
        "without them."
    )
    left = apply_on_bad_row(data, "skip")
    assert sum(sizes(left)) == 20
    assert [skipped.file for skipped in left.skipped] == ["row 21", "row 22", "row 23"]
    assert left.notes[-1] == (
        "a.csv: skipped 3 of 19 train examples that cannot be used: row 21, row 22, row 23"
    )


def test_bad_rows_do_not_change_other_rows_splits(table: Path) -> None:
    before = load(table)
    with table.open("a") as file:
        file.write("no class,,p0,train,8\n" * 3)
    after = load(table)
    assert {split: [n for n in its if n <= 100] for split, its in rows(after).items()} == rows(
        before
    )
    assert list(bad_of(after)["train"].values()) == ["its `kind` is empty"] * 3


def test_bad_rows_are_reported_before_a_failing_split(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", text=list("abc"), price=["x", "y", "1"])
    message = error_message(path, column_specs(text="text", price="number"))
    assert message.startswith(
        "a.csv: 2 rows cannot be used:\n  row 1: its `price` is 'x', expected"
    )


# The spec


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"split": {"validation": 0.5, "test": 0.5}}, "leave rows to train on"),
        ({"split": {"validation": 0.0}}, "greater than 0"),
        ({"split": {"column": "a", "folds": "b"}, "fold": {"index": 1}}, "none with `column`"),
        ({"split": {"files": {}}}, "expected a file for `validation` or `test`"),
        ({"split": {"folds": "b"}}, "expected one with `split.folds`"),
        ({"split": {"column": "b"}, "fold": {"index": 1}}, "none with `split.column`"),
        ({"fold": {"index": 11, "of": 10}}, "at most 10"),
        ({"separator": "é"}, "expected one ASCII character"),
        ({"separator": "\\t"}, r"in double quotes for a tab; got text"),
        ({"path": "a\0b"}, "cannot hold"),
    ],
)
def test_an_inconsistent_source_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Table.model_validate({"path": "a.csv", **fields})


# Real data


def test_movie_reviews_have_ten_official_folds(real_data: Path) -> None:
    path = real_data / "text" / "mr.csv"
    roles = column_specs(text="text", label_name="class")
    tests = []
    for index in (1, 10):
        data = load(path, roles, split={"folds": "fold"}, fold={"index": index, "of": 10})
        tests.append(set(rows(data)["test"]))
        assert data.class_names == {"label_name": ("negative", "positive")}
    official = pl.read_csv(path)["fold"]
    assert tests[0] == {row + 1 for row in (official == 0).arg_true().to_list()}
    assert tests[1] == {row + 1 for row in (official == 9).arg_true().to_list()}


def test_sentences_have_official_splits_that_share_three(real_data: Path) -> None:
    path = real_data / "text" / "sst2.csv"
    data = load_all(path, head="label", split={"column": "split"})
    assert sizes(data) == [6920, 872, 1821]
    assert "3 train rows are in test too" in data.notes[0]


def test_decimals_of_parquet_equal_the_numbers_of_a_csv(tmp_path: Path) -> None:
    text = [f"row {number}" for number in range(40)]
    path = write(tmp_path / "a.csv", text=text, kind=["7", "8.5"] * 20)
    names = load(path).class_names["kind"]
    newer = pl.DataFrame({"text": text, "kind": ["7.00", "8.50"] * 20})
    newer.cast({"kind": pl.Decimal(10, 2)}).write_parquet(tmp_path / "b.parquet")
    known = {**CLASSES, "kind": replace(CLASSES["kind"], names=names)}
    found = read_rows(str(tmp_path / "b.parquet"), known)
    assert found.issues.is_empty()
    assert found.table["kind"].to_list() == [0, 1] * 20


def test_ids_as_decimals_stay_exact(tmp_path: Path) -> None:
    ids = pl.Series("g", [1_582_218_195_625_938_903 - row for row in range(40)])
    table = pl.DataFrame({"text": ids.cast(pl.String), "kind": ["a", "b"] * 20, "g": ids})
    table.cast({"g": pl.Decimal(20, 0)}).write_parquet(tmp_path / "a.parquet")
    data = load(tmp_path / "a.parquet", column_specs(text="text", kind="class", g="value"))
    assert data.table["g"].n_unique() == 40


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_ids_that_a_file_stores_as_floats_are_warned_about(tmp_path: Path, name: str) -> None:
    ids = [1_582_218_195_625_938_903 - row for row in range(40)]
    table = pl.DataFrame({"text": list(map(str, ids)), "kind": ["a", "b"] * 20, "g": ids})
    if name == "a.csv":
        table.write_csv(tmp_path / name)
    else:
        table.write_parquet(tmp_path / name)
    later = table.head(2).cast({"g": pl.Float64})
    later.write_parquet(tmp_path / "b.parquet")
    split = {"files": {"test": str(tmp_path / "b.parquet")}, "group": "g"}
    [warning] = load(tmp_path / name, split=split).warnings
    assert warning.startswith(f"{name}: `g`: numbers beyond 2^53 are stored as floats")
