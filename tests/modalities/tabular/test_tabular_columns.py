"""Fitted numeric, categorical and date columns, and their model inputs."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mmzoo.data.column_types import one_spelling
from mmzoo.data.frame import to_series
from mmzoo.modalities.tabular.categorical_columns import Categories, fit_categories
from mmzoo.modalities.tabular.numeric_columns import (
    RankedNumbers,
    ScaledNumbers,
    days_since_1970,
    fit_dates,
    fit_numbers,
)

NAN = float("nan")
RANDOM = np.random.RandomState(0)


def series(values: np.ndarray) -> pl.Series:
    return to_series("x", values)


def prepared(values, normalize, later=None) -> np.ndarray:
    """Numbers transformed by a column that was fitted to others, or to the same."""
    values = np.array(values, float)
    known = fit_numbers(values, normalize)
    made = known.transform(series(values if later is None else np.array(later, float)))
    assert made.dtype == np.float32
    assert made.shape[1:] == (known.width,) == (1,)
    return made[:, 0]


# Numbers.


def test_standard_has_mean_0_and_std_1():
    values = RANDOM.normal(100, 20, 1_000)
    made = prepared([*values, NAN], "standard")
    np.testing.assert_allclose(made[:-1], (values - values.mean()) / values.std(), rtol=1e-4)
    assert np.isnan(made[-1])


def test_minmax_goes_from_minus_1_to_1():
    np.testing.assert_allclose(prepared([10, NAN, 20, 12.5], "minmax"), [-1, NAN, 1, -0.5])


def test_none_does_not_scale():
    np.testing.assert_array_equal(prepared([1e30, NAN, -5], "none"), np.float32([1e30, NAN, -5]))


def test_quantiles_are_uniform_for_any_distribution():
    made = prepared(np.exp(RANDOM.normal(0, 5, 5_001)), "quantile")
    assert made.mean() == pytest.approx(0, abs=1e-3)
    assert made.std() == pytest.approx(1, abs=1e-3)
    assert np.abs(made).max() == pytest.approx(math.sqrt(3), rel=1e-3)


def test_equal_numbers_have_the_middle_of_their_quantiles():
    made = prepared([0, 0, 0, 0, 5, 9], "quantile")
    assert made[0] == pytest.approx((0.3 - 0.5) * math.sqrt(12), rel=1e-5)
    assert len(set(made.tolist())) == 3
    assert prepared([0, 0, 5], "quantile", [-10, 100]) == pytest.approx(
        prepared([0, 0, 5], "quantile", [0, 5])
    )


@pytest.mark.parametrize("normalize", ["standard", "minmax", "quantile"])
@pytest.mark.parametrize("values", [[3, 3, 3], [0.1] * 7, [1e300, 1e300], [NAN, NAN], [7], []])
def test_constant_columns_become_0(values, normalize):
    made = prepared(values, normalize)
    np.testing.assert_array_equal(made[~np.isnan(values)], 0)


@given(
    st.lists(st.floats(-3.4e38, 3.4e38) | st.just(NAN), min_size=1, max_size=30),
    st.lists(st.floats(-3.4e38, 3.4e38), min_size=1, max_size=5),
    st.sampled_from(["standard", "minmax", "quantile"]),
)
def test_scaled_numbers_are_bounded_and_monotonic(values, later, normalize):
    made = prepared(values, normalize, [*values, *later])
    there = made[~np.isnan(made)]
    assert np.isnan(made).sum() == np.isnan(values).sum()
    assert (np.abs(there) <= 1e4).all()
    order = np.argsort([*values, *later], kind="stable")
    assert (np.diff(made[order][~np.isnan(made[order])]) >= 0).all()


def test_numbers_round_trip():
    for normalize in ("standard", "minmax", "quantile", "none"):
        known = fit_numbers(np.array([10.0, 25, 40]), normalize)
        assert known.to_texts(known.transform(series(np.array([25.0, NAN])))) == ["25", "missing"]


@pytest.mark.parametrize(
    "fields", [{"values": (1.0,), "places": ()}, {"values": (2.0, 1.0), "places": (0.0, 1.0)}]
)
def test_invalid_quantiles_are_refused(fields):
    with pytest.raises(ValidationError):
        RankedNumbers(**fields)


def test_a_scale_of_0_is_refused():
    with pytest.raises(ValidationError):
        ScaledNumbers(centre=0.0, spread=0.0)


# Categories.


def texts(*values) -> np.ndarray:
    return np.array(values, dtype=object)


def test_the_most_frequent_come_first_and_then_the_alphabet():
    values = texts("b", "a", "c", "c", None, "a", "b", "d")
    assert fit_categories(series(values), 10, 1).values == ("a", "b", "c", "d")
    assert fit_categories(series(values[:-2]), 2, 1).values == ("a", "c")
    assert fit_categories(series(values), 10, 2).values == ("a", "b", "c")
    assert fit_categories(series(texts(None)), 10, 1).values == ()


def test_categories_become_ids():
    known = Categories(values=("x", "y"))
    made = known.transform(series(texts("y", None, "new", "x", "missing")))
    np.testing.assert_array_equal(made, [[3], [0], [1], [2], [1]])
    assert made.dtype == np.float32
    assert known.size == 4
    assert known.to_texts(made[:4]) == ["y", "missing", "unknown", "x"]


def test_categories_without_known_values_are_unknown():
    np.testing.assert_array_equal(
        Categories(values=()).transform(series(texts("a", None))), [[1], [0]]
    )


@given(st.lists(st.text(max_size=3) | st.none(), max_size=40))
def test_every_training_value_is_known(values):
    known = fit_categories(series(texts(*values)), 1_000, 1)
    made = known.transform(series(texts(*values)))[:, 0]
    assert ((made == 0) == [value is None for value in values]).all()
    assert not (made == 1).any()
    assert one_spelling(series(texts(*values))).drop_nulls().to_list() == [
        text for text, number in zip(known.to_texts(made[:, None]), made, strict=True) if number
    ]


# Dates.


def dates(*values) -> np.ndarray:
    return np.array(values, dtype="datetime64[s]")


def test_days_are_counted_from_1970():
    values = dates("1970-01-02", "1969-12-31T12:00", "NaT")
    np.testing.assert_array_equal(days_since_1970(values, "datetime"), [1, -0.5, NAN])
    np.testing.assert_array_equal(days_since_1970(values, "date"), [1, -1, NAN])


def test_dates_become_days_and_positions_in_year_and_week():
    # 2024 has 366 days; 1 January was a Monday, 1 July is day 182 and a Monday too.
    values = dates("2024-01-01", "2024-07-01", "NaT")
    made = fit_dates(series(values), "date").transform(series(values))
    assert made.dtype == np.float32
    np.testing.assert_allclose(made[:2, 0], [-1, 1], atol=1e-6)
    angle = 2 * math.pi * 182 / 366
    np.testing.assert_allclose(made[0, 1:], [0, 1, 0, 1], atol=1e-6)
    np.testing.assert_allclose(made[1, 1:], [math.sin(angle), math.cos(angle), 0, 1], atol=1e-6)
    assert np.isnan(made[2]).all()


def test_datetimes_also_have_a_time_of_day():
    values = dates("2024-01-01T06:00", "2024-01-04T12:00")  # A Monday, a Thursday.
    made = fit_dates(series(values), "datetime").transform(series(values))
    np.testing.assert_allclose(made[:, 5:], [[1, 0], [0, -1]], atol=1e-6)
    angle = 2 * math.pi * 3.5 / 7
    np.testing.assert_allclose(made[1, 3:5], [math.sin(angle), math.cos(angle)], atol=1e-6)


def test_the_end_of_a_year_is_near_its_beginning():
    values = dates("2023-12-31", "2024-01-01", "2024-07-01")
    places = fit_dates(series(values), "date").transform(series(values))[:, 1:3]
    assert np.linalg.norm(places[0] - places[1]) < 0.05
    assert np.linalg.norm(places[0] - places[2]) > 1.9


@pytest.mark.parametrize("kind", ["date", "datetime"])
def test_first_last_and_missing_dates(kind):
    values = dates("0001-01-01", "9999-12-31T23:59:59", "NaT")
    known = fit_dates(series(values), kind)
    made = known.transform(series(values))
    assert made.shape == (3, known.width)
    assert np.isfinite(made[:2]).all()
    assert np.isnan(fit_dates(series(values[2:]), kind).transform(series(values[2:]))).all()


def test_dates_are_written_as_days():
    values = dates("2024-01-01", "2025-07-01", "NaT")
    known = fit_dates(series(values), "date")
    assert known.to_texts(known.transform(series(values))) == [
        "2024-01-01",
        "2025-07-01",
        "missing",
    ]
