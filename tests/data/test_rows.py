"""Tables of named sets: cells as texts, packed or not, damage refused."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import pytest

from mmzoo.data.datasets.text_formats import paths_of, read_labelled_texts, read_rows
from mmzoo.errors import DataError

TABLE = 'text,label,split\n"a, ""b""",1,train\n体验,0,dev\n"two\nlines",0,train\n'


def test_texts_are_parted_by_split_and_keep_their_row(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(TABLE)
    splits = read_labelled_texts(path, {"train": "train", "validation": "dev"})
    assert list(splits) == ["train", "validation"]
    assert splits["train"]["text"].tolist() == ['a, "b"', "two\nlines"]
    assert splits["train"]["text"].dtype == object
    assert splits["train"]["label"].tolist() == [1, 0]
    assert splits["train"]["name"].tolist() == [1, 3]
    assert splits["validation"]["text"].tolist() == ["体验"]
    assert splits["train"]["label"].dtype == splits["train"]["name"].dtype == np.int64


def test_a_packed_table_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.xz"
    path.write_bytes(lzma.compress(TABLE.encode()))
    assert read_rows(path, ("label",)).to_dict(as_series=False) == {"label": ["1", "0", "0"]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv.xz", b"not packed"),
        ("t.csv.xz", lzma.compress(TABLE.encode())[:-9]),
        ("t.csv", b"text,other\na,1\n"),
        ("t.csv", b""),
        ("t.csv", b"text,label\n\xff\xfe,1\n"),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"is not a valid table of text, label: "):
        read_rows(path, ("text", "label"))


def test_paths_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import polars

    monkeypatch.chdir(tmp_path)
    paths = paths_of(polars.Series(["a/one.wav", "two.wav"]), Path("sets"))
    assert paths.dtype.kind == "U"
    assert paths.tolist() == [f"{tmp_path}/sets/a/one.wav", f"{tmp_path}/sets/two.wav"]
