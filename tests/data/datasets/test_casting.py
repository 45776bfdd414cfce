"""Columns of data sets are cast for inputs and heads, or refused with a message."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.column_spec import Role
from mmzoo.data.datasets.casting import cast_column, check_role
from mmzoo.data.datasets.dataset_entry import Kind
from mmzoo.errors import DataError

TEXTS = np.array(["one", "two"], dtype=object)


def test_numbers_are_single_precision_as_targets_and_double_as_inputs() -> None:
    stars = np.array([1.0, 10.0])
    assert cast_column(stars, "number", "number", ()).dtype == np.float32
    assert cast_column(stars, "number", "value", ()).dtype == np.float64


def test_classes_are_numbers_as_targets_and_names_as_inputs() -> None:
    classes = np.array([1, 0, 1])
    assert cast_column(classes, "class", "class", ("neg", "pos")) is classes
    values = cast_column(classes, "class", "value", ("neg", "pos"))
    assert (values.dtype, values.tolist()) == (np.dtype(object), ["pos", "neg", "pos"])
    assert cast_column(classes, "class", "category", ("neg", "pos")).tolist() == values.tolist()


@pytest.mark.parametrize("role", ["text", "value"])
def test_texts_stay_what_they_are(role: Role) -> None:
    assert cast_column(TEXTS, "text", role, ()) is TEXTS


def test_files_stay_what_they_are() -> None:
    paths = np.array(["/a.wav"])
    assert cast_column(paths, "file", "file", ()) is paths


@pytest.mark.parametrize(
    ("kind", "role", "problem"),
    [
        ("text", "class", "texts, expected classes"),
        ("text", "file", "texts, expected files"),
        ("image", "text", "images, expected texts"),
        ("file", "value", "files, expected numbers or categories"),
        ("class", "number", "classes, expected numbers"),
        ("number", "class", "numbers, expected classes"),
        ("class", "labels", "classes, expected multiple labels per row"),
    ],
)
def test_a_column_of_another_kind_is_named(kind: Kind, role: Role, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        check_role("data set imdb: column `x`", kind, role)
    assert str(caught.value) == (
        f"data set imdb: column `x` holds {problem}: choose another column, or another type of the "
        "input or head that reads it."
    )
