"""Paths of media files that may be opened below a folder."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from mmzoo.data.media_paths import MAX_BYTES, problems

OUTSIDE = "it is outside the source's folder"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one file, and a file beside the folder."""
    (tmp_path / "secret.jpg").write_bytes(b"x")
    folder = tmp_path / "photos"
    (folder / "cat").mkdir(parents=True)
    (folder / "cat" / "a.jpg").write_bytes(b"x")
    return folder


def problem(root: Path, path: str = "cat/b.jpg") -> str | None:
    return problems([path], str(root)).get(0)


def test_ordinary_files_may_be_opened(root: Path) -> None:
    for path in ("cat/a.jpg", str(root / "cat" / "a.jpg"), "cat/../cat/./a.jpg"):
        assert problem(root, path) is None


def test_bad_paths_are_told_by_their_place(root: Path) -> None:
    assert problems(["no", "cat/a.jpg", "cat"], str(root)) == {
        0: "there is no such file",
        2: "it is a folder, expected a file",
    }


@pytest.mark.parametrize(
    "path",
    [
        *("../secret.jpg", "cat/../../secret.jpg", "/etc/passwd", "/dev/zero"),
        *("../photos2/a.jpg", "/proc/self/environ"),
    ],
)
def test_paths_that_leave_the_folder_are_refused(root: Path, path: str) -> None:
    (root.parent / "photos2").mkdir()
    (root.parent / "photos2" / "a.jpg").write_bytes(b"x")
    assert problem(root, path) == OUTSIDE


@pytest.mark.parametrize("path", ["", ".", "..", "cat/..", "/"])
def test_no_folder_is_a_file(root: Path, path: str) -> None:
    assert problem(root, path) is not None


def test_links_within_the_folder_are_followed(root: Path) -> None:
    (root / "cat" / "b.jpg").symlink_to("a.jpg")
    assert problem(root) is None
    (root / "animals").symlink_to("cat")
    assert problem(root, "animals/a.jpg") is None
    (root.parent / "link").symlink_to(root)
    assert problem(root.parent / "link", "cat/b.jpg") is None


def test_links_that_lead_out_are_refused(root: Path) -> None:
    (root / "cat" / "b.jpg").symlink_to(root.parent / "secret.jpg")
    assert problem(root) == "it is a link to a file outside the source's folder"
    (root / "up").symlink_to("..")
    assert problem(root, "up/secret.jpg") == OUTSIDE
    (root / "cat" / "c.jpg").symlink_to("/dev/zero")
    assert problem(root, "cat/c.jpg") == "it is a link to a file outside the source's folder"


def test_links_to_nothing_are_refused(root: Path) -> None:
    (root / "cat" / "b.jpg").symlink_to("gone.jpg")
    assert problem(root) == "it is a link to a file that does not exist"
    (root / "cat" / "loop.jpg").symlink_to("loop.jpg")
    assert problem(root, "cat/loop.jpg") == "it is a link to itself"
    assert problem(root, "cat/a.jpg/b.jpg") == "there is no such file"


def test_what_is_no_file_is_never_opened(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root / "cat" / "b.jpg")
    assert problem(root) == "it is a pipe, expected a file"
    (root / "cat" / "link.jpg").symlink_to("b.jpg")
    assert problem(root, "cat/link.jpg") == "it is a pipe, expected a file"
    assert problem(Path("/dev"), "zero") == "it is a device, expected a file"
    monkeypatch.chdir(root)  # The path of a socket may not be long.
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.jpg")
        assert problem(root, "socket.jpg") == "it is a socket, expected a file"


def test_files_have_bytes_but_not_too_many(root: Path) -> None:
    file = root / "cat" / "b.jpg"
    file.touch()
    assert problem(root) == "it is empty"
    os.truncate(file, MAX_BYTES)
    assert problem(root) is None
    os.truncate(file, MAX_BYTES + 1)
    assert problem(root) == "it has 200,000,001 bytes, more than the limit of 200,000,000"


def test_names_may_be_odd_but_are_text(root: Path) -> None:
    for name in ("a\nb.jpg", "=a.jpg", "ü 猫.jpg", " .jpg"):
        (root / name).write_bytes(b"x")
        assert problem(root, name) is None
    odd = os.fsdecode(b"\xff.jpg")
    (root / odd).write_bytes(b"x")
    assert problem(root, odd) == "its name is not UTF-8 text"
    assert problem(root, "a\0.jpg") == "its name has a character that is not allowed in paths"
    assert problem(root, "a" * 300) == "its name is too long for a file"


def test_files_without_permission_are_refused(unprivileged: Path) -> None:
    for folder in ("open", "shut"):
        (unprivileged / folder).mkdir()
        (unprivileged / folder / "a.jpg").write_bytes(b"x")
    (unprivileged / "open" / "a.jpg").chmod(0)
    (unprivileged / "shut").chmod(stat.S_IRUSR)
    denied = "permission denied"
    assert problems(["open/a.jpg", "shut/a.jpg"], str(unprivileged)) == {0: denied, 1: denied}
    (unprivileged / "shut").chmod(stat.S_IRWXU)
