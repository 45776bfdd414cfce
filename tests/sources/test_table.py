"""The source `table`: what is made of its columns, and which rows of it are bad."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mmzoo.errors import DataError
from mmzoo.sources import Data, Table, read_frame, read_rows, settled
from mmzoo.wanted import Role, Wanted

ROWS = 60


def wanted(**roles: Role) -> dict[str, Wanted]:
    return {
        column: Wanted(role, lambda random, rows: np.zeros(rows)) for column, role in roles.items()
    }


def columns(rows: int = ROWS) -> dict[str, list[Any]]:
    return {
        "id": [f"{number:04}" for number in range(rows)],
        "text": [f'Row "{number}", said she' for number in range(rows)],
        "age": [number / 4 for number in range(rows)],
        "day": [f"2024-01-{number % 28 + 1:02}" for number in range(rows)],
        "kind": ["abc"[number % 3] for number in range(rows)],
        "tags": [["x", "y"][: number % 3] for number in range(rows)],
    }


ALL = wanted(text="text", id="value", age="value", day="value", kind="class", tags="labels")


def write(path: Path, table: Mapping[str, list[Any]]) -> Path:
    """A table in the format of its name; lists are joined where cells are text."""
    frame = pl.DataFrame(table, strict=False)
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    elif path.suffix == ".jsonl":
        frame.write_ndjson(path)
    else:
        lists = [name for name, kind in frame.schema.items() if kind.is_nested()]
        joined = [
            pl.when(pl.col(name).list.len() == 0)
            .then(pl.lit("|"))
            .otherwise(pl.col(name).list.join("|"))
            .alias(name)
            for name in lists
        ]
        frame.with_columns(joined).write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
    return path


def load(path: Path, roles: Mapping[str, Wanted] = ALL, seed: int = 0, **fields: Any) -> Data:
    return Table.model_validate({"path": str(path), **fields}).load(roles, seed, print)


def joined(data: Data, column: str) -> list[Any]:
    """A column of all splits in the order of the table."""
    rows = np.concatenate([data.row_names[split] for split in data.splits])
    values = np.concatenate([columns[column] for columns in data.splits.values()])
    return values[np.argsort(rows)].tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_every_format_gives_the_same(tmp_path: Path, name: str) -> None:
    data = load(write(tmp_path / name, columns()))
    assert data.name == name
    assert [data.examples(split) for split in data.splits] == [48, 6, 6]
    assert joined(data, "text") == columns()["text"]
    assert joined(data, "id") == columns()["id"]
    assert joined(data, "age") == columns()["age"]
    assert joined(data, "kind") == [number % 3 for number in range(ROWS)]
    assert joined(data, "tags") == [[0, 0], [1, 0], [1, 1]] * 20
    assert data.class_names == {"kind": ("a", "b", "c"), "tags": ("x", "y")}
    kinds = {column: values.dtype for column, values in data.splits["test"].items()}
    assert kinds == {
        "text": object,
        "id": object,
        "age": np.float64,
        "day": np.dtype("datetime64[us]"),
        "kind": np.int64,
        "tags": np.uint8,
    }
    assert joined(data, "day")[1].isoformat() == "2024-01-02T00:00:00"
    assert data.bad == {"train": {}, "validation": {}, "test": {}}


def test_another_table_is_read_as_one_split(tmp_path: Path) -> None:
    path = write(tmp_path / "new.csv", columns() | {"price": ["abc", *range(1, ROWS)]})
    data = read_rows(str(path), wanted(text="text", price="number"), split="new")
    assert list(data.splits) == ["new"]
    assert data.splits["new"]["price"].tolist() == list(range(ROWS))
    assert data.splits["new"]["price"].dtype == np.float32
    assert data.bad == {"new": {0: "its `price` is 'abc', expected a number"}}
    assert data.row_name("new", 1) == "row 2"
    frame = read_frame(str(path))
    assert frame["id"].to_list() == columns()["id"]
    with pytest.raises(
        DataError, match=r"^new.csv: 1 row cannot be used:\n  row 1: its `price` is"
    ):
        settled(data, {}, "error")
    assert settled(data, {}, "skip").splits["new"]["price"][0] == 1
