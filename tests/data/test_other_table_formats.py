"""Format options of a table apply to other tables only if their endings agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from frames import read_frame, splits_of

from mmzoo.column_spec import ColumnSpec
from mmzoo.data import Table, read_rows

ROWS = [["word", "number"], ["größe", "1,5"], ["weiß", "2"]]
WANTED = {"word": ColumnSpec("text", lambda random, rows: np.zeros(rows))}
TRAINED_ON = {
    "path": "train.csv",
    "separator": ";",
    "encoding": "windows-1252",
    "quote": "'",
    "missing_values": ("?",),
}


def text(separator: str) -> str:
    return "".join(f"{separator.join(row)}\n" for row in ROWS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("new.csv", text(";").encode("windows-1252")),
        ("new.tsv", text("\t").encode()),
        ("new.tab", text("\t").encode()),
        ("new.jsonl", '{"word": "größe"}\n{"word": "weiß"}\n'.encode()),
    ],
)
def test_the_format_of_another_table_follows_its_extension(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    source = Table(**TRAINED_ON)
    rows = read_rows(str(path), WANTED, "data", source)
    assert splits_of(rows)["data"]["word"].tolist() == ["größe", "weiß"]
    assert read_frame(str(path), source)["word"].to_list() == ["größe", "weiß"]


def test_quotes_of_csv_and_tsv_differ(tmp_path: Path) -> None:
    path = tmp_path / "new.tsv"
    path.write_text('word\tnumber\n\'a\t1\n"b\tc"\t?\n')
    frame = read_frame(str(path), Table(**TRAINED_ON))
    # Columns that nothing reads are as they are, whatever stands for a missing value in others.
    assert frame.rows() == [("'a", "1"), ("b\tc", "?")]


def test_the_same_extension_is_read_as_configured(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text(text(","))
    source = Table(path="train.csv.gz", separator=";")
    assert read_frame(str(path), source).columns == ["word,number"]


def test_formats_of_split_files_follow_their_extensions(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("word;kind\na;1\nb;2\nc;1\nd;2\n")
    (tmp_path / "test.tsv").write_text("word\tkind\ne;f\t1\ng\t2\n")
    source = Table(
        path=str(tmp_path / "train.csv"),
        separator=";",
        split={"files": {"test": str(tmp_path / "test.tsv")}, "validation": 0.5},
    )
    data = source.read(WANTED, 0)
    assert splits_of(data)["test"]["word"].tolist() == ["e;f", "g"]
