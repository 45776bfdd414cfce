"""Tables for other programs: complete, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import json
import os
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import polars
import pytest

from mmzoo.errors import DataError
from mmzoo.tables import check_ending, json_value, write_table

COLUMNS = {
    "file": ["a,b.png", 'say "x".png', "größe\n2.png"],
    "digit": ["7", "1", "0"],
    "digit_probability": [0.25, 1.0, 1e-9],
    "rank": [1, 2, 3],
}


@pytest.mark.parametrize("name", ["x.csv", "x.CSV"])
def test_csv(tmp_path, name):
    write_table(tmp_path / name, COLUMNS)
    with (tmp_path / name).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == COLUMNS["file"]
    assert [float(row["digit_probability"]) for row in rows] == COLUMNS["digit_probability"]
    assert [row["rank"] for row in rows] == ["1", "2", "3"]


def test_json_lines(tmp_path):
    write_table(tmp_path / "x.jsonl", COLUMNS)
    rows = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text("utf-8").splitlines()]
    assert {name: [row[name] for row in rows] for name in COLUMNS} == COLUMNS


def test_parquet(tmp_path):
    write_table(tmp_path / "x.parquet", COLUMNS)
    assert polars.read_parquet(tmp_path / "x.parquet").to_dict(as_series=False) == COLUMNS


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_escapes_spreadsheet_formulas(tmp_path, start):
    text = f"{start}cmd|'/C calc'!A0"
    write_table(tmp_path / "x.csv", {"file": [text, f"a{text}"]})
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        assert [row["file"] for row in csv.DictReader(file)] == [f"'{text}", f"a{text}"]


def test_negative_numbers_are_not_formulas(tmp_path):
    write_table(tmp_path / "x.csv", {"price": [-1.5, 2.0]})
    assert (tmp_path / "x.csv").read_text() == "price\n-1.5\n2.0\n"
    # Columns of a table that are kept as they are come as texts.
    write_table(tmp_path / "x.csv", {"longitude": ["-73.98", "+2.35", "-1e-3", "-1+1"]})
    assert (tmp_path / "x.csv").read_text() == "longitude\n-73.98\n+2.35\n-1e-3\n'-1+1\n"


def test_harmless_texts_and_labels_of_a_run_are_unchanged(tmp_path):
    ids = ["+", "-", "@home", "+49 30 123456", "-AB12", "@x.y", "-1", "*", "a=b"]
    write_table(tmp_path / "x.csv", {"id": ids})
    assert (tmp_path / "x.csv").read_text().splitlines()[1:] == ids
    labels = ["=x", "+/-", "@SUM(1)", "-a-b"]
    write_table(tmp_path / "x.csv", {"class": labels, "id": labels}, trusted=["class"])
    assert (tmp_path / "x.csv").read_text().splitlines()[1:] == [f"{one},'{one}" for one in labels]
    write_table(tmp_path / "x.csv", {"class_given": ["=x", "=y", None]}, labels=["=x"])
    assert (tmp_path / "x.csv").read_text().splitlines()[1:] == ["=x", "'=y", ""]


MOMENT = datetime(2024, 2, 29, 12, 30)
ODD = {
    "list": [[1, 2], None, []],
    "object": [{"a": 1.5, "b": "x"}, {"a": None, "b": "é"}, None],
    "bytes": [b"\xff\x00", b"", None],
    "parts": [{"raw": b"\xff"}, {"raw": None}, None],
    "took": [timedelta(minutes=1, seconds=1), timedelta(0), None],
    "day": [MOMENT.date(), None, MOMENT.date()],
    "at": [MOMENT, MOMENT, None],
    "cost": [Decimal("1.50"), Decimal("-2.25"), None],
    "ratio": [float("nan"), float("inf"), 0.5],
}


@pytest.mark.parametrize("name", list(ODD))
@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_values_of_any_type_are_written(tmp_path, name, ending):
    """A table is written after all work, so no column type may make it fail."""
    path = tmp_path / f"x.{ending}"
    column = polars.Series(name, ODD[name], strict=False)
    write_table(path, {"id": ["a", "b", "c"], name: column})
    if ending == "parquet":
        assert polars.read_parquet(path)[name].equals(column, check_names=True, null_equal=True)
        return
    if ending == "jsonl":
        read = [json.loads(line)[name] for line in path.read_text().splitlines()]
    else:
        read = [row[name] for row in csv.DictReader(path.read_text().splitlines())]
    expected = {
        "list": (["[1, 2]", "", "[]"], ODD["list"]),
        "object": (
            ['{"a": 1.5, "b": "x"}', '{"a": null, "b": "é"}', ""],
            ODD["object"],
        ),
        "bytes": (["/wA=", "", ""], ["/wA=", "", None]),
        "parts": (['{"raw": "/w=="}', '{"raw": null}', ""], [{"raw": "/w=="}, {"raw": None}, None]),
        "took": (["PT1M1S", "PT0S", ""], ["PT61S", "P0D", None]),
        "day": (["2024-02-29", "", "2024-02-29"], ["2024-02-29", None, "2024-02-29"]),
        "at": (2 * ["2024-02-29T12:30:00.000000"] + [""], 2 * ["2024-02-29 12:30:00"] + [None]),
        "cost": (["1.50", "-2.25", ""], ["1.50", "-2.25", None]),
        "ratio": (["NaN", "inf", "0.5"], [None, None, 0.5]),
    }[name]
    assert read == expected[ending == "jsonl"]


def test_values_of_any_type_are_json():
    found = json_value(ODD)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["ratio"] == [None, None, 0.5]
    assert found["cost"] == ["1.50", "-2.25", None]
    assert found["took"] == ["PT1M1S", "PT0S", None]
    assert found["at"] == ["2024-02-29T12:30:00", "2024-02-29T12:30:00", None]
    assert json_value(np.float32(0.5)) == 0.5
    assert json_value(np.arange(2)) == [0, 1]


def test_only_csv_is_escaped(tmp_path):
    write_table(tmp_path / "x.jsonl", {"file": ["=1+1"]})
    assert json.loads((tmp_path / "x.jsonl").read_text()) == {"file": "=1+1"}


def test_a_column_of_integers_and_floats(tmp_path):
    write_table(tmp_path / "x.jsonl", {"value": [1, 2.5, None]})
    rows = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert [row["value"] for row in rows] == [1.0, 2.5, None]


def test_an_unknown_extension_is_refused_before_writing(tmp_path):
    path = tmp_path / "x.xlsx"
    expected = f"{path}: expected a name that ends in .csv, .jsonl or .parquet"
    with pytest.raises(DataError) as caught:
        check_ending(path)
    assert str(caught.value) == expected
    with pytest.raises(DataError, match=r"x\.xlsx"):
        write_table(path, COLUMNS)
    assert not os.listdir(tmp_path)


def test_known_extensions_pass(tmp_path):
    for name in ("x.csv", "x.jsonl", "x.parquet", "x.PARQUET"):
        check_ending(tmp_path / name)


def test_a_failed_write_keeps_the_old_table(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_text("old")
    with pytest.raises(polars.exceptions.ShapeError):
        write_table(path, {"a": [1, 2, 3], "b": [1, 2]})
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x.parquet"]
