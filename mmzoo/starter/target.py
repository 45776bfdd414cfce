"""What is to be predicted: which head fits a target's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.spec.wording import printable, shorten
from mmzoo.starter.cells import Cells, texts
from mmzoo.starter.kinds import name_parts

_MOST_CLASSES_OF_NUMBERS = 20
"""Whole numbers of more different values are a scale."""
_SEPARATORS = ("|", ";", ",")
_MOST_LABELS = 1_000
_TARGET_NAMES = (
    *("target", "label", "labels", "class", "category", "y", "outcome", "answer", "sentiment"),
    *("diagnosis", "species", "price", "rating", "score", "tags", "genre", "type", "result"),
)
"""What people call the column that they want to predict, likeliest first."""
_LIKELY = 5


@dataclass(frozen=True)
class Target:
    """A column to predict, the head for it, and why, as a clause.

    Attributes:
        head: fields of the head, `type` first.
        separator: what parts the labels of a cell.
        classes: whether its values are classes, whose shares a cut keeps.
        rare: classes of a single row, which no cut can share out.
    """

    cells: Cells
    head: Mapping[str, Any]
    why: str
    separator: str | None = None
    classes: bool = False
    rare: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        return self.cells.name


def judge_target(column: pl.Series, cells: Cells) -> Target:
    """The head for a target.

    Raises:
        DataError: nothing can be learnt of the column.
    """
    name = printable(cells.name)
    if cells.filled == 0:
        raise DataError(f"--target {name}: the column is empty, so there is nothing to predict")
    if cells.distinct == 1:
        raise DataError(
            f"--target {name}: it is '{shorten(cells.example)}' in every row, so there is nothing "
            "to predict"
        )
    if cells.reads in ("nested", "date"):
        what = "dates" if cells.reads == "date" else "neither texts nor numbers"
        raise DataError(f"--target {name}: its cells are {what}; expected classes or numbers")
    if cells.reads == "list":
        return Target(cells, {"type": "multilabel"}, "its cells are lists of labels")
    if cells.reads == "number" and not cells.codes and not _few_classes(cells):
        low, high = cells.span
        return Target(cells, {"type": "regression"}, f"numbers from {low:g} to {high:g}")
    if cells.disguise and not _few_values(cells):
        raise DataError(f"--target {name}: its cells are {cells.disguise}")
    if separator := _separator(column, cells):
        why = f"several labels a cell, with '{separator}' between them"
        return Target(cells, {"type": "multilabel"}, why, separator)
    if not cells.repeats:
        odd = f" '{shorten(cells.odd)}' is no number." if cells.odd else ""
        raise DataError(
            f"--target {name}: {cells.distinct:,} different values in {cells.filled:,} rows are "
            f"too many for classes, and they are no numbers.{odd}"
        )
    counts = texts(column).drop_nulls().value_counts()
    rare = tuple(sorted(counts.filter(counts["count"] == 1)[cells.name].to_list()))
    kind = "binary" if cells.distinct == 2 else "classification"
    return Target(cells, {"type": kind}, f"{cells.distinct:,} classes", classes=True, rare=rare)


def likely_targets(cells: list[Cells]) -> list[str]:
    """Names of columns that somebody may want to predict, likeliest first."""
    possible = [one for one in cells if _possible(one)]

    def place(one: Cells) -> tuple[int, int]:
        parts = name_parts(one.name)
        named = [rank for rank, name in enumerate(_TARGET_NAMES) if name in parts]
        return (min(named, default=len(_TARGET_NAMES)), -cells.index(one))

    return [one.name for one in sorted(possible, key=place)[:_LIKELY]]


def _possible(cells: Cells) -> bool:
    if cells.distinct < 2 or cells.media or cells.reads in ("date", "nested"):
        return False
    if name_parts(cells.name)[-1] in ("id", "fold", "split"):
        return False
    return cells.repeats or (cells.reads == "number" and not cells.whole)


def _few_classes(cells: Cells) -> bool:
    return cells.whole and _few_values(cells)


def _few_values(cells: Cells) -> bool:
    return cells.repeats and cells.distinct <= _MOST_CLASSES_OF_NUMBERS


def _separator(column: pl.Series, cells: Cells) -> str | None:
    """What parts the labels of a cell: what leaves few labels that come back in many cells."""
    values = texts(column).drop_nulls()
    for separator in _SEPARATORS:
        having = values.str.contains(separator, literal=True).sum()
        if having < len(values) / 20:
            continue
        labels = values.str.split(separator).explode().str.strip_chars()
        found = labels.n_unique()
        if found <= _MOST_LABELS and found < cells.distinct and len(labels) >= 3 * found:
            return separator
    return None
