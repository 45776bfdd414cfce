"""Malformed tables: each is refused with a message that says how to fix it.

None is read in part, none makes the program wait, and nothing else than a DataError comes out.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import zstandard
from frames import read_frame, splits_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmzoo.column_spec import ColumnSpec
from mmzoo.data import Frame, Table, TableFormat, apply_on_bad_row
from mmzoo.data import table_files as unpacking
from mmzoo.data import typed_tables as typed
from mmzoo.data.table_reader import read_table
from mmzoo.errors import DataError

WANTED = {
    "text": ColumnSpec("text", lambda random, rows: np.zeros(rows)),
    "label": ColumnSpec("class", lambda random, rows: np.zeros(rows)),
}
LINES = [f"word {number},{'ab'[number % 2]}" for number in range(20)]
GOOD = "text,label\n" + "\n".join(LINES) + "\n"


def load(path: Path | str, **fields: Any) -> Frame:
    table = Table.model_validate({"path": str(path), **fields})
    return apply_on_bad_row(table.read(WANTED, 0), table.on_bad_row)


def with_line(line: str | bytes, before: str = GOOD) -> bytes:
    """A valid table with an additional line after the tenth row."""
    lines = before.encode().splitlines()
    lines.insert(11, line.encode() if isinstance(line, str) else line)
    return b"\n".join(lines) + b"\n"


def json_lines(*others: str) -> bytes:
    rows = [json.dumps({"text": f"word {n}", "label": "ab"[n % 2]}) for n in range(20)]
    return "\n".join([*rows[:10], *others, *rows[10:]]).encode()


def parquet(**columns: Any) -> bytes:
    content = io.BytesIO()
    rows = {"text": [f"word {n}" for n in range(20)], "label": ["a", "b"] * 10}
    pl.DataFrame(rows | columns, strict=False).write_parquet(content)
    return content.getvalue()


def stored_zip() -> bytes:
    return b"PK\x03\x04" + bytes(200)


MALFORMED: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    # The bytes
    "empty": ("a.csv", b"", ("is empty",)),
    "blank lines only": ("a.csv", b"\n\n \n", ("only blank lines",)),
    "header only": ("a.csv", b"text,label\n", ("no rows below the header",)),
    "header and blank lines": ("a.csv", b"text,label\n\n\n", ("no rows below",)),
    "latin-1": (
        "a.csv",
        with_line("caf\xe9,a".encode("latin-1")),
        ("line 12 is not UTF-8", "0xe9", "'café'", "`encoding: cp1252`"),
    ),
    "latin-1 in a column that is not wanted": (
        "a.csv",
        b"text,label,more\n" + b"x,a,y\n" * 9 + b"x,b,\xe9\n",
        ("line 11 is not UTF-8",),
    ),
    "cut within a character": ("a.csv", GOOD.encode() + "é,a".encode()[:1], ("line 22 is not",)),
    "utf-16": ("a.csv", GOOD.encode("utf-16"), ("UTF-16", "`encoding: utf-16`")),
    "utf-16 without a mark": ("a.csv", GOOD.encode("utf-16-le"), ("UTF-16", "every other byte")),
    "not utf-16": ("a.csv", GOOD.encode() + b"xy", ("not utf-16", "another `encoding`")),
    "nul byte": ("a.csv", with_line("x\0y,a"), ("line 12 has a NUL byte",)),
    "random bytes": ("a.csv", np.random.RandomState(0).bytes(4000), ("NUL byte", "UTF-8")),
    "carriage returns": ("a.csv", GOOD.replace("\n", "\r").encode(), ("old Macs",)),
    # What it really is
    "zip": ("a.csv", stored_zip(), ("a zip archive or an Excel workbook",)),
    "zip called parquet": ("a.parquet", stored_zip(), ("a zip archive",)),
    "gzip without the ending": (
        "a.csv",
        gzip.compress(GOOD.encode()),
        ("compressed by gzip", "Add .gz to its name"),
    ),
    "gzip called xz": ("a.csv.xz", gzip.compress(GOOD.encode()), ("compressed by gzip, which",)),
    "text called gz": ("a.csv.gz", GOOD.encode(), ("by its suffix it is compressed by gzip",)),
    "workbook called csv": (
        "a.csv",
        b"PK\x03\x04" + bytes(60),
        ("a zip archive or an Excel workbook", "save the Excel sheet as CSV."),
    ),
    "page called csv": (
        "a.csv",
        b"<!DOCTYPE html>\n<html></html>",
        ("a web page", "export the table as CSV."),
    ),
    "text called parquet": ("a.parquet", GOOD.encode(), ("by its suffix it is a Parquet file",)),
    "parquet called csv": ("a.csv", parquet(), ("a Parquet file", "Add .parquet")),
    "web page": ("a.csv", b"<!DOCTYPE html><html></html>", ("a web page",)),
    "pointer": ("a.csv", b"version https://git-lfs.github.com/spec/v1\noid", ("git lfs pull",)),
    "sqlite": ("a.csv", b"SQLite format 3\0" + bytes(100), ("a SQLite database",)),
    "another ending": ("a.txt", GOOD.encode(), (".csv, .tsv", "Rename it")),
    "no ending": ("table", GOOD.encode(), (".jsonl", "Rename it")),
    "misspelt ending": ("a.jsonll", GOOD.encode(), ("did you mean 'jsonl'?",)),
    "parquet within gzip": ("a.parquet.gz", gzip.compress(parquet()), ("gunzip",)),
    # Compression
    "gzip cut off": ("a.csv.gz", gzip.compress(GOOD.encode())[:-20], ("incomplete",)),
    "xz cut off": ("a.csv.xz", lzma.compress(GOOD.encode())[:-20], ("incomplete",)),
    "zstd cut off": ("a.csv.zst", zstandard.compress(GOOD.encode())[:-5], ("incomplete",)),
    "gzip damaged": (
        "a.csv.gz",
        gzip.compress(GOOD.encode())[:-8] + bytes(8),
        ("damaged or incomplete",),
    ),
    "garbage after zstd": (
        "a.csv.zst",
        zstandard.compress(GOOD.encode()) + b"garbage",
        ("damaged or incomplete",),
    ),
    # Cells
    "semicolons": (
        "a.csv",
        GOOD.replace(",", ";").encode(),
        ("separated by ';'", '`separator: ";"`'),
    ),
    "quotes by another separator": (
        "a.csv",
        b'text;label\nx;"a"\n',
        ("separated by ';'", '`separator: ";"`'),
    ),
    "tabs in a csv": ("a.csv", GOOD.replace(",", "\t").encode(), ('`separator: "\\t"`',)),
    "commas in a tsv": ("a.tsv", GOOD.encode(), ('`separator: ","`',)),
    "quote never closed": ("a.csv", with_line('"x,a'), ("quote", "never closed", "line 12")),
    "quote never closed, and another": (
        "a.csv",
        with_line('"x,a').replace(b"word 15", b'"word 15"'),
        ("line 18 has a quote where a cell neither begins nor ends", "`quote: null`"),
    ),
    "quote within a cell": ("a.csv", with_line('5" disk,a'), ("line 12 has a quote where",)),
    "space before a quote": ("a.csv", with_line('x, "a, b"'), ("line 12 has a quote where",)),
    "short row": ("a.csv", with_line("x"), ("row 11: it has 1 cell, and the header has 2",)),
    "long row": ("a.csv", with_line("x,a,b"), ("row 11: it has 3 cells",)),
    "most rows long": (
        "a.csv",
        b"text,label\n" + b"x,y,a\n" * 20,
        ("20 of 20 rows do not match the header",),
    ),
    "two columns of a name": ("a.csv", b"text,label,text\nx,a,y\n", ("columns 1 and 3", "'text'")),
    "column without a name": ("a.csv", b"text,,label\nx,y,a\n", ("column 2 of 3 has no name",)),
    "separator after the names": (
        "a.csv",
        b"text,label,\nx,a,\ny,b,z\n",
        ("column 3 of 3 has no name", "text 'z'"),
    ),
    "no such column": (
        "a.csv",
        GOOD.replace("label", "lable").encode(),
        ("no column `label`. Did you mean `lable`? There are: text, lable",),
    ),
    "no line of names": ("a.csv", "\n".join(LINES).encode(), ("no column `text`", "word 0, a")),
    "names broken": ("a.csv", b'"text,label\nx,a\n', ("quote", "never closed")),
    "huge cell": (
        "a.csv",
        with_line("x" * 1_500_000 + ",a"),
        ("row 11: its `text` has more than 1,000,000 bytes",),
    ),
    "label empty": ("a.csv", with_line("x,"), ("row 11: its `label` is empty",)),
    "all labels empty": (
        "a.csv",
        b"text,label\n" + b"x,\n" * 9,
        ("column `label` is empty in all rows",),
    ),
    # JSON lines
    "json line broken": ("a.jsonl", json_lines('{"text": "x", '), ("line 11 is not JSON",)),
    "json cut off": ("a.jsonl", json_lines()[:-9], ("line 20 is not JSON",)),
    "json list": ("a.jsonl", b'[{"text": "x"}]', ("a single JSON list", "jq")),
    "json line of a list": ("a.jsonl", json_lines('["x", "a"]'), ("line 11: expected an object",)),
    "json line of a number": ("a.jsonl", json_lines("5"), ("line 11: expected an object",)),
    "json null": ("a.jsonl", json_lines("null"), ("line 11: expected an object", "nothing")),
    "two objects in a line": ("a.jsonl", json_lines('{"text": "x"} {}'), ("line 11 is not JSON",)),
    "json 1e400": (
        "a.jsonl",
        json_lines('{"text": 1e400}'),
        ("line 11 is not JSON", "1e400 is too large for a number of 64 bits"),
    ),
    "json NaN": ("a.jsonl", json_lines('{"text": NaN}'), ("line 11 is not JSON", "NaN")),
    "json of mixed kinds": (
        "a.jsonl",
        json_lines('{"text": ["x"], "label": "a"}'),
        ("key 'text' holds text in line 1, and a list in line 11",),
    ),
    "json of objects": (
        "a.jsonl",
        b'{"text": {"en": "x"}, "label": "a"}\n' * 9,
        ("column `text` holds lists or objects, expected text",),
    ),
    "json key twice": (
        "a.jsonl",
        json_lines('{"text": "x", "label": "a", "text": "y"}'),
        ("line 11 is not JSON (key 'text' is duplicate)",),
    ),
    "json half character": ("a.jsonl", json_lines('{"text": "\\ud800"}'), ("line 11 has a lone",)),
    "json other half": ("a.jsonl", json_lines('{"text": "\\ude00"}'), ("line 11 has a lone",)),
    "json too deep": ("a.jsonl", json_lines('{"text": ' + "[" * 9000), ("line 11",)),
    "json without keys": ("a.jsonl", b"{}\n{}\n", ("have no keys",)),
    "json no such key": ("a.jsonl", b'{"text": "x"}\n', ("no column `label`",)),
    "json in latin-1": (
        "a.jsonl",
        json_lines().replace(b"word 3", b"\xe9"),
        ("line 4 is not UTF",),
    ),
    # Parquet
    "parquet cut off": ("a.parquet", parquet()[:-100], ("damaged, truncated",)),
    "parquet of its start": ("a.parquet", b"PAR1", ("damaged, truncated",)),
    "parquet without rows": ("a.parquet", parquet(text=[], label=[]), ("no rows",)),
    "parquet of structs": ("a.parquet", parquet(text=[{"x": 1}] * 20), ("lists or objects",)),
    "parquet of bytes": ("a.parquet", parquet(text=[b"x"] * 20), ("holds bytes, expected text",)),
}
"""Kind of error -> file name, content, and part of the message."""


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_table_is_refused(case: str, tmp_path: Path) -> None:
    name, content, words = MALFORMED[case]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load(path, **({"encoding": "utf-16"} if case == "not utf-16" else {}))
    message = str(caught.value)
    assert (
        [word for word in words if word in message]
        if case == "random bytes"
        else all(word in message for word in words)
    ), message
    assert name in message
    assert message.isprintable() or all(line.isprintable() for line in message.splitlines())
    assert len(message) < 1000


def folder(path: Path) -> None:
    path.mkdir()


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def dangling(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere.csv"))


def circle(path: Path) -> None:
    path.symlink_to(path)


def unix_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # The name of a socket is 107 bytes at most.
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


def nothing(path: Path) -> None:
    path.with_name("tables.csv").write_text(GOOD)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (folder, "is a folder, not a file"),
        (os.mkfifo, "is a pipe, not a file"),
        (device, "is a device, not a file"),
        (unix_socket, "is a socket, not a file"),
        (dangling, "is a link to a file that does not exist"),
        (circle, "is a link to itself"),
        (nothing, "there is no file"),
    ],
)
def test_a_path_that_is_not_a_file_is_not_opened(
    make: Callable[[Path], None], words: str, tmp_path: Path
) -> None:
    make(tmp_path / "table.csv")
    with pytest.raises(DataError) as caught:
        load(tmp_path / "table.csv")
    assert str(caught.value).startswith(f"source.path: {tmp_path / 'table.csv'} ") or (
        words == "there is no file"
    )
    assert words in str(caught.value)


def test_a_similar_name_is_suggested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tables.csv").write_text(GOOD)
    with pytest.raises(DataError) as caught:
        load("table.csv")
    assert str(caught.value) == (
        "source.path: there is no file table.csv, relative to the working directory. Did you mean "
        "tables.csv?"
    )
    with pytest.raises(DataError, match=r"working directory, nor a folder nowhere\.$"):
        load("nowhere/table.csv")


def test_a_table_without_read_permission_is_refused(unprivileged: Path) -> None:
    path = unprivileged / "a.csv"
    path.write_text(GOOD)
    path.chmod(0)
    with pytest.raises(DataError, match="Permission denied"):
        load(path)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstandard.compress])
def test_a_decompression_bomb_is_refused_early(
    pack: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending = {"gzip": "gz", "lzma": "xz"}.get(pack.__module__, "zst")
    monkeypatch.setattr(unpacking, "MAX_BYTES", 1_000_000)
    path = tmp_path / f"a.csv.{ending}"
    path.write_bytes(pack(GOOD.encode() + b"0" * 100_000_000))
    with pytest.raises(DataError, match="more than 1,000,000 bytes uncompressed"):
        load(path)


def test_a_parquet_file_of_too_many_rows_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typed, "MAX_ROWS", 10)
    (tmp_path / "a.parquet").write_bytes(parquet())
    with pytest.raises(DataError, match="it has 20 rows, more than the limit of 10"):
        load(tmp_path / "a.parquet")


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8),
    separator=st.sampled_from(",;\t| "),
    ends=st.sampled_from(["\n", "\r\n"]),
    everything=st.booleans(),
)
def test_tables_written_by_python_round_trip(
    rows: list[tuple[str, ...]], separator: str, ends: str, everything: bool, tmp_path: Path
) -> None:
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as file:
        quoting = csv.QUOTE_ALL if everything else csv.QUOTE_MINIMAL
        writer = csv.writer(file, delimiter=separator, lineterminator=ends, quoting=quoting)
        writer.writerows([("a", "b", "c"), *rows])
    frame = read_frame(str(tmp_path / "a.csv"), TableFormat(separator=separator))
    assert frame.rows() == [tuple(cell or None for cell in row) for row in rows]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    text=st.lists(st.sampled_from(["a", ",", ",", '"', '"', "\n", "\r\n", "é"]), max_size=20).map(
        "".join
    )
)
def test_tables_are_read_like_the_csv_module(text: str, tmp_path: Path) -> None:
    """Random text is either refused or read exactly like that, with bad rows named."""
    (tmp_path / "a.csv").write_bytes(f"a,b\n{text}".encode())
    try:
        cells = read_table(str(tmp_path / "a.csv"), TableFormat())
    except DataError:
        return
    expected = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    assert cells.table.height == len(expected)
    for number, row in enumerate(expected):
        assert (number in cells.found_issues()) == (len(row) != 2)
        if len(row) == 2:
            assert cells.table.row(number)[:2] == tuple(cell or None for cell in row)


@pytest.mark.parametrize("content", [GOOD.encode(), json_lines(), parquet()])
def test_damaged_bytes_raise_only_data_errors(content: bytes, tmp_path: Path) -> None:
    """Every format, truncated at many positions and with single bytes changed."""
    ending = {b"t": "csv", b"{": "jsonl", b"P": "parquet"}[content[:1]]
    random = np.random.RandomState(0)
    path = tmp_path / f"a.{ending}"
    for place in random.randint(1, len(content), 100):
        changed = bytearray(content)
        changed[place] = random.randint(256)
        for damaged in (content[:place], bytes(changed)):
            path.write_bytes(damaged)
            try:
                data = load(path, on_bad_row="skip")
            except DataError:
                continue
            rows = sum(data.examples(split) for split in splits_of(data)) + len(data.skipped)
            assert rows <= 21
            if ending != "csv" and len(damaged) == len(content):
                assert rows == 20
