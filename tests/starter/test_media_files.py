"""Media files of a table: where they are, and how to write paths that lead to none."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from mmzoo.starter.media_files import file_meant, find_media_root, hint_for_path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table's folder with files in folders below, beside and above it."""
    root = tmp_path / "work" / "tables"
    names = ("images/a.jpg", "images/Café.jpg", "x/y/deep.wav", "../sounds/b.wav", "../../top.png")
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content")
    monkeypatch.chdir(tmp_path)
    return root


@pytest.mark.parametrize(
    ("samples", "folder"),
    [
        ([["images/a.jpg"]], None),
        ([["none.jpg", "a.jpg"]], "images"),
        ([["deep.wav"]], "x/y"),
        ([["sounds/b.wav"]], ".."),
        ([["top.png"]], "../.."),
        ([["a.jpg"], ["deep.wav"]], None),
        ([["none.jpg"]], None),
        ([[]], None),
    ],
)
def test_files_are_found_in_one_folder(root, samples, folder):
    found = find_media_root(samples, str(root))
    assert found == (None if folder is None else str((root / folder).resolve()))


@pytest.mark.parametrize(
    ("path", "hint"),
    {
        "images\\a.jpg": ": write images/a.jpg, with / between folders",
        "C:\\data\\images\\a.jpg": ": write images/a.jpg, with / between folders",
        "pictures\\q.jpg": ": write / between folders, and paths relative to that folder",
        "'images/a.jpg'": ": write images/a.jpg, without quotes or spaces around it",
        "images/A.JPG": "; did you mean images/a.jpg?",
        "images/a.png": "; did you mean images/a.jpg?",
        unicodedata.normalize("NFD", "images/Café.jpg"): "; did you mean images/Café.jpg?",
        "https://example.org/a.jpg": (
            ", as it is a URL: download the files, and write their paths into the table"
        ),
        "images/b.jpg": "",
    }.items(),
)
def test_a_path_to_no_file_has_a_hint(root, path, hint):
    assert hint_for_path(path, str(root)) == hint


def test_cells_that_are_not_quite_paths(root):
    suffixes = (".jpg", ".wav")
    assert file_meant(["images/a", "'images/a.jpg'"], str(root), suffixes) == "images/a.jpg"
    assert file_meant(["images/a", "images/b"], str(root), suffixes) is None
    assert file_meant(["a"], str(root), suffixes) == "images/a.jpg"
    assert file_meant(['"images/a.jpg"'], str(root), suffixes) == "images/a.jpg"
    assert file_meant(["b"], str(root), suffixes) is None
