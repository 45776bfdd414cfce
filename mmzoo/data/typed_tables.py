"""Tables with typed columns: JSON lines and Parquet."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from io import BytesIO
from typing import Any

from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.spec.wording import describe, escape, shorten

MAX_ROWS = 200_000_000
"""A Parquet file of a few kilobytes can have more rows than fit into memory."""
_AS_TEXT = {frozenset(("text", "a number")), frozenset(("text", "true or false"))}
"""Kinds of values that polars reads as text if a column mixes them."""
_HALF = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)
"""A lone surrogate: half of a pair of escapes for one character."""
_BRACKET = r"^[\[{]"
"""The beginning of a list or an object that polars has read as text."""


def read_json_lines(content: bytearray, shown: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The columns of JSON lines: an object in each line, whose keys are the columns.

    A column that mixes numbers and text is text.

    Raises:
        DataError: A line is not an object, or a column mixes kinds that have nothing in common.
    """
    if content.lstrip()[:1] == b"[":
        raise DataError(
            f"{shown}: it is a single JSON list. Expected an object in each line; "
            "`jq -c '.[]'` makes lines of such a list."
        )
    if not content.strip():
        raise DataError(f"{shown}: it has only blank lines.")
    try:
        frame = pl.read_ndjson(bytes(content), infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        _check_lines(content, shown)
        first = escape(str(error).splitlines()[0])
        raise DataError(f"{shown}: it cannot be read as JSON lines ({first}).") from None
    lines = content.count(b"\n") + (content[-1:] != b"\n")
    if frame.height != lines:  # Some lines may be blank.
        _check_lines(content, shown)
        lines = sum(1 for _ in _lines(content))
    if frame.height != lines:
        raise DataError(f"{shown}: {frame.height:,} rows were read of {lines:,} lines.")
    if not frame.width:
        raise DataError(f"{shown}: the objects in it have no keys.")
    if _may_be_misread(content, frame):
        _check_lines(content, shown)
    return frame, tuple(frame.columns)


def _may_be_misread(content: bytearray, frame: pl.DataFrame) -> bool:
    """Whether there may be something that polars silently misreads.

    It reads lists and objects as text if other cells of the column are text, and accepts lone
    surrogates, duplicate keys and lines that are not objects.
    """
    # Some versions of polars read anything but an object as a row of nulls.
    text = np.frombuffer(content, np.uint8)
    starts = np.append(0, np.flatnonzero(text[:-1] == ord("\n")) + 1)
    if not np.isin(text[starts], np.frombuffer(b"{ \t\r\n", np.uint8)).all():
        return True
    if (b"\\ud" in content or b"\\uD" in content) and _HALF.search(content):
        return True
    for column in frame:
        if sum(content.count(way + b":") for way in _spellings(column.name)) > len(frame):
            return True
        if column.dtype == pl.String and _may_be_lists(content, column):
            return True
    lists = [column for column in frame if column.dtype == pl.List(pl.String)]
    return any(column.explode().str.contains(_BRACKET).any() for column in lists) and (
        _may_be_lists_in_lists(text)
    )


def _spellings(name: str) -> set[bytes]:
    """A key as JSON may spell it."""
    return {json.dumps(name).encode(), json.dumps(name, ensure_ascii=False).encode()}


def _may_be_lists(content: bytearray, column: pl.Series) -> bool:
    """Whether a text column may have cells that were lists or objects.

    Texts may begin with a bracket too, within quotes: if as many do as cells, all cells are texts.
    """
    cells = int(column.str.contains(_BRACKET).sum())
    texts = 0
    for spelling in _spellings(column.name) if cells else ():
        key = re.escape(spelling) + rb"\s*:\s*"
        if re.search(key + rb"[\[{]", content):
            return True
        texts += len(re.findall(key + rb'"[\[{]', content))
    return texts < cells


def _may_be_lists_in_lists(text: np.ndarray) -> bool:
    """Whether a bracket comes after another, or after a comma, with or without a space."""
    places = np.flatnonzero((text == ord("[")) | (text == ord("{")))
    before = text[np.maximum(places - 1, 0)]
    before = np.where(before == ord(" "), text[np.maximum(places - 2, 0)], before)
    return bool(np.isin(before[places > 0], np.frombuffer(b"[, \t", np.uint8)).any())


def _lines(content: bytearray) -> Iterator[tuple[int, bytearray]]:
    """The lines that are not blank, and their numbers."""
    start, number = 0, 0
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        number += 1
        line = content[start:end]
        if line and not line.isspace():
            yield number, line
        start = end + 1


def _check_lines(content: bytearray, shown: str) -> None:
    """Parses line by line to find what polars does not report: which line is wrong, and how."""
    kinds: dict[str, tuple[str, int]] = {}
    for number, line in _lines(content):
        where = f"{shown}: line {number:,}"
        try:
            row = json.loads(
                line,
                parse_constant=_refuse_constant,
                parse_float=_finite,
                object_pairs_hook=_object,
            )
            json.dumps(row, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise DataError(
                f"{where} has a lone surrogate (\\ud800 to \\udfff), half of a character."
            ) from None
        except RecursionError:
            raise DataError(f"{where} has lists or objects that are nested too deeply.") from None
        except ValueError as error:
            if place := str(getattr(error, "colno", "")):
                place = f" at column {place}"
            raise DataError(
                f"{where} is not JSON{place} ({getattr(error, 'msg', error)}): "
                f"{describe(line.decode())}"
            ) from None
        if not isinstance(row, dict):
            raise DataError(
                f"{where}: expected an object with a key for each column; got {describe(row)}."
            )
        for key, value in row.items():
            kind = _kind(value)
            if kind is None:
                continue
            first, at = kinds.setdefault(key, (kind, number))
            if kind != first and frozenset((kind, first)) not in _AS_TEXT:
                raise DataError(
                    f"{shown}: key '{shorten(key)}' holds {first} in line {at:,}, and {kind} in "
                    f"line {number:,}. Write values of one kind."
                )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for place, (key, _) in enumerate(pairs) if key in dict(pairs[:place]))
        raise ValueError(f"key '{shorten(twice)}' is duplicate")
    return found


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not a number in JSON; write null")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is too large for a number of 64 bits; write null")
    return number


def _kind(value: Any) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"


def read_parquet(
    file: BytesIO, shown: str, wanted: Collection[str] | None
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Some or all columns of a Parquet file, and the names of all.

    Raises:
        DataError: It is damaged, truncated, or has more than `MAX_ROWS` rows.
    """
    try:
        scan = pl.scan_parquet(file, glob=False)
        names = tuple(scan.collect_schema().names())
        rows = int(scan.select(pl.len()).collect().item())
        if rows > MAX_ROWS:
            raise DataError(
                f"{shown}: it has {rows:,} rows, more than the limit of {MAX_ROWS:,}. Split it."
            )
        chosen = [name for name in names if wanted is None or name in set(wanted)]
        frame = scan.select(chosen or names[:1]).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        first = escape(str(error).splitlines()[0] if str(error) else "")
        raise DataError(
            f"{shown}: the Parquet file is damaged, truncated, or of a kind that polars does not "
            f"read ({first}). Write it again."
        ) from None
    if frame.height != rows:
        raise DataError(f"{shown}: {frame.height:,} rows were read of {rows:,}. Write it again.")
    if not rows:
        raise DataError(f"{shown}: there are no rows in it.")
    return frame, names
