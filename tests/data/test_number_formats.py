"""Number and date formats that mmzoo recognizes but does not read."""

from __future__ import annotations

import polars
import pytest

from mmzoo.data.number_formats import (
    ambiguous_thousands,
    detect_decimal,
    plain_numbers,
    unread_format,
)


@pytest.mark.parametrize(
    ("cell", "plain"),
    {
        "1,234.50": "1234.50",
        "1,234": "1234",
        "1.234,5": "1234.5",
        "1.234.567": "1234567",
        "1'234.5": "1234.5",
        "12 345,6": "12345.6",
        "12\u202f345": "12345",
        "-3,5": "-3.5",
        "-$5.00": "-5.00",
        "€ 1,200": "1200",
        "4.50 EUR": "4.50",
        "12%": "12",
        "\N{MINUS SIGN}5.25": "-5.25",
        "(5.0)": "-5.0",
        "5.0-": "-5.0",
        "1\N{RIGHT SINGLE QUOTATION MARK}234.50": "1234.50",
        "12,34,567.8": "1234567.8",
    }.items(),
)
def test_number_formats_are_recognized(cell, plain):
    found = unread_format(polars.Series([cell, cell]))
    assert (found.what, found.example, found.plain) == ("numbers", cell, plain)
    assert float(found.plain) == float(plain)


@pytest.mark.parametrize("cell", ["31.12.2024", "12/31/24", "2024/1/3 12:30", "1-2-2024"])
def test_date_formats_are_recognized(cell):
    assert unread_format(polars.Series([cell])).what == "dates"


@pytest.mark.parametrize(
    "cell",
    ["New York", "red,blue", "1,2,3", "192.168.1.10", "030 12345", "1-2", "12", "$", "A4", "1,,2"],
)
def test_other_texts_are_unchanged(cell):
    assert unread_format(polars.Series([cell])) is None


def test_one_cell_in_ten_can_differ():
    assert unread_format(polars.Series(["4,5"] * 9 + ["free"])).plain == "4.5"
    assert unread_format(polars.Series(["4,5"] * 8 + ["free"] * 2)) is None


@pytest.mark.parametrize(
    ("decimal", "cells", "plain"),
    [
        (
            ",",
            ["1.234,5", "-2.155", "987", "0,5", "n/a", None],
            ["1234.5", "-2155", "987", "0.5", "n/a", None],
        ),
        (".", ["1,234.5", "2.155", "12,345,678", "1,2"], ["1234.5", "2.155", "12345678", "1,2"]),
        (",", ["1'234,5", "1\u202f234", "12 345,6"], ["1234.5", "1234", "12345.6"]),
    ],
)
def test_numbers_are_normalized(decimal, cells, plain):
    assert plain_numbers(polars.Series(cells), decimal).to_list() == plain


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["2.155", "987", "13.001", "n/a"], ("2.155", "987")),
        (["1.234.567", "5"], ("1.234.567", "5")),
        (["2.155", "3.001"], None),  # Decimals with three digits.
        (["2.155", "987", "0.125"], None),
        (["2.155", "987", "1.5"], None),
        (["2.155", "1987"], None),  # Whole thousands have no point.
        (["1.200", "2", "beta", "rc"], None),
    ],
)
def test_points_can_separate_thousands(cells, found):
    assert ambiguous_thousands(polars.Series(cells)) == found


@pytest.mark.parametrize(
    ("columns", "decimal"),
    [
        ({"a": ["2.155", "987"], "b": ["24,25", "7,5"]}, ","),
        ({"a": ["2.155", "987"]}, ","),
        ({"a": ["1,234.50", "2.00"]}, "."),
        ({"a": ["1'234.50", "9'000.00"]}, "."),
        ({"a": ["2.155", "987"], "b": ["24.25", "7.5"]}, None),
        ({"a": ["24.25", "7.5"], "b": ["24,25", "7,5"]}, None),
        ({"a": ["1,234", "5"]}, None),  # 1234 or 1.234
        ({"a": ["24.25", "red,blue"]}, None),
    ],
)
def test_the_decimal_mark_is_decided_per_table(columns, decimal):
    found = detect_decimal(polars.Series(name, cells) for name, cells in columns.items())
    assert (found[0] if found else None) == decimal
