"""Writing tables as CSV, JSON lines or Parquet, by the file's ending."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmzoo.errors import DataError
from mmzoo.files import replacing
from mmzoo.lazy import pl

ENDINGS = (".csv", ".jsonl", ".parquet")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?", re.ASCII)


def check_ending(path: Path) -> None:
    """Raises a DataError if the name has no known ending; to be called before any work is done."""
    if path.suffix.lower() not in ENDINGS:
        raise DataError(f"{path}: expected a name that ends in {', '.join(ENDINGS)}")


def write_table(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Writes a table atomically.

    In CSV, texts that a spreadsheet would run as a formula are prefixed with an apostrophe; numbers
    with a sign are not formulas.
    """
    check_ending(path)
    ending = path.suffix.lower()
    clean = _escape_formula if ending == ".csv" else writable
    columns = {name: [clean(value) for value in values] for name, values in columns.items()}
    frame = pl.DataFrame(columns, strict=False)
    # Python's file object raises errors that say why; those of polars do not.
    with replacing(path) as temporary, temporary.open("wb") as file:
        match ending:
            case ".csv":
                frame.write_csv(file)
            case ".jsonl":
                frame.write_ndjson(file)
            case ".parquet":
                frame.write_parquet(file)


def writable(value: Any) -> Any:
    """The value, with replacement characters for what UTF-8 cannot encode.

    File names on Linux are bytes; invalid UTF-8 in them reaches Python as lone surrogates.
    """
    if not isinstance(value, str):
        return value
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _escape_formula(value: Any) -> Any:
    value = writable(value)
    if not isinstance(value, str) or not value.startswith(_FORMULA_STARTS):
        return value
    return value if _NUMBER.fullmatch(value) else f"'{value}"
