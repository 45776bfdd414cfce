"""The source `table`: columns, types and bad rows."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import zstandard
from frames import bad_of, read_frame, splits_of

from mmzoo.column_spec import ColumnSpec, Role
from mmzoo.data import Frame, Table, TableFormat, apply_on_bad_row, parse_columns, read_rows
from mmzoo.errors import DataError
from mmzoo.missing_values import label_array

ROWS = 60


def column_specs(**roles: Role) -> dict[str, ColumnSpec]:
    return {
        column: ColumnSpec(role, lambda random, rows: np.zeros(rows))
        for column, role in roles.items()
    }


def columns(rows: int = ROWS) -> dict[str, list[Any]]:
    return {
        "id": [f"{number:04}" for number in range(rows)],
        "text": [f'Row "{number}", said she' for number in range(rows)],
        "age": [number / 4 for number in range(rows)],
        "day": [f"2024-01-{number % 28 + 1:02}" for number in range(rows)],
        "kind": ["abc"[number % 3] for number in range(rows)],
        "tags": [["x", "y"][: number % 3] for number in range(rows)],
    }


ALL = column_specs(text="text", id="value", age="value", day="value", kind="class", tags="labels")


def write(path: Path, table: Mapping[str, list[Any]]) -> Path:
    """A table in the format of its name; lists are joined where cells are text."""
    frame = pl.DataFrame(table, strict=False)
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    elif path.suffix == ".jsonl":
        frame.write_ndjson(path)
    else:
        lists = [name for name, kind in frame.schema.items() if kind.is_nested()]
        joined = [
            pl.when(pl.col(name).list.len() == 0)
            .then(pl.lit("|"))
            .otherwise(pl.col(name).list.join("|"))
            .alias(name)
            for name in lists
        ]
        frame.with_columns(joined).write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
    return path


def load(path: Path, roles: Mapping[str, ColumnSpec] = ALL, seed: int = 0, **fields: Any) -> Frame:
    return Table.model_validate({"path": str(path), **fields}).read(roles, seed)


def joined(data: Frame, column: str) -> list[Any]:
    """A column of all splits in the order of the table."""
    rows = np.concatenate([data.row_names[split] for split in splits_of(data)])
    values = np.concatenate([columns[column] for columns in splits_of(data).values()])
    return values[np.argsort(rows)].tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_every_format_reads_the_same_values(tmp_path: Path, name: str) -> None:
    data = load(write(tmp_path / name, columns()))
    assert data.name == name
    assert [data.examples(split) for split in splits_of(data)] == [48, 6, 6]
    assert joined(data, "text") == columns()["text"]
    assert joined(data, "id") == columns()["id"]
    assert joined(data, "age") == columns()["age"]
    assert joined(data, "kind") == [number % 3 for number in range(ROWS)]
    assert joined(data, "tags") == [[0, 0], [1, 0], [1, 1]] * 20
    assert data.class_names == {"kind": ("a", "b", "c"), "tags": ("x", "y")}
    kinds = {column: values.dtype for column, values in splits_of(data)["test"].items()}
    assert kinds == {
        "text": object,
        "id": object,
        "age": np.float64,
        "day": np.dtype("datetime64[us]"),
        "kind": np.int64,
        "tags": np.uint8,
    }
    assert joined(data, "day")[1].isoformat() == "2024-01-02T00:00:00"
    assert bad_of(data) == {"train": {}, "validation": {}, "test": {}}


def test_another_table_is_read_as_one_split(tmp_path: Path) -> None:
    path = write(tmp_path / "new.csv", columns() | {"price": ["abc", *range(1, ROWS)]})
    data = read_rows(str(path), column_specs(text="text", price="number"), split="new")
    assert list(splits_of(data)) == ["new"]
    np.testing.assert_array_equal(splits_of(data)["new"]["price"], [np.nan, *range(1, ROWS)])
    assert splits_of(data)["new"]["price"].dtype == np.float64
    assert bad_of(data) == {"new": {0: "its `price` is 'abc', expected a number"}}
    assert data.row_name(1) == "row 2"
    frame = read_frame(str(path))
    assert frame["id"].to_list() == columns()["id"]
    with pytest.raises(
        DataError, match=r"^new.csv: 1 row cannot be used:\n  row 1: its `price` is"
    ):
        apply_on_bad_row(data, "error")
    assert splits_of(apply_on_bad_row(data, "skip"))["new"]["price"][0] == 1


# What is made of cells


def values(
    tmp_path: Path, role: Role, cells: list[Any], name: str = "a.jsonl", **fields: Any
) -> Frame:
    """One column, in one split."""
    path = write(tmp_path / name, {"x": cells, "other": ["y"] * len(cells)})
    return read_rows(str(path), column_specs(x=role), "all", TableFormat.model_validate(fields))


def made(data: Frame) -> list[Any]:
    return splits_of(data)["all"]["x"].tolist()  # type: ignore[no-any-return]


def test_text_is_verbatim_or_null(tmp_path: Path) -> None:
    cells = [" a ", "", None, "1", "NaN", "é\n\"'|", "0"]
    assert made(values(tmp_path, "text", cells)) == [" a ", None, None, "1", "NaN", "é\n\"'|", "0"]
    assert made(values(tmp_path, "text", cells, "a.csv")) == made(values(tmp_path, "text", cells))
    assert bad_of(values(tmp_path, "text", cells)) == {"all": {}}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", " 2.5 ", "-3e2", None], [1, 2.5, -300, np.nan]),
        (["1", "nan", "+.5"], [1, np.nan, 0.5]),
        (["1", "x", "2"], ["1", "x", "2"]),
        (["01", "2", "3"], ["01", "2", "3"]),
        (["0.5", "-0", "0"], [0.5, -0.0, 0]),
        (["inf", "1", "2"], ["inf", "1", "2"]),
        (["1_0", "1", "2"], ["1_0", "1", "2"]),
        (["nan", "NaN"], ["nan", "NaN"]),
        ([None, None], [None, None]),
        (["true", "false"], ["true", "false"]),
        ([True, False, None], ["true", "false", None]),
        ([1, 2, None], [1, 2, np.nan]),
        ([1.5, None], [1.5, np.nan]),
    ],
)
def test_a_column_is_numeric_if_all_values_are(
    tmp_path: Path, cells: list[Any], expected: list[Any]
) -> None:
    found = splits_of(values(tmp_path, "value", cells))["all"]["x"]
    assert found.dtype == (object if isinstance(expected[0], str | None) else np.float64)
    np.testing.assert_array_equal(found, np.array(expected, found.dtype))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["2024-02-29", None], ["2024-02-29T00:00:00.000000", "NaT"]),
        (
            ["2024-02-29 12:30", "2024-02-29"],
            ["2024-02-29T12:30:00.000000", "2024-02-29T00:00:00.000000"],
        ),
        (["2024-02-29T12:30:01.25+02:00"], ["2024-02-29T10:30:01.250000"]),
        (["2024-02-29T12:30:01Z"], ["2024-02-29T12:30:01.000000"]),
    ],
)
def test_a_column_is_temporal_if_all_values_are(
    tmp_path: Path, cells: list[Any], expected: list[str]
) -> None:
    found = splits_of(values(tmp_path, "value", cells))["all"]["x"]
    assert found.dtype == "datetime64[us]"
    assert [str(one) for one in found] == expected
    assert made(values(tmp_path, "value", ["2023-02-29"])) == [
        "2023-02-29"
    ]  # There is no such day.


def test_typed_times_are_utc(tmp_path: Path) -> None:
    when = pl.Series(["2024-02-29T12:00:00"]).str.to_datetime(time_zone="UTC")
    frame = pl.DataFrame({"x": when.dt.convert_time_zone("Asia/Tokyo")})
    frame.write_parquet(tmp_path / "a.parquet")
    data = read_rows(str(tmp_path / "a.parquet"), column_specs(x="value"), "all")
    assert str(splits_of(data)["all"]["x"][0]) == "2024-02-29T12:00:00.000000"


def test_a_few_non_numeric_cells_are_reported(tmp_path: Path) -> None:
    data = values(tmp_path, "value", [*map(str, range(19)), "n/a"])
    assert data.notes == (
        "a.jsonl: `x`: 1 of 20 cells are not numbers, such as 'n/a'; inferred as text",
    )
    assert values(tmp_path, "value", ["1", "a", "b"]).notes == ()


def test_other_texts_can_mark_missing_values(tmp_path: Path) -> None:
    data = values(tmp_path, "value", ["1", "NA", "?", "", "2"], "a.csv", missing_values=("NA", "?"))
    np.testing.assert_array_equal(splits_of(data)["all"]["x"], [1, np.nan, np.nan, np.nan, 2])


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_classes_are_sorted_alphabetically_or_numerically(tmp_path: Path, name: str) -> None:
    assert values(tmp_path, "class", ["b", "a", "B", "10"], name).class_names == {
        "x": ("10", "B", "a", "b")
    }
    data = values(tmp_path, "class", ["10", "9", "-1", "9"], name)
    assert data.class_names == {"x": ("-1", "9", "10")}
    assert made(data) == [2, 1, 0, 1]
    assert splits_of(data)["all"]["x"].dtype == np.int64


def test_integer_classes_have_no_decimals(tmp_path: Path) -> None:
    assert values(tmp_path, "class", [1.0, None, 2.0]).class_names == {"x": ("1", "2")}
    assert values(tmp_path, "class", [0.5, 2.0]).class_names == {"x": ("0.5", "2.0")}
    assert values(tmp_path, "class", [True, False]).class_names == {"x": ("false", "true")}


@pytest.mark.parametrize("on_bad_row", ["error", "skip"])
def test_a_table_of_unknown_classes_is_refused_in_one_line(tmp_path: Path, on_bad_row: Any) -> None:
    path = write(tmp_path / "a.csv", {"x": ["good", "bad", "good", "cat", "ugly"] * 20})
    one = ColumnSpec("class", lambda random, rows: np.zeros(rows), ("dog", "cat"))
    data = read_rows(str(path), {"x": one}, "all")
    with pytest.raises(DataError) as caught:
        apply_on_bad_row(data, on_bad_row)
    assert str(caught.value) == (
        "a.csv: 80 of 100 rows have an unknown class in `x`: 'good', 'bad', 'ugly'. Expected the "
        "classes 'dog', 'cat': is this the right table?"
    )


def test_a_row_with_no_class_or_an_unknown_one_is_bad(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", {"x": ["cat", None, "dog", "fox"]})
    one = ColumnSpec("class", lambda random, rows: np.zeros(rows), ("dog", "cat"))
    data = read_rows(str(path), {"x": one}, "all")
    assert made(data) == [1, -1, 0, -1]
    assert data.class_names == {"x": ("dog", "cat")}
    assert bad_of(data)["all"] == {
        1: "its `x` is empty",
        3: "its `x` has class 'fox', expected one of the classes 'dog', 'cat'",
    }


def test_similar_looking_classes_are_reported(tmp_path: Path) -> None:
    assert values(tmp_path, "class", ["Cat", "cat ", "dog"]).notes == (
        "a.jsonl: `x`: 'Cat' and 'cat' differ only in case, whitespace or invisible characters, "
        "and count as different",
    )


def test_classes_that_differ_in_invisible_characters_are_reported(tmp_path: Path) -> None:
    for one, other in (("cat", "cat\u200b"), ("1", "\uff11"), ("a b", "a\u00a0b")):
        data = values(tmp_path, "class", [one, other, "dog"])
        assert len(data.class_names["x"]) == 3
        assert "differ only in case, whitespace or invisible characters" in data.notes[0]


def label_cells(tmp_path: Path, cells: list[Any], separator: str = "|") -> Frame:
    path = write(tmp_path / "a.csv", {"x": cells, "other": ["y"] * len(cells)})
    spec = ColumnSpec("labels", lambda random, rows: np.zeros(rows), separator=separator)
    return read_rows(str(path), {"x": spec}, "all")


def test_labels_are_split_at_the_separator(tmp_path: Path) -> None:
    data = label_cells(tmp_path, ["b; a", "a", ";", None], ";")
    assert made(data) == [[1, 1], [1, 0], [0, 0], [-1, -1]]
    assert data.class_names == {"x": ("a", "b")}
    assert bad_of(data)["all"] == {3: "its `x` is empty"}
    assert made(values(tmp_path, "labels", [["b", "a"], ["a", "a"], [], None])) == made(data)
    assert made(values(tmp_path, "labels", [[10], [9]])) == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(["['b', 'a']", "['a']", "[]", None], id="Python"),
        pytest.param(['["b", "a"]', ' ["a"] ', "[ ]", None], id="JSON"),
        pytest.param(["['b'\n 'a']", "['a']", "[]", None], id="numpy"),
        pytest.param(["('b', 'a')", "('a',)", "()", None], id="tuples"),
        pytest.param(["{'b', 'a'}", "{'a'}", "[]", None], id="sets"),
        pytest.param(["[b, a]", "[a]", "[]", None], id="without quotes"),
        pytest.param(["['b', 'a']", "['a']", "[]", "nan"], id="missing word"),
        pytest.param(["['b', 'a', None]", "['a', nan]", "[nan]", "  "], id="missing items"),
        pytest.param(["['b' nan 'a']", "['a' None]", "[None]", None], id="missing in numpy"),
        pytest.param(['["b", null, "a"]', '["a", NaN]', "[null]", None], id="missing in JSON"),
        pytest.param(
            ["array(['b', 'a'], dtype=object)", "np.array(['a'])", "set()", "NaN"], id="calls"
        ),
    ],
)
def test_lists_written_as_text_are_lists(tmp_path: Path, cells: list[Any]) -> None:
    data = label_cells(tmp_path, cells)
    assert data.class_names == {"x": ("a", "b")}
    assert made(data) == [[1, 1], [1, 0], [0, 0], [-1, -1]]


@pytest.mark.parametrize("odd", ["a", "['a', 'b'", "['a' ... 'b']"])
def test_a_cell_that_is_no_list_among_lists_is_bad(tmp_path: Path, odd: str) -> None:
    data = label_cells(tmp_path, ["['b', 'a']", odd, "['a']"])
    assert data.class_names == {"x": ("a", "b")}
    assert bad_of(data)["all"] == {
        1: f"its `x` is '{odd}', expected a list of labels, as in most rows"
    }


def test_a_different_separator_is_noted(tmp_path: Path) -> None:
    cells = ["a,b", "a", "b,c", "c"]
    assert label_cells(tmp_path, cells).notes == (
        "a.csv: `x`: no cell has the separator '|', but many have ','; set `separator` of the head "
        "if it separates labels",
    )
    assert label_cells(tmp_path, cells, ",").notes == ()
    assert label_cells(tmp_path, [*cells, "a|c"]).notes == ()
    assert label_cells(tmp_path, ["['a,b']", "['a', 'c']"]).notes == ()


def test_texts_that_are_not_all_lists_are_labels_as_they_are(tmp_path: Path) -> None:
    assert label_cells(tmp_path, ["[a]|b", "(c)", "{d}"]).class_names == {
        "x": ("(c)", "[a]", "b", "{d}")
    }
    assert label_cells(tmp_path, ["(c)", "{d}|(c)"]).class_names == {"x": ("(c)", "{d}")}
    lists = label_cells(tmp_path, ["['a, b', 'it''s']", "['x|y', \"it's\"]", "[1, 2.0]"])
    assert lists.class_names == {"x": ("1", "2", "a, b", "it's", "its", "x|y")}


def test_an_unknown_label_makes_a_row_bad(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", {"x": ["a|c", "b"]})
    one = ColumnSpec("labels", lambda random, rows: np.zeros(rows), ("a", "b"))
    data = read_rows(str(path), {"x": one}, "all")
    assert bad_of(data)["all"] == {0: "its `x` has label 'c', expected one of the labels 'a', 'b'"}
    assert made(data) == [[1, 0], [0, 1]]


def test_labels_of_a_wrong_separator_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parse_columns, "_MAX_LABELS", 3)
    with pytest.raises(DataError, match=r"has 2 different labels, such as 'a,b'.*than text '\|'"):
        values(tmp_path, "labels", ["a,b", "b,c"])


def test_a_non_numeric_target_makes_a_row_bad(tmp_path: Path) -> None:
    cells = ["1.5", " 2 ", "abc", "3,5", None, "nan", "1e400", "inf", "0x10"]
    data = values(tmp_path, "number", cells, "a.csv")
    np.testing.assert_array_equal(made(data), [1.5, 2, *[np.nan] * 7])
    assert splits_of(data)["all"]["x"].dtype == np.float64
    assert bad_of(data)["all"] == {
        2: "its `x` is 'abc', expected a number",
        3: "its `x` is '3,5', expected a number with a decimal point and no thousands separator",
        4: "its `x` is empty",
        5: "its `x` is 'nan', expected a number",
        6: "its `x` is '1e400', expected a number",
        7: "its `x` is 'inf', expected a number",
        8: "its `x` is '0x10', expected a number",
    }
    typed = values(tmp_path, "number", [1, 2.5, None, float("inf"), float("nan")], "a.parquet")
    np.testing.assert_array_equal(made(typed), [1, 2.5, *[np.nan] * 3])
    assert list(bad_of(typed)["all"]) == [2, 3, 4]
    assert bad_of(typed)["all"][3] == "its `x` is inf, expected a finite number"


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_dates_are_not_numbers(tmp_path: Path, name: str) -> None:
    days = [date(2024, 2, 29), None, date(2024, 3, 1)]
    cells = [day and str(day) for day in days] if name.endswith("csv") else days
    with pytest.raises(DataError, match="column `x` holds dates, expected numbers"):
        values(tmp_path, "number", cells, name)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_whole_numbers_that_float64_would_round_are_kept(tmp_path: Path, name: str) -> None:
    cells = [1_700_000_000_123_456_789, 1_700_000_000_123_456_790, -3]
    written = [str(cell) for cell in cells] if name.endswith("csv") else cells
    found = splits_of(values(tmp_path, "number", written, name))["all"]["x"]
    assert (found.dtype, found.tolist()) == (np.int64, cells)
    some = values(tmp_path, "number", [None, *written], name)
    assert (some.table["x"].dtype, some.table["x"].to_list()) == (pl.Int64, [None, *cells])
    labels = label_array(some, "x")  # What `missing: ignore` trains on.
    assert np.isnan(labels[0])
    assert labels[1:].tolist() == [float(cell) for cell in cells]
    small = splits_of(values(tmp_path, "number", written[2:], name))["all"]["x"]
    assert (small.dtype, small.tolist()) == (np.float64, [-3.0])


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("text", "text"),
        ("file", "paths of files"),
        ("class", "classes"),
        ("number", "numbers"),
        ("value", "numbers, dates or categories"),
    ],
)
def test_lists_are_labels_and_nothing_else(tmp_path: Path, role: Role, expected: str) -> None:
    with pytest.raises(DataError, match=f"column `x` holds lists or objects, expected {expected}"):
        values(tmp_path, role, [["a"], ["b"]])


# Files that a table names


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A table of files: two that exist, and others that must not be opened."""
    (tmp_path / "data" / "photos").mkdir(parents=True)
    (tmp_path / "outside.jpg").write_bytes(b"x")
    (tmp_path / "data" / "photos" / "1.jpg").write_bytes(b"x")
    (tmp_path / "data" / "2.jpg").write_bytes(b"x")
    (tmp_path / "data" / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    cells = [
        *("photos/1.jpg", str(tmp_path / "data" / "2.jpg"), "3.jpg", None, "../outside.jpg"),
        *(
            "link.jpg",
            str(tmp_path / "outside.jpg"),
            "photos",
            "x" * 5000,
            "é.jpg",
            "photos\\1.jpg",
        ),
    ]
    return write(tmp_path / "data" / "photos.csv", {"x": cells, "other": ["y"] * len(cells)})


def test_files_are_relative_to_the_table(photos: Path) -> None:
    data = read_rows(str(photos), column_specs(x="file"), "all")
    root = photos.parent.resolve()
    assert made(data)[:2] == [str(root / "photos" / "1.jpg"), str(root / "2.jpg")]
    assert bad_of(data)["all"] == {
        2: "its `x` is '3.jpg': there is no such file",
        3: "its `x` is empty",
        4: "its `x` is '../outside.jpg': it is outside the source's folder",
        5: "its `x` is 'link.jpg': it is a link to a file outside the source's folder",
        6: bad_of(data)["all"][6],
        7: "its `x` is 'photos': it is a folder, expected a file",
        8: "its `x` is too long for a path",
        9: "its `x` is 'é.jpg': there is no such file",
        10: r"its `x` is 'photos\1.jpg': there is no such file; did you mean 'photos/1.jpg'?",
    }
    assert bad_of(data)["all"][6].endswith("it is outside the source's folder")


def test_media_root_is_the_folder_of_the_files(photos: Path, tmp_path: Path) -> None:
    form = TableFormat(media_root=str(tmp_path))
    data = read_rows(str(photos), column_specs(x="file"), "all", form)
    assert set(range(11)) - set(bad_of(data)["all"]) == {1, 6}
    with pytest.raises(DataError, match=r"^source.media_root: there is no folder "):
        read_rows(str(photos), column_specs(x="file"), "all", TableFormat(media_root="/nowhere"))


def test_missing_files_suggest_media_root(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", {"x": ["1.jpg", "2.jpg"], "y": [1, 2]})
    with pytest.raises(
        DataError, match=r"none of its 2 files can be opened\. Row 1: its `x` is"
    ) as caught:
        read_rows(str(tmp_path / "a.csv"), column_specs(x="file"))
    assert f"relative to {tmp_path.resolve()}; `source.media_root`" in str(caught.value)


# Ways in which a table may be written


TEXTS = ["x, y", 'said "é"', "line\nend", "😀", "plain"] * 4
WRITTEN = "text,kind\n" + "".join(
    '"{}",{}\n'.format(text.replace('"', '""'), "ab"[number % 2])
    for number, text in enumerate(TEXTS)
)


def zstd_in_two_frames(content: bytes) -> bytes:
    return zstandard.compress(content[:50]) + zstandard.compress(content[50:])


@pytest.mark.parametrize(
    ("name", "content", "fields"),
    [
        ("a.csv", WRITTEN.encode(), {}),
        ("A.CSV", WRITTEN.encode(), {}),
        ("a.csv", WRITTEN.encode("utf-8-sig"), {}),
        ("a.csv", WRITTEN.encode().rstrip(), {}),
        ("a.csv", WRITTEN.replace("\n", "\r\n").replace("line\r\nend", "line\nend").encode(), {}),
        ("a.csv", ("\n\r\n" + WRITTEN.replace("b\n", "b\n\n") + "\n\n").encode(), {}),
        ("a.csv", WRITTEN.encode("utf-16"), {"encoding": "utf-16"}),
        ("a.tsv", WRITTEN.encode(), {"separator": ","}),
        (
            "a.csv",
            WRITTEN.replace(",a\n", ";a\n")
            .replace(",b\n", ";b\n")
            .replace("text,", "text;")
            .encode(),
            {"separator": ";"},
        ),
        ("a.csv", WRITTEN.replace("text,kind", '"text", "kind"'.replace(", ", ",")).encode(), {}),
        ("a.csv", (",".join(["", WRITTEN]).replace('\n"', '\n7,"')).encode(), {}),
        ("a.csv.gz", gzip.compress(WRITTEN.encode()), {}),
        ("a.csv.gz", gzip.compress(WRITTEN[:9].encode()) + gzip.compress(WRITTEN[9:].encode()), {}),
        ("a.csv.xz", lzma.compress(WRITTEN.encode()), {}),
        ("a.csv.zst", zstandard.compress(WRITTEN.encode()), {}),
        ("a.csv.zst", zstd_in_two_frames(WRITTEN.encode()), {}),
    ],
)
def test_line_ends_quotes_and_marks_do_not_change_a_table(
    tmp_path: Path, name: str, content: bytes, fields: dict[str, Any]
) -> None:
    (tmp_path / name).write_bytes(content)
    data = load(tmp_path / name, column_specs(text="text", kind="class"), **fields)
    assert joined(data, "text") == TEXTS
    assert joined(data, "kind") == [0, 1] * 10


@pytest.mark.parametrize("encoding", ["latin-1", "windows-1252"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes("text\ncafé\nthé\n".encode(encoding))
    data = read_rows(
        str(tmp_path / "a.csv"), column_specs(text="text"), form=TableFormat(encoding=encoding)
    )  # type: ignore[arg-type]
    assert splits_of(data)["data"]["text"].tolist() == ["café", "thé"]


def test_quotes_can_be_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('text\tkind\n"x\ta\n5" disk\tb\n')
    data = read_rows(
        str(tmp_path / "a.tsv"), column_specs(text="text"), form=TableFormat(quote=None)
    )
    assert splits_of(data)["data"]["text"].tolist() == ['"x', '5" disk']


def test_json_surrogate_pairs(tmp_path: Path) -> None:
    lines = [json.dumps({"text": text, "kind": 1}) for text in TEXTS]
    assert "\\ud83d\\ude00" in lines[3]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    data = read_rows(str(tmp_path / "a.jsonl"), column_specs(text="text"))
    assert splits_of(data)["data"]["text"].tolist() == TEXTS


def test_every_parquet_type_is_converted(tmp_path: Path) -> None:
    import datetime
    import decimal

    frame = pl.DataFrame(
        {
            "whole": pl.Series([1, None], dtype=pl.UInt8),
            "large": pl.Series([2**63, 5], dtype=pl.UInt64),
            "decimal": [decimal.Decimal("1.50"), None],
            "flag": [True, None],
            "day": [datetime.date(2024, 2, 29), None],
            "time": [datetime.time(12, 30), None],
            "category": pl.Series(["x", ""], dtype=pl.Categorical),
            "enum": pl.Series(["x", None], dtype=pl.Enum(["x"])),
            "nothing": [None, None],
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    path = str(tmp_path / "a.parquet")
    texts = splits_of(read_rows(path, dict.fromkeys(frame.columns, column_specs(x="text")["x"])))[
        "data"
    ]
    assert {name: values[0] for name, values in texts.items()} == {
        "whole": "1",
        "large": str(2**63),
        "decimal": "1.5",
        "flag": "true",
        "day": "2024-02-29",
        "time": texts["time"][0],
        "category": "x",
        "enum": "x",
        "nothing": None,
    }
    assert all(values[1] is None for name, values in texts.items() if name != "large")
    values = splits_of(read_rows(path, dict.fromkeys(frame.columns, column_specs(x="value")["x"])))[
        "data"
    ]
    assert {name: column.dtype.kind for name, column in values.items()} == {
        **dict.fromkeys(["whole", "large", "decimal"], "f"),
        **dict.fromkeys(["flag", "time", "category", "enum", "nothing"], "O"),
        "day": "M",
    }


def test_unsupported_parquet_types_are_refused(tmp_path: Path) -> None:
    pl.DataFrame({"x": pl.Series([90_000_000]).cast(pl.Duration)}).write_parquet(
        tmp_path / "a.parquet"
    )
    with pytest.raises(DataError, match=r"column `x` holds durations, expected text\.$"):
        read_rows(str(tmp_path / "a.parquet"), column_specs(x="text"))


def test_an_infinite_value_makes_a_row_bad(tmp_path: Path) -> None:
    assert bad_of(values(tmp_path, "value", ["1e999", "2"]))["all"] == {0: "its `x` is infinite"}
    cells = [1.0, float("-inf"), float("nan"), None]
    assert bad_of(values(tmp_path, "value", cells, "a.parquet"))["all"] == {
        1: "its `x` is infinite"
    }


def test_digits_of_other_scripts_are_text(tmp_path: Path) -> None:
    assert made(values(tmp_path, "value", ["١٢", "2"])) == ["١٢", "2"]
    assert list(bad_of(values(tmp_path, "number", ["١٢", "2"]))["all"]) == [0]


def test_numbers_with_a_decimal_comma_are_read_and_ambiguous_ones_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{n};{n},5;{'2.155' if n % 2 else '987'}" for n in range(20)]
    path.write_text("\n".join(["id;x;price", *rows]) + "\n")
    specs = {
        "id": ColumnSpec("category", lambda random, rows: None),
        "x": ColumnSpec("value", lambda random, rows: None),
        "price": ColumnSpec("number", lambda random, rows: None),
    }
    source = Table(path=str(path), separator=";")
    with pytest.raises(DataError) as caught:
        source.read(specs, 0)
    assert str(caught.value) == (
        f"table {path}: column `price`: '2.155' beside '987' may be 2155. Write `decimal: \",\"` "
        'into the config\'s source if points separate thousands, or `decimal: "."` if they do not.'
    )
    german = source.replace(decimal=",")
    for frame in (german.read(specs, 0), read_rows(str(path), specs, form=german)):
        assert frame.issues.is_empty()
        assert set(frame.table["price"]) == {2155.0, 987.0}
        assert sorted(frame.table["x"]) == [n + 0.5 for n in range(20)]
    point = source.replace(decimal=".").read({"price": specs["price"]}, 0)
    assert set(point.table["price"]) == {2.155, 987.0}
    # What another table holds says nothing of the format that a model was trained on.
    assert set(read_rows(str(path), {"price": specs["price"]}, form=source).table["price"]) == {
        2.155,
        987.0,
    }


def test_a_decimal_point_among_decimal_commas_makes_a_row_bad(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    cells = ["1,5", "1.234", "987", "1.5", "2.25", "7"]
    path.write_text("x;y\n" + "".join(f"{cell};{n / 2}\n" for n, cell in enumerate(cells * 4)))
    source = Table(path=str(path), separator=";", decimal=",")
    for role in ("number", "value"):
        specs: dict[str, Any] = {"x": ColumnSpec(role, lambda random, rows: None)}
        for frame in (source.read(specs, 0), read_rows(str(path), specs, form=source)):
            issues = frame.found_issues()
            assert sorted(issues) == [row for row in range(24) if row % 6 in (3, 4)]
            expected = "its `x` is '1.5', expected a decimal comma, as in the other rows"
            assert issues[3] == ("x", expected)
            assert frame.table["x"].drop_nulls().head(4).to_list() == [1.5, 1234.0, 987.0, 7.0]
            assert frame.warnings == ()
    # A column that has points only is read as it is written.
    frame = source.read({"y": ColumnSpec("number", lambda random, rows: None)}, 0)
    assert frame.table["y"].to_list() == [n / 2 for n in range(24)]
    assert frame.warnings == (
        "a.csv: `y`: '0.0' is read with a decimal point, in spite of `decimal: \",\"`",
    )


def test_targets_that_all_have_three_decimals_are_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x\n" + "".join(f"{n % 9 + 1}.{n:03d}\n" for n in range(20)))
    source = Table(path=str(path))
    target = {"x": ColumnSpec("number", lambda random, rows: None)}
    [warning] = source.read(target, 0).warnings
    assert warning.startswith(
        "a.csv: `x`: '1.000' is read as 1.000, but may be 1000, as all of its"
    )
    assert '`decimal: ","`' in warning
    assert source.replace(decimal=".").read(target, 0).warnings == ()
    # Standardized, 1000 times all values of an input is the same.
    assert source.read({"x": ColumnSpec("value", lambda random, rows: None)}, 0).warnings == ()
    path.write_text(path.read_text() + "0.5\n")
    assert source.read(target, 0).warnings == ()


def test_absolute_paths_of_another_machine_are_found_below_the_folder(tmp_path: Path) -> None:
    for name in ("cat/1.jpg", "dog/1.jpg", "dog/2.jpg"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).write_bytes(b"content")
    names = ["cat/1.jpg", "dog/1.jpg", "dog/2.jpg", "dog/3.jpg"]
    for there in ("/home/bob/images/", "file:///home/bob/images/", "C:\\Users\\bob\\images\\"):
        slash = "\\" if "\\" in there else "/"
        cells = [there + name.replace("/", slash) for name in names]
        data = values(tmp_path, "file", cells)
        expected = [str(tmp_path / "images" / name) for name in names[:3]]
        assert data.table["x"].to_list() == [*expected, None]
        assert data.found_issues()[3][1].startswith(
            "its `x` is 'images/dog/3.jpg': there is no such file"
        )
        first = cells[0].replace("\\", "\\\\")
        assert data.warnings[0].replace("\\\\", "\\") == (
            f"a.jsonl: `x`: its absolute paths do not exist here; '{first}' is read as "
            f"'images/cat/1.jpg' in {tmp_path}, and the others alike"
        ).replace("\\\\", "\\")
