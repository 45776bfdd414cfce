"""Tables in memory: DataFrames of pandas or polars, and mappings of column names to arrays."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mmzoo.data.frame import to_series
from mmzoo.errors import DataError
from mmzoo.files import replacing
from mmzoo.lazy import np, pl

TABLES = Path("runs") / "tables"
"""Folder of the tables in memory that runs were trained on, as Parquet files."""


class PandasFrame(Protocol):
    """A pandas DataFrame, for which pandas need not be installed."""

    @property
    def columns(self) -> Any: ...

    @property
    def iloc(self) -> Any: ...


if TYPE_CHECKING:
    InMemoryTable = PandasFrame | pl.DataFrame | Mapping[str, Sequence[Any] | np.ndarray]
    """A DataFrame, or the columns of a table by name: lists, or arrays `[rows, ...]`."""
else:
    InMemoryTable = Any  # Naming its parts here would import polars.


def to_dataframe(data: InMemoryTable) -> pl.DataFrame:
    """The table as a polars DataFrame; NaN, None and missing values of pandas are null.

    Raises:
        DataError: it is no table, has no rows, or its columns differ in length.
    """
    if isinstance(data, pl.DataFrame):
        table = data
    elif isinstance(data, Mapping) or hasattr(data, "iloc"):
        columns = data.items() if isinstance(data, Mapping) else _columns_of_pandas(data)
        series = [_to_series(str(name), values) for name, values in columns]
        lengths = {one.name: len(one) for one in series}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{name} {rows:,}" for name, rows in lengths.items())
            raise DataError(f"the given data: its columns differ in length: {shown}")
        table = pl.DataFrame(series)
    else:
        raise DataError(
            "expected a path, a pandas or polars DataFrame, or a mapping of column names to "
            f"arrays; got {type(data).__name__}"
        )
    if table.is_empty():
        raise DataError("the given data: it has no rows")
    return table


def write_dataframe(data: InMemoryTable) -> Path:
    """Writes the table into `TABLES`, so that a run can read it again; returns the file.

    Equal tables have the same file, named after its content.
    """
    buffer = io.BytesIO()
    to_dataframe(data).write_parquet(buffer)
    content = buffer.getvalue()
    path = TABLES / f"data_{hashlib.sha256(content).hexdigest()[:12]}.parquet"
    if not path.exists():
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    return path


def _to_series(name: str, values: Any) -> pl.Series:
    if hasattr(values, "isna"):  # Of pandas.
        missing, values = values.isna(), values.to_numpy()
        if values.dtype == object:
            values = [None if gone else one for one, gone in zip(values, missing, strict=True)]
    if isinstance(values, np.ndarray) and values.dtype != object:
        return to_series(name, values)
    # Next to other types, polars would write "NaN".
    given = [None if isinstance(one, float) and one != one else one for one in values]
    try:
        return pl.Series(name, given, strict=False)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise DataError(f"the given data: column `{name}` cannot be read: {error}") from None


def _columns_of_pandas(data: PandasFrame) -> list[tuple[str, Any]]:
    return [(str(name), data.iloc[:, index]) for index, name in enumerate(data.columns)]
