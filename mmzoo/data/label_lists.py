"""Several labels in a cell: lists, lists written as text, and labels between separators."""

from __future__ import annotations

import ast
import json
import re

from mmzoo.data.column_types import as_texts
from mmzoo.lazy import pl

SEPARATORS = ("|", ";", ",")
"""Usual separators of labels."""
_LIST = r"(?s)^\s*(\[.*\]|\(.*\)|\{.*\})\s*$"
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)


def label_lists(column: pl.Series, separator: str, where: str) -> pl.Series:
    """The labels of each row: a list of strings, empty if it has none; null for an empty cell.

    Cells are lists, or texts: all of them lists written as text, or labels between separators.
    """
    if isinstance(column.dtype, pl.List | pl.Array):
        lists = column.cast(pl.List(column.dtype.inner))
    else:
        texts = as_texts(column, where, "labels")
        written = parse_lists(texts)
        lists = texts.str.split(separator) if written is None else written
    owner = pl.Series(range(len(lists)), dtype=pl.Int64)
    rows = pl.DataFrame({"row": owner, "label": lists}).explode("label")
    rows = rows.with_columns(as_texts(rows["label"], where, "labels").str.strip_chars())
    rows = rows.filter(pl.col("label").is_not_null() & (pl.col("label") != ""))
    found = rows.group_by("row", maintain_order=True).agg(pl.col("label"))
    every = pl.DataFrame({"row": owner, "empty": lists.is_null()}).join(found, "row", how="left")
    nothing = pl.lit([], dtype=pl.List(pl.String))
    labels = pl.when(pl.col("empty")).then(None).otherwise(pl.col("label").fill_null(nothing))
    return every.sort("row").select(labels.alias(column.name)).to_series()


def other_separator(column: pl.Series, separator: str) -> str | None:
    """The separator that cells have instead of the given one; None if they have that, or none."""
    if column.dtype != pl.String or column.str.contains(separator, literal=True).any():
        return None
    enough = len(column) / 20
    often = (one for one in SEPARATORS if column.str.contains(one, literal=True).sum() > enough)
    found = next(often, None)
    return found if found and parse_lists(column) is None else None


def parse_lists(texts: pl.Series) -> pl.Series | None:
    """The lists of strings in cells such as `['a', 'b']`, null where a cell is; None if any other.

    Lists are those of JSON, Python (tuples and sets too), numpy (`['a' 'b']`), or without quotes.
    """
    filled = texts.drop_nulls()
    if not len(filled) or not filled.str.contains(_LIST).all():
        return None
    parsed = {text: _parse_list(text.strip()) for text in filled.unique().to_list()}
    if any(one is None for one in parsed.values()):
        return None
    lists = [None if text is None else parsed[text] for text in texts.to_list()]
    return pl.Series(texts.name, lists, dtype=pl.List(pl.String))


def _parse_list(text: str) -> list[str] | None:
    try:
        found = json.loads(text)
    except ValueError:
        quoted = [a or b for a, b in _QUOTED.findall(text)]
        if quoted and not _QUOTED.sub("", text[1:-1]).strip():
            return quoted  # Python would read numpy's 'a' 'b' as 'ab'.
        try:
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            if text[0] != "[" or "[" in text[1:]:
                return None
            found = [part.strip() for part in text[1:-1].split(",")]
    if not isinstance(found, list | tuple | set):
        return None
    items = sorted(found, key=str) if isinstance(found, set) else found
    if not all(isinstance(item, str | int | float) for item in items):
        return None
    return [
        f"{item:.0f}" if isinstance(item, float) and item % 1 == 0 else str(item) for item in items
    ]
