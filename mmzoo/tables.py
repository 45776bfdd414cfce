"""Writing tables as CSV, JSON lines or Parquet, by the file's ending, and values as JSON."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Collection, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from mmzoo.errors import DataError
from mmzoo.files import replacing
from mmzoo.lazy import np, pl

ENDINGS = (".csv", ".jsonl", ".parquet")
_FORMULA = r"^[=+\-@\t\r]"
"""How a cell begins that spreadsheets run as a formula."""
_HARMLESS = r"^([-+]?\d+(\.\d+)?([eE][-+]?\d+)?|[+\-@][\w .]*)$"
"""Such cells that run nothing: a number, a sign alone, a name, a phone number."""


def check_ending(path: Path) -> None:
    """Raises a DataError if the name has no known ending; to be called before any work is done."""
    if path.suffix.lower() not in ENDINGS:
        raise DataError(
            f"{path}: expected a name that ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
        )


def write_table(
    path: Path,
    columns: Mapping[str, Sequence[Any] | pl.Series],
    trusted: Collection[str] = (),
    labels: Collection[str] = (),
) -> None:
    """Writes a table atomically.

    What a format cannot hold is written as text: in CSV, lists and objects as JSON and durations as
    in ISO 8601; in CSV and JSON lines, bytes as base64. In CSV, texts that a spreadsheet would run
    as a formula are prefixed with an apostrophe, except harmless ones, such as `-` or `+49 30 123`.

    Args:
        path: the file.
        columns: name -> values, as many in each.
        trusted: the columns whose texts are written as they are, such as the labels of a run.
        labels: texts that are written as they are in every column, such as the classes of a run.
    """
    check_ending(path)
    ending = path.suffix.lower()
    series = [
        values.alias(name)
        if isinstance(values, pl.Series)
        else pl.Series(name, [writable(value) for value in values], strict=False)
        for name, values in columns.items()
    ]
    match ending:
        case ".csv":
            series = [_for_csv(one, one.name not in trusted, labels) for one in series]
        case ".jsonl":
            series = [_for_json(one) for one in series]
    frame = pl.DataFrame(series)
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


def json_value(value: Any) -> Any:
    """The value as JSON can hold it.

    Dates, times and durations are texts as in ISO 8601, decimals texts, bytes base64; a number that
    is not finite is None.
    """
    match value:
        case bool() | int() | None:
            return value
        case float():
            return value if math.isfinite(value) else None
        case str():
            return writable(value)
        case date() | time():
            return value.isoformat()
        case timedelta():
            return pl.Series([value]).dt.to_string("iso")[0]
        case Decimal():
            return str(value)
        case bytes():
            return base64.b64encode(value).decode()
        case Mapping():
            return {str(key): json_value(one) for key, one in value.items()}
        case list() | tuple() | pl.Series():
            return [json_value(one) for one in value]
        case np.generic() | np.ndarray():
            return json_value(value.tolist())
    return writable(str(value))


def _for_csv(column: pl.Series, escaped: bool, labels: Collection[str]) -> pl.Series:
    dtype = column.dtype
    if dtype.is_nested():
        cells = (
            None if one is None else json.dumps(json_value(one), ensure_ascii=False)
            for one in column.to_list()
        )
        column = pl.Series(column.name, list(cells), dtype=pl.String)
    elif dtype == pl.Duration:
        column = column.dt.to_string("iso")
    elif dtype == pl.Binary:
        column = column.bin.encode("base64")
    if not escaped or column.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return column
    column = column.cast(pl.String)
    runs = column.str.contains(_FORMULA) & ~column.str.contains(_HARMLESS)
    runs &= ~column.is_in(list(labels))
    return (
        column.to_frame()
        .select(
            pl.when(runs)
            .then("'" + pl.col(column.name))
            .otherwise(pl.col(column.name))
            .alias(column.name)
        )
        .to_series()
    )


def _for_json(column: pl.Series) -> pl.Series:
    """The column without bytes, which polars cannot write as JSON."""
    if "Binary" not in str(column.dtype):
        return column
    return pl.Series(column.name, [json_value(one) for one in column.to_list()], strict=False)
