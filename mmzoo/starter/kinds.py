"""What a column is, by its name and what is in its cells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mmzoo.sources.table.split import WORDS
from mmzoo.spec.wording import shorten
from mmzoo.starter.cells import Cells

Kind = Literal[
    "image",
    "audio",
    "text",
    "category",
    "number",
    "date",
    "datetime",
    "split",
    "fold",
    "group",
    "target",
    "left out",
]
"""What a column is taken as. A `group` is no input, but its rows stay together in one split."""

MEDIA = ("image", "audio")
TABULAR = ("number", "category", "date", "datetime")
"""Kinds that one tabular input reads together."""

_MOST_CATEGORIES = 1_000
_FEW_WORDS, _MANY_WORDS = 2, 4
"""Below and from which cells are names of things, and are sentences."""
_FEW_VALUES = 20
"""So few sentences are names of things all the same."""
_IDS = {"id", "ids", "uuid", "guid", "index", "idx", "key", "hash", "sha256", "md5", "rowid"}
_PEOPLE = {
    *("author", "customer", "household", "participant", "patient", "person", "session"),
    *("speaker", "subject", "user", "writer"),
}
_MANY_GROUPS = 20
_OF_SPLITS = {"split", "splits", "subset", "set", "partition", "part", "phase"}
SEEMS_SPLIT = "it seems to name splits"


@dataclass(frozen=True)
class Judged:
    """A column, what it is taken as, and why, as a clause."""

    cells: Cells
    kind: Kind
    why: str

    @property
    def name(self) -> str:
        return self.cells.name


def judge(cells: Cells, split_words: frozenset[str]) -> Judged:
    """What a column that is no target is.

    Args:
        cells: What is in it.
        split_words: Its values in lower case, if they are few enough to be words for splits.
    """
    kind, why = (
        _nothing(cells)
        or _split(cells, split_words)
        or _media(cells)
        or _name(cells)
        or _values(cells)
    )
    return Judged(cells, kind, why)


def name_parts(name: str) -> list[str]:
    """The words of a column's name: `patientId`, `patient_id` and `Patient ID` have two."""
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return re.split(r"[\W_]+", parts.lower().strip("_ "))


def _nothing(cells: Cells) -> tuple[Kind, str] | None:
    if cells.filled == 0:
        return "left out", "it is empty"
    if cells.reads == "nested":
        return "left out", "its cells are neither texts nor numbers"
    if cells.distinct == 1:
        return "left out", f"it is always '{shorten(cells.example)}'"
    if cells.unread:
        return "left out", f"mmzoo does not read {cells.unread} files"
    return None


def _split(cells: Cells, words: frozenset[str]) -> tuple[Kind, str] | None:
    parts = name_parts(cells.name)
    known = words & WORDS.keys()
    if "train" in {WORDS[word] for word in known}:
        if others := sorted(words - known):
            if len(known) > 1 or _OF_SPLITS & set(parts):
                odd = ", ".join(f"'{shorten(word)}'" for word in others)
                return "left out", f"{SEEMS_SPLIT}, but {odd} is not train, validation or test"
        elif cells.missing:
            return "left out", f"{SEEMS_SPLIT}, but {cells.missing:,} cells are empty"
        else:
            return "split", f"its values are {', '.join(sorted(words))}"
    if parts[-1] in ("fold", "folds", "cv") and cells.whole and 3 <= cells.distinct <= 20:
        return "fold", f"it numbers {cells.distinct} folds"
    return None


def _media(cells: Cells) -> tuple[Kind, str] | None:
    if cells.media is None:
        return None
    return cells.media, f"paths of {cells.media} files, such as {shorten(cells.example)}"


def _name(cells: Cells) -> tuple[Kind, str] | None:
    """What names a row or whoever it is of, and says nothing about it."""
    parts = name_parts(cells.name)
    is_short = cells.reads == "number" or cells.words <= _FEW_WORDS
    if not is_short or (cells.reads == "number" and not cells.whole):
        return None
    if _PEOPLE & set(parts) and _MANY_GROUPS <= cells.distinct < cells.filled:
        return "group", f"it names {cells.distinct:,} of whom rows are: each stays in one split"
    if parts[-1] in _IDS and not (cells.repeats and cells.distinct <= _FEW_VALUES):
        return "left out", "its name says that it numbers or names rows"
    if parts == ["", ""] or parts == [""] or parts[0] == "unnamed":
        return "left out", "it has no name, and so is probably the number of the row"
    return None


def _values(cells: Cells) -> tuple[Kind, str]:
    distinct = f"{cells.distinct:,} different values"
    match cells.reads:
        case "number" if cells.codes and cells.distinct <= _MOST_CATEGORIES:
            return "category", f"numbers that begin with 0 are codes; {distinct}"
        case "number" if cells.whole and _counts_rows(cells):
            return "left out", "it counts the rows"
        case "number":
            low, high = cells.span
            return "number", f"numbers from {low:g} to {high:g}"
        case "date":
            kind: Kind = "date" if cells.whole else "datetime"
            return kind, f"such as {shorten(cells.example)}"
        case "list":
            return "left out", "its cells are lists, which are read of a target only"
    if cells.disguise and cells.distinct > _FEW_VALUES:
        return "left out", str(cells.disguise)
    if cells.words >= _MANY_WORDS and cells.distinct > _FEW_VALUES:
        return "text", f"{cells.words:g} words in a usual cell; {distinct}"
    if cells.repeats and cells.distinct <= _MOST_CATEGORIES:
        odd = f"; not numbers, because of '{shorten(cells.odd)}'" if cells.odd else ""
        return "category", f"{distinct}{odd}"
    if cells.odd:
        return "left out", f"nearly all are numbers or dates, but there is '{shorten(cells.odd)}'"
    if cells.words >= _FEW_WORDS:
        return "text", f"{cells.words:g} words in a usual cell; {distinct}"
    if cells.repeats:
        return "left out", f"too many different values for a category: {cells.distinct:,}"
    return "left out", f"names of rows: {distinct} of one word in {cells.filled:,} rows"


def _counts_rows(cells: Cells) -> bool:
    """Whether whole numbers are 0, 1, 2, ... or 1, 2, 3, ... in some order."""
    low, high = cells.span
    return cells.distinct == cells.rows > 2 and low in (0, 1) and high - low == cells.rows - 1
