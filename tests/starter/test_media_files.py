"""Media files of a table: where they are, and cells that are almost paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmzoo.starter.media_files import find_media_root, suggest_file


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
        ([["/home/bob/images/a.jpg"]], None),  # Below the table's folder as it is.
        ([["C:\\Users\\bob\\a.jpg", "C:\\Users\\bob\\none.jpg"]], "images"),
        ([["/data/y/deep.wav"]], "x"),
        ([["/data/none.jpg"]], None),
        ([[]], None),
    ],
)
def test_files_are_found_in_one_folder(root, samples, folder):
    found = find_media_root(samples, str(root))
    assert found == (None if folder is None else str((root / folder).resolve()))


def test_absolute_paths_that_may_be_several_files_are_not_found(root):
    (root / "x" / "a.jpg").write_bytes(b"content")
    assert find_media_root([["/home/bob/a.jpg"]], str(root)) is None
    assert find_media_root([["/home/bob/x/a.jpg"]], str(root)) is None


def test_cells_that_are_almost_paths(root):
    suffixes = (".jpg", ".wav")
    assert suggest_file(["images/a", "'images/a.jpg'"], str(root), suffixes) == "images/a.jpg"
    assert suggest_file(["images/a", "images/b"], str(root), suffixes) is None
    assert suggest_file(["a"], str(root), suffixes) == "images/a.jpg"
    assert suggest_file(['"images/a.jpg"'], str(root), suffixes) == "images/a.jpg"
    assert suggest_file(["b"], str(root), suffixes) is None
