"""Several labels in a cell: lists, lists written as text, and labels between separators."""

from __future__ import annotations

import ast
import json
import re

from mmzoo.data.column_types import as_texts, is_missing_word
from mmzoo.lazy import pl

SEPARATORS = ("|", ";", ",")
"""Usual separators of labels."""
_CALL = r"(?:np\.|numpy\.)?(?:array|list|tuple|set|frozenset)"
_LIST = rf"(?s)^\s*(?:{_CALL}\(.*\)|\[.*\]|\(.*\)|\{{.*\}})\s*$"
_CALLED = re.compile(rf"{_CALL}\((.*?)(?:,\s*dtype=[^()\[\]]*)?\)", re.DOTALL)
"""As in `array(['a', 'b'], dtype=object)`."""
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
_ITEM = re.compile(
    rf"\s*(?:{_QUOTED.pattern}|(?i:nan|none|null|nat|<na>)(?=[\s,]|$)|([^,]+))", re.DOTALL
)
"""An item in single quotes, in double quotes, a missing one, or one without quotes."""


def label_lists(column: pl.Series, separator: str, where: str) -> tuple[pl.Series, pl.Series]:
    """The labels of each row: a list of strings, empty if it has none; null for a missing label.

    Cells are lists, or texts: most of them lists written as text, or labels between separators.

    Returns:
        The lists, and which cells are not a list, unlike most: bool `[rows]`.
    """
    odd = pl.repeat(False, len(column), eager=True)
    if isinstance(column.dtype, pl.List | pl.Array):
        lists = column.cast(pl.List(column.dtype.inner))
    else:
        texts = as_texts(column, where, "labels")
        written = parse_lists(texts)
        lists = texts.str.split(separator) if written is None else written
        if written is not None:
            odd = written.is_null() & ~_is_missing(texts)
    owner = pl.Series(range(len(lists)), dtype=pl.Int64)
    rows = pl.DataFrame({"row": owner, "label": lists}).explode("label")
    rows = rows.with_columns(as_texts(rows["label"], where, "labels").str.strip_chars())
    rows = rows.filter(pl.col("label").is_not_null() & (pl.col("label") != ""))
    found = rows.group_by("row", maintain_order=True).agg(pl.col("label"))
    every = pl.DataFrame({"row": owner, "empty": lists.is_null()}).join(found, "row", how="left")
    nothing = pl.lit([], dtype=pl.List(pl.String))
    labels = pl.when(pl.col("empty")).then(None).otherwise(pl.col("label").fill_null(nothing))
    return every.sort("row").select(labels.alias(column.name)).to_series(), odd


def other_separator(column: pl.Series, separator: str) -> str | None:
    """The separator that cells have instead of the given one; None if they have that, or none."""
    if column.dtype != pl.String or column.str.contains(separator, literal=True).any():
        return None
    enough = len(column) / 20
    often = (one for one in SEPARATORS if column.str.contains(one, literal=True).sum() > enough)
    found = next(often, None)
    return found if found and parse_lists(column) is None else None


def parse_lists(texts: pl.Series) -> pl.Series | None:
    """The lists of strings in cells such as `['a', 'b']`; None if most cells are no lists.

    Lists are those of JSON, Python (tuples and sets too), numpy (`['a' 'b']`), or without quotes.
    Null for other cells: empty ones, words for a missing value, and a few that are no lists.
    """
    filled = texts.filter(~_is_missing(texts))
    written = filled.filter(filled.str.contains(_LIST))
    if not len(filled) or 2 * len(written) <= len(filled):
        return None
    parsed = {text: _parse_list(text.strip()) for text in written.unique().to_list()}
    lists = pl.Series(
        texts.name, [parsed.get(text) for text in texts.to_list()], dtype=pl.List(pl.String)
    )
    return lists if 2 * lists.count() > len(filled) else None


def _is_missing(texts: pl.Series) -> pl.Series:
    stripped = texts.str.strip_chars()
    return texts.is_null() | (stripped == "").fill_null(True) | is_missing_word(stripped)


def _parse_list(text: str) -> list[str] | None:
    """The items as strings, without missing ones; None if it is no list of labels."""
    if called := _CALLED.fullmatch(text):
        text = called[1].strip() or "[]"
    try:
        found = json.loads(text)
    except ValueError:
        inner = text[1:-1]
        others = _QUOTED.sub("", inner).strip()
        quoted = [a or b for a, b in _QUOTED.findall(text)]
        if quoted and not others:
            return quoted  # Python would read numpy's 'a' 'b' as 'ab'.
        try:
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            # numpy writes `...` for items that it leaves out.
            if text[0] != "[" or "[" in others or "..." in others.split():
                return None
            found = [(a or b or c).strip() for a, b, c in _ITEM.findall(inner)]
            found = [item for item in found if item]
    if not isinstance(found, list | tuple | set):
        return None
    items = sorted(found, key=str) if isinstance(found, set) else found
    items = [
        item for item in items if item is not None and item == item
    ]  # NaN differs from itself.
    if not all(isinstance(item, str | int | float) for item in items):
        return None
    return [
        f"{item:.0f}" if isinstance(item, float) and item % 1 == 0 else str(item) for item in items
    ]
