"""Data sets are built from the layouts in which their authors publish them."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from mmzoo.data.datasets import NAMED
from mmzoo.data.datasets.build_datasets import (
    build_easy_vqa,
    build_fsdd,
    build_mr,
    build_sst2,
    build_thucnews_titles,
)
from mmzoo.errors import DataError


def assert_official(name: str, files: Mapping[str, bytes]) -> None:
    found = {file.name: hashlib.sha256(files[file.name]).hexdigest() for file in NAMED[name].files}
    assert found == {file.name: file.sha256 for file in NAMED[name].files}


def rows_of(path: Path) -> Iterable[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def write(path: Path, text: str, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=encoding, newline="")


def table(real_data: Path, name: str) -> Path:
    path = real_data / "text" / name
    if not path.is_file():
        pytest.skip(f"{name} is not in MMZOO_DATA_DIR")
    return path


def test_mr_matches_the_official_table(real_data: Path, tmp_path: Path) -> None:
    rows = list(rows_of(table(real_data, "mr.csv")))
    for label, name in (("0", "rt-polarity.neg"), ("1", "rt-polarity.pos")):
        lines = (f"{row['text']} \n" for row in rows if row["label"] == label)
        write(tmp_path / "rt-polaritydata" / name, "".join(lines), "cp1252")
    assert_official("mr", build_mr(tmp_path))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_thucnews_titles_match_the_official_table(
    real_data: Path, tmp_path: Path, end: str
) -> None:
    """Git may have converted line endings."""
    rows = list(rows_of(table(real_data, "thucnews_titles_20k.csv")))
    folder = tmp_path / "THUCNews" / "data"
    write(folder / "class.txt", end.join(NAMED["thucnews_titles"].classes["label"]))
    sha256 = {}
    for split, name in (("train", "dev.txt"), ("test", "test.txt")):
        lines = (f"{row['text']}\t{row['label']}{end}" for row in rows if row["split"] == split)
        write(folder / name, "".join(lines))
        sha256[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    if end == "\n":  # The very files of the repository.
        assert sha256 == {
            "dev.txt": "6ed73aa2c57ee1560c8f76570d48735c4b1c29ae4983fe3523d56e115813e175",
            "test.txt": "ebecc8c896635ad69730083ca7b81d37c42c9a5779bc05c9d2479d894e34f026",
        }
    assert_official("thucnews_titles", build_thucnews_titles(tmp_path))


def test_fsdd_matches_the_official_table_and_list(real_data: Path) -> None:
    if not (real_data / "fsdd").is_dir():
        pytest.skip("fsdd is not in MMZOO_DATA_DIR")
    files = build_fsdd(real_data / "fsdd")
    assert len(files) == 3_002
    assert_official("fsdd", files)


def test_easy_vqa_matches_the_official_tables_and_list(real_data: Path, tmp_path: Path) -> None:
    official = real_data / "easy_vqa"
    if not official.is_dir():
        pytest.skip("easy_vqa is not in MMZOO_DATA_DIR")
    folder = tmp_path / "easy-VQA" / "easy_vqa" / "data"
    write(folder / "answers.txt", "\n".join(NAMED["easy_vqa"].classes["label"]) + "\n")
    for split in ("train", "test"):
        questions = [
            [row["question"], row["label_name"], int(Path(row["image"]).stem)]
            for row in rows_of(official / f"{split}.csv")
        ]
        write(folder / split / "questions.json", json.dumps(questions))
        (folder / split / "images").symlink_to(official / split / "images")
    files = build_easy_vqa(tmp_path)
    assert len(files) == 5_003
    assert_official("easy_vqa", files)


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    for name in ("0_george_0.wav", "0_george_1.wav", "0_newcomer_0.wav"):
        write(tmp_path / "fsdd" / "recordings" / name, "")
    with pytest.raises(DataError) as caught:
        build_fsdd(tmp_path / "fsdd")
    assert str(caught.value) == (
        f"{tmp_path}/fsdd/recordings has 2 of the expected 3,000 files: 0_george_10.wav is missing."
    )


def test_a_wrong_number_of_sentences_is_reported(tmp_path: Path) -> None:
    for name in ("rt-polarity.neg", "rt-polarity.pos"):
        write(tmp_path / name, "one . \n\ntwo . \n")
    with pytest.raises(DataError) as caught:
        build_mr(tmp_path)
    assert str(caught.value) == f"{tmp_path} has 4 sentences, expected 10,662."


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"7 words", "has the label '7', expected 0 to 1: it is another file."),
        (b"words", "has the label 'words', expected 0 to 1: it is another file."),
        (b"0 \xff", "is not utf-8 text: invalid start byte."),
    ],
)
def test_a_different_file_of_the_same_name_is_reported(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    for split in ("train", "dev", "test"):
        (tmp_path / f"stsa.binary.{split}").write_bytes(content)
    with pytest.raises(DataError) as caught:
        build_sst2(tmp_path)
    assert str(caught.value) == f"{tmp_path}/stsa.binary.train {problem}"


@pytest.mark.parametrize(
    "content", ["no JSON", "{}", "[[1, 2]]", '[["what is it?", "green", "one"]]', '[["q", "?", 0]]']
)
def test_different_questions_are_reported(tmp_path: Path, content: str) -> None:
    write(tmp_path / "answers.txt", "green\nred\n")
    for split in ("train", "test"):
        write(tmp_path / split / "questions.json", content)
    with pytest.raises(DataError) as caught:
        build_easy_vqa(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/train")


def test_an_unreadable_folder_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0)
    (tmp_path / "loop").symlink_to(tmp_path)
    with pytest.raises(DataError, match=r"^0_george_0\.wav not found in "):
        build_fsdd(tmp_path)
