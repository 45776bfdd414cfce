"""Rows: where each column of a table stands once all of them are numbers side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mmzoo.inputs.tabular.categories import Categories
from mmzoo.inputs.tabular.cells import Kind
from mmzoo.lazy import np
from mmzoo.modalities.tabular.encoders import UNSEEN, Layout

if TYPE_CHECKING:
    from mmzoo.inputs.tabular.statistics import Column

_WIDTHS: dict[Kind, int] = {"number": 1, "date": 5, "datetime": 7}
"""How many numbers a column of each kind becomes; a category is none of them."""


def categories_of(kinds: Mapping[str, Kind]) -> list[str]:
    """The columns that are categories, in their order."""
    return [column for column, kind in kinds.items() if kind == "category"]


def layout_of(kinds: Mapping[str, Kind], category_sizes: Mapping[str, int]) -> Layout:
    """What stands where in a prepared row.

    Args:
        kinds: What each column holds; none is auto.
        category_sizes: Of each category, how many values are known.
    """
    empty = Categories(values=()).size
    return Layout(
        numbers=sum(_WIDTHS.get(kind, 0) for kind in kinds.values()),
        categories=tuple(empty + category_sizes[column] for column in categories_of(kinds)),
    )


def places_of(kinds: Mapping[str, Kind]) -> dict[str, slice]:
    """Where the values of each column stand in a prepared row: categories behind all else."""
    places, start = {}, 0
    for column in sorted(kinds, key=lambda column: kinds[column] == "category"):
        end = start + _WIDTHS.get(kinds[column], 1)
        places[column] = slice(start, end)
        start = end
    return places


def prepared_rows(
    values: np.ndarray, known: Mapping[str, Column], kinds: Mapping[str, Kind]
) -> tuple[np.ndarray, dict[str, int]]:
    """Opened columns as rows of numbers.

    Args:
        values: Structured `[rows]`, with a field for each column.
        known: What is known of each column.
        kinds: What each holds.

    Returns:
        Float32 `[rows, numbers + categories]`; and how many values of each category are not known,
        where there are such.
    """

    places = places_of(kinds)
    rows = np.empty((len(values), max(place.stop for place in places.values())), np.float32)
    unseen = {}
    for column, place in places.items():
        rows[:, place] = known[column].prepared(values[column])
        if kinds[column] == "category" and (count := int((rows[:, place] == UNSEEN).sum())):
            unseen[column] = count
    return rows, unseen


def written_rows(
    rows: np.ndarray, known: Mapping[str, Column], kinds: Mapping[str, Kind]
) -> list[str]:
    """Prepared rows in words, the columns in their own order: `age 32, city Rome`."""
    places = places_of(kinds)
    texts = [known[column].written(rows[:, places[column]]) for column in kinds]
    return [
        ", ".join(f"{column} {text}" for column, text in zip(kinds, row, strict=True))
        for row in zip(*texts, strict=True)
    ]
