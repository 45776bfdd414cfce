from __future__ import annotations

import math

import pytest

from mmzoo.spec.yaml_reader import read_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-0.25", -0.25),
        ("1_000.5", 1000.5),
        ("-.inf", -math.inf),
        ("5_000", 5000),
        ("1_000_000", 1_000_000),
        ("0", 0),
        ("+5", 5),
        ("-5", -5),
        ("0x1F", 31),
        ("0o17", 15),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_numbers_booleans_and_null(text: str, value: object) -> None:
    read = read_scalar(text)
    assert read == value
    assert type(read) is type(value)


def test_nan_is_a_number() -> None:
    assert math.isnan(read_scalar(".nan"))


@pytest.mark.parametrize(
    "text",
    [
        *("on", "off", "yes", "no", "y", "n", "True", "None", "inf", "nan", "e3", "1e", "."),
        *("12:30:00", "2024-01-02", "1.2.3", "1_", "_1", "1__0", "0b1", "1 000", "1,000", "<<"),
        "\u0661",  # A digit, but not one of YAML's.
    ],
)
def test_other_scalars_are_text(text: str) -> None:
    assert read_scalar(text) == text


@pytest.mark.parametrize(("text", "number"), [("010", 10), ("-07", -7), ("00", 0), ("0_1", 1)])
def test_leading_zero_is_rejected(text: str, number: int) -> None:
    with pytest.raises(ValueError, match=r"^a number that starts with 0 is read") as caught:
        read_scalar(text)
    assert str(caught.value).endswith(f"write {number} for the number or '{text}' for the text")


@pytest.mark.parametrize("text", ["9" * 5000, "0x" + "f" * 5000, "0" * 5000])
def test_integer_with_too_many_digits_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="at most 100 are read"):
        read_scalar(text)
