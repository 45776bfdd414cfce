"""The tabular input: from a source's columns to arrays."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from frames import frame_of
from pydantic import ValidationError

from mmzoo.config import Config, load_config
from mmzoo.errors import ConfigError, DataError, RunError
from mmzoo.lazy import tf
from mmzoo.modalities.scan import Scan
from mmzoo.modalities.tabular import Tabular
from mmzoo.modalities.tabular.tabular_mlp import Layout
from mmzoo.model import build_model
from mmzoo.randomness import Randomness

NAN = float("nan")
WHERE = "inputs.facts, columns of shop"


def texts(*values) -> np.ndarray:
    return np.array(values, dtype=object)


COLUMNS = {
    "city": texts("Rome", "Oslo", None, "Rome"),
    "age": np.array([30.0, NAN, 50, 40]),
    "joined": np.array(["2024-01-01", "2024-07-01", "NaT", "2024-01-01"], "datetime64[us]"),
}
KINDS = {"city": "category", "age": "number", "joined": "date"}


def tabular(**fields) -> Tabular:
    return Tabular(columns=dict.fromkeys(COLUMNS, "auto"), **fields)


def scan(spec: Tabular, columns, known=(), split: str = "train") -> Scan:
    frame = frame_of({split: columns}, dict.fromkeys(known, "it is known to be bad"))
    return spec.scan(frame, WHERE)


def scanned(spec: Tabular, columns=COLUMNS) -> pl.Series:
    """The rows of one training split, none of which is bad."""
    found = scan(spec, columns)
    assert not found.issues
    return found.values


def fitted(spec: Tabular, columns=COLUMNS) -> tuple[Tabular, dict[str, str]]:
    fitted_input, files = spec.fit(scanned(spec, columns), WHERE)
    return fitted_input, dict(files)


def bad(spec: Tabular, columns) -> dict[int, str]:
    return dict(scan(spec, columns, split="test").issues)


# From columns to rows.


def test_rows_are_numbers_dates_and_then_categories():
    spec, files = fitted(tabular())
    assert spec.columns == KINDS
    assert spec.category_sizes == {"city": 2}
    assert spec.layout == Layout(numbers=6, categories=(4,))
    rows = spec.transform(scanned(spec), files, WHERE)
    assert rows.dtype == np.float32
    assert rows.shape == (4, 7)
    np.testing.assert_allclose(rows[:, 0], [-1.2247, NAN, 1.2247, 0], atol=1e-4)
    assert np.isnan(rows[:, 1:6]).all(axis=1).tolist() == [False, False, True, False]
    assert rows[:, 6].tolist() == [2, 3, 0, 2]


def test_a_list_of_columns_means_auto():
    assert Tabular(columns=["x", "y"]).columns == {"x": "auto", "y": "auto"}
    with pytest.raises(ValidationError):
        Tabular(columns=["x", 1])


def test_refitting_changes_nothing():
    spec, files = fitted(tabular())
    again, files_again = fitted(spec)
    assert (again, files_again) == (spec, files)


def test_training_statistics_are_used_for_all_splits(messages):
    spec, files = fitted(tabular())
    later = {"city": texts("Bergen", ""), "age": np.array([40.0, 60]), "joined": texts(None, None)}
    rows = spec.transform(scanned(spec, later), files, f"{WHERE}, test")
    np.testing.assert_allclose(rows[:, 0], [0, 2.4495], atol=1e-4)
    assert rows[:, 6].tolist() == [1, 0]
    assert messages == [f"{WHERE}, test: unseen categories: 1 of `city`."]


def test_the_file_round_trips_bit_for_bit():
    columns = {"a": np.random.RandomState(0).normal(size=50), "b": texts(*['"ä\n\u2028'] * 50)}
    for normalize in ("standard", "minmax", "quantile", "none"):
        spec = Tabular(columns={"a": "number", "b": "category"}, normalize=normalize)
        fitted_input, files = fitted(spec, columns)
        assert files.keys() == {"statistics.json"}
        rows = fitted_input.transform(scanned(fitted_input, columns), files, WHERE)
        copy = {name: text.encode().decode() for name, text in files.items()}
        assert (
            rows.tobytes()
            == fitted_input.transform(scanned(fitted_input, columns), copy, WHERE).tobytes()
        )
        assert len(set(rows[:, 0].tolist())) == 50


def test_rows_are_described_as_text():
    spec, files = fitted(tabular())
    rows = spec.transform(scanned(spec), files, WHERE)
    assert spec.to_texts(rows[:3], files) == [
        "city Rome, age 30, joined 2024-01-01",
        "city Oslo, age missing, joined 2024-07-01",
        "city missing, age 50, joined missing",
    ]


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({}, ["c", "a", "b", "d"]),
        ({"max_categories": 2}, ["c", "a"]),
        ({"min_count": 2}, ["c", "a"]),
        ({"min_count": 9}, []),
    ],
)
def test_the_number_of_known_categories(options, values):
    spec = Tabular(columns={"x": "category"}, **options)
    fitted_input, files = fitted(spec, {"x": texts(*"abccacd")})
    assert fitted_input.category_sizes == {"x": len(values)}
    assert json.loads(files["statistics.json"])["columns"]["x"]["values"] == values


# What is wrong with rows.


def test_wrong_cells_are_named_with_their_column_and_row():
    spec = Tabular(columns={"age": "number", "joined": "date", "city": "category"})
    columns = {
        "age": texts("1", "abc", "NA", "inf", "2"),
        "joined": texts("2024-01-01", "x", "", "2024-02-30", "2024-02-30"),
        "city": texts(None, "a", "b", "c", "d"),
    }
    assert bad(spec, columns) == {
        1: "its `age` is 'abc', expected a number, between -3.4e+38 and 3.4e+38",
        3: "its `age` is 'inf', expected a number, between -3.4e+38 and 3.4e+38",
        4: "its `joined` is '2024-02-30', expected a date such as 2026-03-01",
    }


def test_empty_cells_can_be_refused():
    spec = tabular(missing="error")
    assert bad(spec, COLUMNS) == {2: "its `city` is empty", 1: "its `age` is empty"}


def test_a_nearly_numeric_column_is_numeric():
    spec = Tabular(columns={"age": "auto"})
    columns = {"age": texts(*["1"] * 99, "many")}
    assert scan(spec, columns).issues.keys() == {99}


def test_only_the_training_split_is_used():
    spec = Tabular(columns={"x": "auto"})
    splits = {"train": {"x": texts("1", "2")}, "test": {"x": texts("a", "2")}}
    found = spec.scan(frame_of(splits), WHERE)
    assert found.values.struct.field("x").dtype == pl.Float64
    assert found.issues.keys() == {2}


def test_uninformative_columns_are_reported():
    columns = {
        "same": np.full(200, 3.0),
        "none": np.full(200, NAN),
        "id": texts(*map(str, [f"row {row}" for row in range(200)])),
        "some": texts(*["a"] * 100, *["b"] * 100),
        "often": texts(*["a"] * 199, None),
    }
    spec = Tabular(columns=dict.fromkeys(columns, "auto"))
    found = scan(spec, columns)
    assert found.notes == (
        "column `same` is constant in the training rows, so the model cannot learn from it: leave "
        "it out",
        "column `none` is empty in all training rows: leave it out",
        "column `id` looks like an identifier: 200 unique values in 200 training rows. Leave "
        "it out",
    )
    fitted_input, files = fitted(spec, columns)
    rows = fitted_input.transform(scanned(fitted_input, columns), files, WHERE)
    assert not np.isinf(rows).any()


def test_images_are_not_tabular_columns():
    spec = Tabular(columns={"photo": "auto"})
    with pytest.raises(DataError, match="found uint8 of shape"):
        scan(spec, {"photo": np.zeros((2, 8, 8, 1), "uint8")})


def test_a_row_without_values_is_a_missing_input_only_with_modality_dropout():
    columns = {"age": np.array([1.0, NAN]), "city": texts("Rome", None)}
    kinds = {"age": "number", "city": "category"}
    assert scan(Tabular(columns=kinds), columns).values.null_count() == 0
    spec = Tabular(columns=kinds, modality_dropout=0.5)
    assert scan(spec, columns).values.is_null().to_list() == [False, True]


# The file of a run.


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: None, "is missing"),
        (lambda text: "", "is damaged: Invalid JSON"),
        (lambda text: text[: len(text) // 2], "is damaged: Invalid JSON"),
        (lambda text: "[]", "is damaged: Input should be an object"),
        (lambda text: "{}", "is damaged, at columns: Field required"),
        (lambda text: text.replace('"spread": ', '"spread": -'), "age.number.spread"),
        (lambda text: text.replace('"spread"', '"sprout"'), "is damaged, at columns.age"),
        (lambda text: text.replace('"centre": ', '"centre": 1e999, "x": '), "is damaged, at"),
        (lambda text: text.replace('"Oslo"', '"Rome"'), "expected each value once"),
        (lambda text: text.replace('"Oslo"', '"Oslo", "Bern"'), "its values differ from config"),
        (lambda text: text.replace('"age"', '"aged"'), "its columns differ from config.yaml"),
        (lambda text: text.replace('"date"', '"datetime"'), "its columns differ from config"),
    ],
)
def test_a_damaged_file_is_refused(damage, words):
    spec, files = fitted(tabular())
    text = damage(files["statistics.json"])
    damaged = {} if text is None else {"statistics.json": text}
    with pytest.raises(RunError) as caught:
        spec.transform(scanned(spec), damaged, WHERE)
    message = str(caught.value)
    assert words in message
    assert message.startswith(f"{WHERE}: statistics.json in the run's folder `preprocessing` is ")
    assert message.endswith("Restore the file, or train again.")
    assert "\n" not in message


# Hidden categories.


def test_categories_are_hidden_half_as_missing_and_half_as_unseen():
    columns = {
        "a": np.array([1.0, 2]),
        "b": texts("x", "y"),
        "c": texts("x", "y"),
    }
    spec, files = fitted(
        Tabular(columns=dict.fromkeys(columns, "auto"), category_dropout=0.2), columns
    )
    rows = spec.transform(scanned(spec, columns), files, WHERE)
    values = tf.constant(np.repeat(rows[:1], 10_000, axis=0))
    stream = Randomness(0, tf.constant(3, tf.int64), tf.range(10_000, dtype=tf.int64))
    hidden = spec.augment_batch(values, stream).numpy()
    np.testing.assert_array_equal(hidden[:, 0], values[:, 0])
    for column in (1, 2):
        shares = np.bincount(hidden[:, column].astype(int), minlength=3) / 10_000
        np.testing.assert_allclose(shares, [0.1, 0.1, 0.8], atol=0.01)
    both = ((hidden[:, 1] < 2) & (hidden[:, 2] < 2)).mean()
    assert both == pytest.approx(0.04, abs=0.01)  # Each by itself.
    np.testing.assert_array_equal(hidden, spec.augment_batch(values, stream))
    assert spec.load(values) is values
    assert spec.replace(category_dropout=0.0).augment_batch(values, stream) is values


# In a config.


def config(**fields: Any) -> Config:
    values = {
        "name": "shop",
        "source": {"type": "dataset", "name": "iris"},
        "inputs": {"facts": {"type": "tabular"}},
        "heads": {"kind": {"type": "classification"}},
    }
    return load_config(values | fields)


def test_by_default_all_remaining_columns_are_used():
    named = config().with_columns().inputs["facts"]
    assert len(named.columns) == 4
    assert set(named.columns.values()) == {"auto"}
    first, *others = named.columns
    inputs = {
        "facts": {"type": "tabular"},
        "length": {"type": "tabular", "columns": {first: "number"}},
    }
    both = config(inputs=inputs).with_columns()
    assert list(both.inputs) == ["facts", "length"]
    assert list(both.inputs["facts"].columns) == others
    assert both.columns["facts"] == "inputs.facts"
    assert both.columns["length"] == first


def test_columns_of_heads_are_excluded():
    named = config(heads={"kind": {"type": "regression", "column": "petal width (cm)"}})
    assert "petal width (cm)" not in named.with_columns().inputs["facts"].columns


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"source": {"type": "synthetic"}}, "the columns of the data are not known yet"),
        (
            {"inputs": {"a": {"type": "tabular"}, "b": {"type": "tabular"}}},
            "no columns remain",
        ),
    ],
)
def test_an_input_without_columns_suggests_a_fix(fields, why):
    with pytest.raises(ConfigError) as caught:
        config(**fields).with_columns()
    name = list(fields.get("inputs", {"facts": 0}))[-1]
    assert str(caught.value) == (
        f"inputs.{name}.columns: missing, and {why}. Write each column with its type, or "
        "auto: {age: auto, city: category}"
    )


def test_missing_columns_are_named():
    inputs = {"facts": {"type": "tabular", "columns": {"petal": "number"}}}
    with pytest.raises(
        ConfigError, match=r"inputs\.facts\.columns: the data has no column 'petal'"
    ):
        config(inputs=inputs)


def test_a_model_requires_fitted_columns():
    with pytest.raises(ConfigError, match=r"inputs\.facts: the model's shape depends on its data"):
        build_model(config(heads={"kind": {"type": "classification", "classes": 3}}).with_columns())


def test_sizes_of_unknown_columns_are_refused():
    with pytest.raises(ValidationError, match="one size per categorical column"):
        Tabular(columns={"a": "category"}, category_sizes={"b": 3})


@pytest.mark.parametrize("kind", ["number", "category", "date", "datetime", "auto"])
def test_synthetic_columns_can_be_trained_on(kind):
    spec = Tabular(columns={"x": kind})
    [required] = spec.required_columns().values()
    assert required.role == ("category" if kind == "category" else "value")
    column = required.synthetic(np.random.RandomState(0), 50)
    np.testing.assert_array_equal(column, required.synthetic(np.random.RandomState(0), 50))
    fitted_input, files = fitted(spec, {"x": column})
    assert fitted_input.columns == {"x": "number" if kind == "auto" else kind}
    rows = fitted_input.transform(scanned(fitted_input, {"x": column}), files, WHERE)
    assert rows.shape == (50, fitted_input.layout.width)
    assert np.isfinite(rows).all()
