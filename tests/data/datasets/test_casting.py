"""Columns of data sets are cast for inputs and heads, or refused with a message."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.column_spec import ColumnSpec, Role
from mmzoo.data.datasets import NAMED
from mmzoo.data.datasets.casting import cast_column, check_specs
from mmzoo.errors import DataError

IMDB, FSDD = NAMED["imdb"], NAMED["fsdd"]
TEXTS = np.array(["one", "two"], dtype=object)


@pytest.mark.parametrize("role", ["number", "value", "category"])
def test_numbers_are_double_precision(role: Role) -> None:
    assert cast_column(IMDB, "rating", np.array([1, 10]), role).dtype == np.float64


def test_classes_are_ids_as_targets_and_names_as_inputs() -> None:
    classes = np.array([1, 0, 1])
    assert cast_column(IMDB, "label", classes, "class") is classes
    values = cast_column(IMDB, "label", classes, "value")
    assert (values.dtype, values.tolist()) == (np.dtype(object), ["pos", "neg", "pos"])
    assert cast_column(IMDB, "label", classes, "category").tolist() == values.tolist()


@pytest.mark.parametrize("role", ["text", "value"])
def test_texts_are_unchanged(role: Role) -> None:
    assert cast_column(IMDB, "text", TEXTS, role) is TEXTS


def test_files_are_unchanged() -> None:
    paths = np.array(["/a.wav"])
    assert cast_column(FSDD, "audio", paths, "file") is paths


@pytest.mark.parametrize(
    ("name", "column", "role", "problem"),
    [
        ("imdb", "text", "class", "texts, expected classes"),
        ("imdb", "text", "file", "texts, expected files"),
        ("mnist", "image", "text", "images, expected texts"),
        ("fsdd", "audio", "value", "files, expected numbers or categories"),
        ("imdb", "label", "number", "classes, expected numbers"),
        ("imdb", "rating", "class", "numbers, expected classes"),
        ("imdb", "label", "labels", "classes, expected multiple labels per row"),
    ],
)
def test_a_column_of_the_wrong_type_is_named(
    name: str, column: str, role: Role, problem: str
) -> None:
    spec = ColumnSpec(role, lambda random, rows: np.zeros(rows))
    with pytest.raises(DataError) as caught:
        check_specs(NAMED[name], {column: spec})
    assert str(caught.value) == (
        f"data set {name}: column `{column}` holds {problem}: choose another column, or another "
        "type of the input or head that reads it."
    )
