"""Column names of a table, read without its rows."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mmzoo.data.frame import ROW
from mmzoo.data.table_format import TableFormat
from mmzoo.data.table_reader import columns_of, read_table
from mmzoo.errors import DataError

CSV = "id,描述,price\n1,杯子,2\n"


def columns(
    path: Path, content: bytes, required: tuple[str, ...] = (), **fields: Any
) -> tuple[str, ...] | None:
    path.write_bytes(content)
    return columns_of(str(path), TableFormat(**fields), required)


@pytest.mark.parametrize(
    ("name", "content", "fields"),
    [
        ("a.csv", CSV.encode(), {}),
        ("a.csv", b"\xef\xbb\xbf\n\r\n" + CSV.replace("\n", "\r\n").encode(), {}),
        ("a.csv", CSV.encode().rstrip(b"\n"), {}),
        ("a.csv", CSV.encode() + b"2,x,3\n" * 200_000, {}),
        ("a.csv", CSV.encode("utf-16"), {"encoding": "utf-16"}),
        ("a.csv", (CSV + "2,ਊĊ,3\n" * 200_000).encode("utf-16"), {"encoding": "utf-16"}),
        (
            "a.csv",
            b"\xfe\xff" + (CSV + "2,ਊĊ,\n" * 200_000).encode("utf-16-be"),
            {"encoding": "utf-16"},
        ),
        ("a.csv", CSV.replace(",", ";").encode(), {"separator": ";"}),
        ("a.tsv", CSV.replace(",", "\t").encode(), {}),
        ("a.csv.gz", gzip.compress(CSV.encode()), {}),
        ("a.csv", '"id","描述",\'price\'\n1,2,3\n'.encode(), {}),
        ("a.csv", '"id\nof","描,述"\n1,2\n'.encode(), {}),
        ("a.csv", b",id\n0,1\n", {}),
        ("a.jsonl", b'\n{"id": 1}\n{"id": 2, "more": 3}\n', {}),
    ],
)
def test_header_equals_the_columns_of_the_rows(
    tmp_path: Path, name: str, content: bytes, fields: dict[str, Any]
) -> None:
    path = tmp_path / name
    found = columns(path, content, **fields, required=("id", "more"))
    cells = read_table(str(path), TableFormat(**fields))
    assert (*found, ROW) == tuple(cells.table.columns)


def test_parquet_columns_come_from_its_schema(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": [1], "描述": ["a"]}).write_parquet(path)
    assert columns_of(str(path), TableFormat(), ()) == ("id", "描述")
    assert columns(path, b"PAR1 and no more") is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (CSV.encode("utf-16"), "it is UTF-16 text"),
        (CSV.replace(",", ";").encode(), "seem to be separated by ';'"),
        (b"a,b,a\n1,2,3\n", "columns 1 and 3 are both called 'a'"),
        ("größe,b\n".encode("latin-1"), "line 1 is not UTF-8 text"),
        (b"", "is empty"),
    ],
)
def test_a_header_in_another_format_is_refused_like_its_rows(
    tmp_path: Path, content: bytes, words: str
) -> None:
    with pytest.raises(DataError, match=words) as early:
        columns(tmp_path / "a.csv", content)
    with pytest.raises(DataError) as late:
        read_table(str(tmp_path / "a.csv"), TableFormat())
    assert str(early.value) == str(late.value)


def test_an_incomplete_header_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = (json.dumps({"id": number, "text": "a" * 80}) + "\n" for number in range(20_000))
    content = "".join(rows).encode() + b'{"late": 1}\n'
    assert columns(path, content, ("id",)) == ("id", "text")
    assert columns(path, content, ("late",)) is None
    assert columns(path, b'{"id": 1}\nno JSON\n', ("late",)) is None
    assert columns(path, b"[1, 2]\n", ("late",)) is None
    assert columns(tmp_path / "b.csv", b"a," * 600_000) is None


def test_neither_polars_nor_numpy_is_needed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "a.jsonl").write_text('{"id": 1}\n')
    program = (
        "import sys\n"
        "from mmzoo.data import TableFormat, columns_of\n"
        "for name in ('a.csv', 'a.jsonl'): print(columns_of(name, TableFormat(), ()))\n"
        "print({'polars', 'numpy', 'tensorflow'} & sys.modules.keys())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["('id', '描述', 'price')", "('id',)", "set()"]


@pytest.mark.parametrize(
    "content",
    [
        '"sep=;"\na;b\n1,5;x\n',  # As Excel and PowerShell write it.
        "\ufeffsep=;\r\na;b\r\n1,5;x\r\n",
        "a;b;\n1,5;x;\n",  # A separator ends each line.
    ],
)
def test_a_declared_separator_and_one_at_the_end_of_each_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content, encoding="utf-8", newline="")
    form = TableFormat(separator=None if "sep" in content else ";")
    assert columns_of(str(path), form, ["a"]) == ("a", "b")
    frame = read_table(str(path), form)
    assert frame.table.drop(ROW).rows() == [("1,5", "x")]


def test_markers_of_missing_values_belong_to_a_column(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("region,temp\nNA,NA\n,1.5\n")
    form = TableFormat(missing_values={"temp": ("NA",)})
    assert read_table(str(path), form).table.drop(ROW).rows() == [("NA", None), (None, "1.5")]
    # A list is for the columns that are read, and not for those that are kept beside predictions.
    form = TableFormat(missing_values=("NA",))
    frame = read_table(str(path), form, ["temp"], others=True)
    assert frame.table.drop(ROW).rows() == [("NA", None), (None, "1.5")]
    with pytest.raises(DataError, match=r"missing_values: .* has no column `tmp`. Did you mean"):
        read_table(str(path), TableFormat(missing_values={"tmp": ("NA",)}))
