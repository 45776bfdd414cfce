"""Columns become what they are wanted for, or the error says what they hold."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.errors import DataError
from mmzoo.sources.named.entry import Kind
from mmzoo.sources.roles import check_role, in_role
from mmzoo.wanted import Role

TEXTS = np.array(["one", "two"], dtype=object)


def test_numbers_are_single_precision_as_targets_and_double_as_inputs() -> None:
    stars = np.array([1.0, 10.0])
    assert in_role(stars, "number", "number", ()).dtype == np.float32
    assert in_role(stars, "number", "value", ()).dtype == np.float64


def test_classes_are_numbers_as_targets_and_names_as_inputs() -> None:
    classes = np.array([1, 0, 1])
    assert in_role(classes, "class", "class", ("neg", "pos")) is classes
    values = in_role(classes, "class", "value", ("neg", "pos"))
    assert (values.dtype, values.tolist()) == (np.dtype(object), ["pos", "neg", "pos"])
    assert in_role(classes, "class", "category", ("neg", "pos")).tolist() == values.tolist()


@pytest.mark.parametrize("role", ["text", "value"])
def test_texts_stay_what_they_are(role: Role) -> None:
    assert in_role(TEXTS, "text", role, ()) is TEXTS


def test_files_stay_what_they_are() -> None:
    paths = np.array(["/a.wav"])
    assert in_role(paths, "file", "file", ()) is paths


@pytest.mark.parametrize(
    ("kind", "role", "problem"),
    [
        ("text", "class", "texts, expected classes"),
        ("text", "file", "texts, expected files"),
        ("image", "text", "pictures, expected texts"),
        ("file", "value", "files, expected numbers or categories"),
        ("class", "number", "classes, expected numbers"),
        ("number", "class", "numbers, expected classes"),
        ("class", "labels", "classes, expected several labels a row"),
    ],
)
def test_a_column_of_another_kind_is_named(kind: Kind, role: Role, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        check_role("data set imdb: column `x`", kind, role)
    assert str(caught.value) == (
        f"data set imdb: column `x` holds {problem}: choose another column, or another type of the "
        "input or head that reads it."
    )
