"""ColumnSpec: what an input or head requires of a column of the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from mmzoo.errors import ConfigError
from mmzoo.lazy import np
from mmzoo.spec.wording import shorten

Role = Literal["file", "text", "category", "value", "class", "labels", "number"]
"""Role of a column, which determines how a source converts its cells:

- `file`: absolute paths, strings `[rows]`; sources of arrays, such as uint8 images, return those
- `text`: objects `[rows]`, each a str, or None where missing
- `value`: float64 `[rows]` with NaN, datetime64 with NaT, or objects `[rows]`, each a str or None
- `category`: like `value`, but untyped cells, as in CSV files, remain strings, so that the values
  of a row do not depend on other rows
- `class`: int64 `[rows]`, with class names
- `labels`: uint8 `[rows, labels]` of zeros and ones, with label names
- `number`: float64 `[rows]`; int64 if float64 would round whole numbers of the table
"""

INPUT_ROLES: tuple[Role, ...] = ("file", "text", "category", "value")
"""Roles of the columns of inputs, as opposed to heads."""
ROLE_NOUNS: Mapping[Role, str] = {
    "file": "files",
    "text": "texts",
    "category": "categories",
    "value": "numbers or categories",
    "class": "classes",
    "labels": "multiple labels per row",
    "number": "numbers",
}
"""Role -> plural noun, for messages."""


@dataclass(frozen=True)
class ColumnSpec:
    """Requirements of an input or head for one column of the source."""

    role: Role
    synthetic: Callable[[np.random.RandomState, int], np.ndarray]
    """Generates synthetic rows, given their number."""
    names: tuple[str, ...] | None = None
    """Names of the classes or labels, in order; rows with other ones are bad. By default, they are
    collected from the rows."""
    optional: bool = False
    """Whether values may be missing; otherwise rows without a value are bad. A missing class is -1,
    a missing number NaN; missing labels are -1, as int8."""
    missing_files: bool = False
    """For an optional `file`: whether paths without a file count as missing."""
    separator: str = "|"
    """For `labels`: what separates several labels in a cell of text."""


_AS_TEXT: tuple[Role, ...] = ("value", "category", "text")
"""Each of these roles can be converted to those after it."""


def merge_column_specs(
    parts: Iterable[tuple[str, Mapping[str, ColumnSpec]]],
) -> dict[str, ColumnSpec]:
    """Merges the requirements of several parts: column -> spec.

    Args:
        parts: name of each part in the config, such as `inputs.text`, and its column specs.

    Raises:
        ConfigError: two parts have different requirements for one column.
    """
    merged: dict[str, tuple[str, ColumnSpec]] = {}
    for part, specs in parts:
        for column, spec in specs.items():
            first, other = merged.get(column, (part, spec))
            merged[column] = (part, _merge(column, (first, other), (part, spec)))
    return {column: spec for column, (_, spec) in merged.items()}


def _merge(
    column: str, first: tuple[str, ColumnSpec], second: tuple[str, ColumnSpec]
) -> ColumnSpec:
    (part, one), (other_part, other) = first, second
    if one.role != other.role:
        if one.role in _AS_TEXT and other.role in _AS_TEXT:
            both = max(one, other, key=lambda spec: _AS_TEXT.index(spec.role))
            return replace(both, optional=one.optional and other.optional)
        if part.split(".")[0] != other_part.split(".")[0]:
            raise ConfigError(
                f"{other_part}: predicts column '{shorten(column)}', which {part} reads: that "
                "would leak the target into the input. Choose another column."
            )
        raise ConfigError(
            f"{other_part}: reads column '{shorten(column)}' as {ROLE_NOUNS[other.role]}, but "
            f"{part} as {ROLE_NOUNS[one.role]}. Use different columns; you can duplicate the "
            "column in the data."
        )
    if one.separator != other.separator:
        raise ConfigError(
            f"{other_part}.separator: expected that of {part}, {one.separator!r}, since both read "
            f"column '{shorten(column)}'"
        )
    if one.names and other.names and one.names != other.names:
        raise ConfigError(
            f"{other_part}.class_names: expected those of {part}, in the same order, since both "
            f"read column '{shorten(column)}'"
        )
    return replace(
        one,
        names=one.names or other.names,
        optional=one.optional and other.optional,
        missing_files=one.missing_files and other.missing_files,
    )


def default_column(name: str, purpose: Literal["input", "target"], known: Mapping[str, str]) -> str:
    """Column of a part that names none: the one with its name, or else the first for its purpose.

    Args:
        name: name of the part.
        purpose: what it needs a column for.
        known: column -> purpose; empty if the columns are not known yet.
    """
    if name in known or not known:
        return name
    return next(column for column, its_purpose in known.items() if its_purpose == purpose)
