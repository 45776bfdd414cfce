"""Thousands of files are held against the list of their sha256."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from mmzoo.data.datasets.dataset_files import verify_checksums
from mmzoo.errors import DataError


@pytest.fixture
def sums(tmp_path: Path) -> Path:
    lines = []
    for name in ("recordings/one.wav", "recordings/two words.wav", "README"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
        lines.append(f"{hashlib.sha256(name.encode()).hexdigest()}  ./{name}\n")
    sums = tmp_path / "SHA256SUMS"
    sums.write_text("".join(lines))
    return sums


def message(sums: Path) -> str:
    with pytest.raises(DataError) as caught:
        verify_checksums(sums, ["recordings"], "data set tiny")
    return str(caught.value)


def test_right_files_pass_and_others_do_not_count(sums: Path) -> None:
    (sums.parent / "README").write_text("changed")
    (sums.parent / "recordings" / "more.wav").write_text("not listed")
    verify_checksums(sums, ["recordings"], "data set tiny")


def test_a_changed_file_is_named(sums: Path) -> None:
    path = sums.parent / "recordings" / "two words.wav"
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(b"changed")
    found = hashlib.sha256(b"changed").hexdigest()
    assert message(sums) == (
        f"data set tiny: 1 of 2 files in {sums.parent} are not the official ones:\n"
        f"  recordings/two words.wav: its sha256 is {found}, expected {expected}\n"
        "Replace them by the official files."
    )


def test_a_missing_file_is_named(sums: Path) -> None:
    (sums.parent / "recordings" / "one.wav").unlink()
    assert "  recordings/one.wav: there is no such file\n" in message(sums)


def test_a_pipe_is_not_waited_for(sums: Path) -> None:
    path = sums.parent / "recordings" / "one.wav"
    path.unlink()
    os.mkfifo(path)
    assert "  recordings/one.wav: it is not a regular file\n" in message(sums)


def test_only_some_of_many_are_named(tmp_path: Path) -> None:
    sums = tmp_path / "SHA256SUMS"
    sums.write_text("".join(f"{'0' * 64}  recordings/{number}.wav\n" for number in range(9)))
    assert message(sums).splitlines()[1:] == [
        *(f"  recordings/{number}.wav: there is no such file" for number in range(5)),
        "  and 4 more",
        "Replace them by the official files.",
    ]


def test_another_file_is_no_list(tmp_path: Path) -> None:
    sums = tmp_path / "SHA256SUMS"
    sums.write_text("hello\n")
    assert message(sums) == f"{sums} is not a list of sha256: 'hello'."
