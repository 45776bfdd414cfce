"""Wanted: what is asked of a source for each column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from mmzoo.errors import ConfigError
from mmzoo.lazy import np
from mmzoo.spec.wording import shorten

Role = Literal["file", "text", "category", "value", "class", "labels", "number"]
"""What a column is for, and so what a source that has only cells makes of them:

- `file`: absolute paths, text `[rows]`; the others' own arrays, such as uint8 pictures, as they are
- `text`: objects `[rows]`, each a str, or None where there is none
- `value`: float64 `[rows]` with NaN, datetime64 with NaT, or objects `[rows]`: a str or None
- `category`: likewise; but what has no types, as cells of a CSV file, stays text as it is written,
  so that no row is read otherwise for the sake of others
- `class`: int64 `[rows]`, with the classes' names
- `labels`: uint8 `[rows, labels]` of zeros and ones, with the labels' names
- `number`: float32 `[rows]`
"""

OF_INPUTS: tuple[Role, ...] = ("file", "text", "category", "value")
"""What inputs ask for, and heads do not."""
MEANS: Mapping[Role, str] = {
    "file": "files",
    "text": "texts",
    "category": "categories",
    "value": "numbers or categories",
    "class": "classes",
    "labels": "several labels a row",
    "number": "numbers",
}


@dataclass(frozen=True)
class Wanted:
    """A column that is asked of a source."""

    role: Role
    make: Callable[[np.random.RandomState, int], np.ndarray]
    """Makes so many rows of it up."""
    names: tuple[str, ...] | None = None
    """Of a `class` or of `labels`: those that are known already, in order; a row with another one
    is bad. By default they are read off the rows."""
    optional: bool = False
    """Whether a row may have none, and is no bad one for it. Of what heads ask for, its class is -1
    then, its number NaN, and each of its labels, int8 there, -1."""
    missing_files: bool = False
    """Of a `file` that is optional: whether a row has none, too, where there is no such file."""


_AS_TEXT: tuple[Role, ...] = ("value", "category", "text")
"""Who asks for one of these can make use of those behind it."""


def together(parts: Iterable[tuple[str, Mapping[str, Wanted]]]) -> dict[str, Wanted]:
    """What several parts ask of a source, by column.

    Args:
        parts: The place of each in the config, such as `inputs.text`, and what it asks for.

    Raises:
        ConfigError: Two ask for different things of one column.
    """
    asked: dict[str, tuple[str, Wanted]] = {}
    for place, wanted in parts:
        for column, one in wanted.items():
            first, other = asked.get(column, (place, one))
            asked[column] = (place, _both(column, (first, other), (place, one)))
    return {column: one for column, (_, one) in asked.items()}


def _both(column: str, first: tuple[str, Wanted], second: tuple[str, Wanted]) -> Wanted:
    (place, one), (other_place, other) = first, second
    if one.role != other.role:
        if one.role in _AS_TEXT and other.role in _AS_TEXT:
            both = max(one, other, key=lambda wanted: _AS_TEXT.index(wanted.role))
            return replace(both, optional=one.optional and other.optional)
        if place.split(".")[0] != other_place.split(".")[0]:
            raise ConfigError(
                f"{other_place}: predicts column '{shorten(column)}', which {place} reads: the "
                "answer would be part of the question. Name another column."
            )
        raise ConfigError(
            f"{other_place}: reads column '{shorten(column)}' as {MEANS[other.role]}, and {place} "
            f"as {MEANS[one.role]}. Give each a column of its own: the data may have one twice."
        )
    if one.names and other.names and one.names != other.names:
        raise ConfigError(
            f"{other_place}.class_names: expected those of {place}, in the same order, as both "
            f"read column '{shorten(column)}'"
        )
    return replace(
        one,
        names=one.names or other.names,
        optional=one.optional and other.optional,
        missing_files=one.missing_files and other.missing_files,
    )


def column_of(name: str, purpose: Literal["input", "target"], known: Mapping[str, str]) -> str:
    """The column for a part that names none: the one called like it, else the first of its purpose.

    Args:
        name: The part's.
        purpose: What it needs a column for.
        known: The columns that there are and what each is for; empty if that is not known.
    """
    if name in known or not known:
        return name
    return next(column for column, its in known.items() if its == purpose)
