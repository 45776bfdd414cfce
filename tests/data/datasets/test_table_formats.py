"""Text data sets: tables, compressed or not, and the archive of IMDB reviews."""

from __future__ import annotations

import csv
import io
import lzma
import tarfile
from pathlib import Path

import numpy as np
import pytest

from mmzoo.data.datasets.table_formats import (
    paths_of,
    read_archive,
    read_csv_columns,
    read_labelled_texts,
    read_tables,
)
from mmzoo.errors import DataError

TABLE = 'text,label,split\n"a, ""b""",1,train\n体验,0,dev\n"two\nlines",0,train\n'


def test_texts_are_divided_by_split_and_keep_their_row(tmp_path: Path) -> None:
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


def test_a_compressed_table_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.xz"
    path.write_bytes(lzma.compress(TABLE.encode()))
    assert read_csv_columns(path, ("label",)).to_dict(as_series=False) == {"label": ["1", "0", "0"]}


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
def test_a_file_of_another_format_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"is not a valid table of text, label: "):
        read_csv_columns(path, ("text", "label"))


def test_paths_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import polars

    monkeypatch.chdir(tmp_path)
    paths = paths_of(polars.Series(["a/one.wav", "two.wav"]), Path("sets"))
    assert paths.dtype.kind == "U"
    assert paths.tolist() == [f"{tmp_path}/sets/a/one.wav", f"{tmp_path}/sets/two.wav"]


REVIEWS = {
    "train/neg/0_3": "Bad.",
    "train/pos/10_9": "Good, <br />she said.",
    "train/pos/2_10": "Caf\u00e9 \x96 fine.",
    "test/pos/0_7": "Well\u0085then.",
    "test/neg/1_1": "No.",
}
EXAMPLES = {"train": 3, "test": 2}


def archive(path: Path, reviews: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, content in reviews.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def members() -> dict[str, bytes]:
    others = {"aclImdb/README": b"readme", "aclImdb/train/unsup/0_0.txt": b"no label"}
    return others | {f"aclImdb/{name}.txt": text.encode() for name, text in REVIEWS.items()}


def test_reviews_are_read_in_order(tmp_path: Path) -> None:
    splits = read_archive(archive(tmp_path / "a.tar.gz", members()), EXAMPLES)
    train = splits["train"]
    assert train["name"].tolist() == ["train/pos/2_10", "train/pos/10_9", "train/neg/0_3"]
    assert train["text"].tolist() == [REVIEWS[name] for name in train["name"]]
    assert train["label"].tolist() == [1, 1, 0]
    assert train["rating"].tolist() == [10, 9, 3]
    assert splits["test"]["text"].tolist() == ["Well\u0085then.", "No."]
    kinds = {name: values.dtype for name, values in train.items()}
    assert (kinds["text"], kinds["label"], kinds["rating"]) == (object, np.int64, np.float64)


def test_tables_equal_the_archive(tmp_path: Path) -> None:
    official = read_archive(archive(tmp_path / "a.tar.gz", members()), EXAMPLES)
    paths = {}
    for split, columns in official.items():
        paths[split] = tmp_path / f"{split}.csv.xz"
        with lzma.open(paths[split], "wt", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "text", "label", "label_name", "rating"])
            for row in zip(*(columns[name] for name in ("name", "text", "label")), strict=True):
                name = str(row[0])
                rating = name.rpartition("_")[2]
                writer.writerow([*row, name.split("/")[1], rating])
    tables = read_tables(paths["train"], paths["test"])
    for split, columns in official.items():
        for column, values in columns.items():
            np.testing.assert_array_equal(tables[split][column], values)
            assert tables[split][column].dtype == values.dtype


def test_links_and_other_paths_are_ignored(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar.gz", members())
    with tarfile.open(path, "w:gz") as tar:
        link = tarfile.TarInfo("aclImdb/train/pos/5_9.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        for name in ("../aclImdb/train/pos/6_9.txt", "/aclImdb/train/pos/7_9.txt"):
            member = tarfile.TarInfo(name)
            member.size = 3
            tar.addfile(member, io.BytesIO(b"out"))
    found = read_archive(path, {"train": 0, "test": 0})
    assert [len(columns["text"]) for columns in found.values()] == [0, 0]
    assert sorted(tmp_path.iterdir()) == [path]


def message(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_archive(path, EXAMPLES)
    return str(caught.value)


def test_a_review_that_is_too_long_is_named(tmp_path: Path) -> None:
    long = {"aclImdb/test/neg/3_2.txt": bytes(1_000_001)}
    path = archive(tmp_path / "a.tar.gz", members() | long)
    assert message(path) == (
        f"{path}: aclImdb/test/neg/3_2.txt has 1,000,001 bytes, expected at most 1,000,000."
    )


def test_a_review_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar.gz", members() | {"aclImdb/test/neg/3_2.txt": b"\xff"})
    assert message(path) == f"{path}: aclImdb/test/neg/3_2.txt is not UTF-8 text."


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar.gz", members())
    path.write_bytes(path.read_bytes()[:-200])
    assert message(path).startswith(f"{path} is not a valid tar.gz archive: ")


def test_a_missing_review_is_reported(tmp_path: Path) -> None:
    content = members()
    del content["aclImdb/test/neg/1_1.txt"]
    path = archive(tmp_path / "a.tar.gz", content)
    assert message(path) == f"{path} has 1 test reviews, expected 2."
