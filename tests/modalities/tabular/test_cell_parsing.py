"""Parsing of cells, for everything that a column may contain."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mmzoo.data.frame import to_series
from mmzoo.errors import DataError
from mmzoo.modalities.tabular import cell_parsing as tabular_cells
from mmzoo.modalities.tabular.cell_parsing import Cells, wrong_value_reason

NAN = float("nan")
NAT = "NaT"


def read_cells(values: np.ndarray, kind: str) -> Cells:
    return tabular_cells.read_cells(to_series("x", values), kind)


def texts(*values) -> np.ndarray:
    return np.array(values, dtype=object)


def days(*values) -> np.ndarray:
    return np.array(values, dtype="datetime64[s]")


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        *(("1", 1), (" 2 ", 2), ("+3", 3), ("-4e5", -4e5), ("0.5", 0.5), (".5", 0.5), ("5.", 5)),
        *(("007", 7), ("3.4e38", 3.4e38)),
    ],
)
def test_cells_that_are_numbers(cell, number):
    cells = read_cells(texts(cell), "number")
    assert cells.values.to_list() == [number]
    assert not cells.wrong.any()
    assert not cells.missing.any()


@pytest.mark.parametrize(
    "cell", [None, "", "  ", "NA", "n/a", "NaN", "nan", "null", "None", "-", "?", "NaT"]
)
@pytest.mark.parametrize("kind", ["number", "datetime"])
def test_cells_that_mark_a_missing_value(cell, kind):
    cells = read_cells(texts(cell, "x"), kind)
    assert cells.missing.to_list() == [True, False]
    assert cells.wrong.to_list() == [False, True]


@pytest.mark.parametrize(
    "cell",
    [
        *("abc", "1,5", "1_0", "0x10", "1e39", "inf", "-Infinity", "TRUE", ".", "1 2", "12:30"),
        *("2026-03-01", "1" * 400, "\x00", "½", "=1+1"),
    ],
)
def test_values_that_are_not_numbers(cell):
    cells = read_cells(texts("1", cell), "number")
    assert cells.wrong.to_list() == [False, True]
    np.testing.assert_array_equal(cells.values.to_numpy(), [1, NAN])


def test_numbers_beyond_float32_are_invalid():
    cells = read_cells(np.array([1, NAN, np.inf, -np.inf, 1e300]), "number")
    assert cells.wrong.to_list() == [False, False, True, True, True]
    assert cells.missing.to_list() == [False, True, False, False, False]


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32"])
def test_numbers_of_any_type_become_one(dtype):
    cells = read_cells(np.array([0, 1], dtype), "number")
    assert cells.values.dtype == pl.Float64
    assert cells.values.to_list() == [0, 1]


@pytest.mark.parametrize(
    ("cell", "date"),
    [
        ("2026-03-01", "2026-03-01T00:00:00"),
        (" 2026-03-01 ", "2026-03-01T00:00:00"),
        ("2026-03-01 14:30", "2026-03-01T14:30:00"),
        ("2026-03-01T14:30:05.25", "2026-03-01T14:30:05"),
        ("2026-03-01T14:30:05Z", "2026-03-01T14:30:05"),
        ("2026-03-01T14:30+02:00", "2026-03-01T12:30:00"),
        ("2026-03-01T00:30:00-0130", "2026-03-01T02:00:00"),
        ("2024-02-29", "2024-02-29T00:00:00"),
        ("0001-01-01", "0001-01-01T00:00:00"),
        ("9999-12-31", "9999-12-31T00:00:00"),
    ],
)
def test_cells_that_are_dates(cell, date):
    cells = read_cells(texts(cell), "datetime")
    assert cells.values.dt.strftime("%Y-%m-%dT%H:%M:%S").to_list() == [date]
    assert not cells.wrong.any()


@pytest.mark.parametrize(
    "cell",
    [
        *("2026-13-01", "2026-02-30", "2025-02-29", "0000-01-01", "12026-01-01", "-0001-01-01"),
        *("01/02/2026", "20260301", "2026-3-1", "2026-03-01 25:00", "soon", "1", "14:30"),
    ],
)
def test_cells_that_are_not_dates(cell):
    cells = read_cells(texts("2026-03-01", cell), "date")
    assert cells.wrong.to_list() == [False, True]
    assert cells.values.is_null().to_list() == [False, True]


def test_dates_in_other_units_and_absurd_years():
    given = np.array(["2020-01-01T10:20", NAT, "200000-01-01"], "datetime64[us]")
    cells = read_cells(given, "datetime")
    np.testing.assert_array_equal(cells.values.to_numpy(), days("2020-01-01T10:20", NAT, NAT))
    assert cells.wrong.to_list() == [False, False, True]


def test_numbers_and_dates_are_not_confused():
    assert read_cells(np.array([20260301.0, NAN]), "date").wrong.to_list() == [True, False]
    assert read_cells(days("2026-03-01", NAT), "number").wrong.to_list() == [True, False]


@pytest.mark.parametrize(
    ("given", "categories"),
    [
        (texts("a", " b ", "", "  ", None, "NA"), ["a", "b", None, None, None, "NA"]),
        (
            texts("1", "1.0", "1.00", "007", "2.50", "x.0"),
            ["1", "1.0", "1.00", "007", "2.50", "x.0"],
        ),
        (np.array([1, 2.5, NAN, -0.0, 1e20]), ["1.0", "2.5", None, "-0.0", "1e+20"]),
        (np.array([3, -1]), ["3", "-1"]),
        (np.array([True, False]), ["true", "false"]),
        (np.array(["x", ""]), ["x", None]),
    ],
)
def test_anything_can_be_a_category(given, categories):
    cells = read_cells(given, "category")
    assert cells.values.dtype == pl.String
    assert cells.values.to_list() == categories
    assert cells.missing.to_list() == [one is None for one in categories]
    assert not cells.wrong.any()


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (np.array([1.5, NAN]), "number"),
        (np.array([True]), "number"),
        (days("2020-01-01", NAT), "date"),
        (days("2020-01-01", "2020-01-01T10:00"), "datetime"),
        (texts("1", None, "NA"), "number"),
        (texts(*["1"] * 19, "many"), "number"),  # 95 %.
        (texts(*["1"] * 9, "many"), "category"),
        (texts("2020-01-01", ""), "date"),
        (texts("2020-01-01", "2020-01-01 10:20"), "datetime"),
        (texts(*["2020-01-01"] * 19, "soon"), "date"),
        (texts("a", "b"), "category"),
        (texts("1", "2020-01-01"), "category"),
        (texts(None, ""), "category"),
        (texts(), "category"),
    ],
)
def test_column_types_are_inferred_from_values(given, kind):
    assert tabular_cells.infer_column_kind(to_series("x", given)) == kind


@pytest.mark.parametrize("values", [np.zeros((3, 2)), np.zeros((3, 8, 8, 1), "uint8")])
def test_a_column_of_an_unsupported_type_is_refused(values):
    with pytest.raises(DataError, match="column `photo`: expected one number, date or text per"):
        tabular_cells.check_column(to_series("photo", values), "photo")


def test_errors_are_one_line():
    assert wrong_value_reason("age", "a\nb", "number") == (
        "its `age` is 'a\\nb', expected a number, between -3.4e+38 and 3.4e+38"
    )
    assert len(wrong_value_reason("x" * 1_000, "y" * 1_000, "date")) < 250
