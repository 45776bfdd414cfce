"""Paths of media files that may be opened below a folder."""

from __future__ import annotations

import os
import socket
import stat
import unicodedata
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


def test_ordinary_files_are_accepted(root: Path) -> None:
    for path in ("cat/a.jpg", str(root / "cat" / "a.jpg"), "cat/../cat/./a.jpg"):
        assert problem(root, path) is None


def test_bad_paths_are_located(root: Path) -> None:
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
def test_folders_are_refused(root: Path, path: str) -> None:
    assert problem(root, path) is not None


def test_links_within_the_folder_are_followed(root: Path) -> None:
    (root / "cat" / "b.jpg").symlink_to("a.jpg")
    assert problem(root) is None
    (root / "animals").symlink_to("cat")
    assert problem(root, "animals/a.jpg") is None
    (root.parent / "link").symlink_to(root)
    assert problem(root.parent / "link", "cat/b.jpg") is None


def test_links_out_of_the_folder_are_refused(root: Path) -> None:
    (root / "cat" / "b.jpg").symlink_to(root.parent / "secret.jpg")
    assert problem(root) == "it is a link to a file outside the source's folder"
    (root / "up").symlink_to("..")
    assert problem(root, "up/secret.jpg") == OUTSIDE
    (root / "cat" / "c.jpg").symlink_to("/dev/zero")
    assert problem(root, "cat/c.jpg") == "it is a link to a file outside the source's folder"


def test_broken_links_are_refused(root: Path) -> None:
    (root / "cat" / "b.jpg").symlink_to("gone.jpg")
    assert problem(root) == "it is a link to a file that does not exist"
    (root / "cat" / "loop.jpg").symlink_to("loop.jpg")
    assert problem(root, "cat/loop.jpg") == "it is a link to itself"
    assert problem(root, "cat/a.jpg/b.jpg") == "there is no such file"


def test_special_files_are_never_opened(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root / "cat" / "b.jpg")
    assert problem(root) == "it is a pipe, expected a file"
    (root / "cat" / "link.jpg").symlink_to("b.jpg")
    assert problem(root, "cat/link.jpg") == "it is a pipe, expected a file"
    assert problem(Path("/dev"), "zero") == "it is a device, expected a file"
    monkeypatch.chdir(root)  # The path of a socket may not be long.
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.jpg")
        assert problem(root, "socket.jpg") == "it is a socket, expected a file"


def test_empty_and_huge_files_are_refused(root: Path) -> None:
    file = root / "cat" / "b.jpg"
    file.touch()
    assert problem(root) == "it is empty"
    os.truncate(file, MAX_BYTES)
    assert problem(root) is None
    os.truncate(file, MAX_BYTES + 1)
    assert problem(root) == "it has 200,000,001 bytes, more than the limit of 200,000,000"


def test_unusual_names_are_accepted_if_they_are_text(root: Path) -> None:
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


@pytest.fixture
def images(tmp_path) -> str:
    """A folder with images in two subfolders."""
    names = ["images/000.jpg", "images/a b.jpg", "images/sub/c.PNG", "images/x.jpg", "images/x.png"]
    names += ["others/x.jpg", unicodedata.normalize("NFD", "images/café.jpg")]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"an image")
    return str(tmp_path)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("images/000.JPG", "images/000.jpg"),
        ("IMAGES/000.jpg", "images/000.jpg"),
        (" images/000.jpg\t", "images/000.jpg"),
        ("'images/000.jpg'", "images/000.jpg"),
        ('"images/000.jpg"', "images/000.jpg"),
        ("['images/000.jpg']", "images/000.jpg"),
        ("images/000", "images/000.jpg"),
        ("images/000.jpeg", "images/000.jpg"),
        ("000.jpg", "images/000.jpg"),
        ("000", "images/000.jpg"),
        ("images\\sub\\c.png", "images/sub/c.PNG"),
        ("C:\\Users\\me\\images\\000.jpg", "images/000.jpg"),
        ("images/a%20b.jpg", "images/a b.jpg"),
        ("images/sub/c", "images/sub/c.PNG"),
    ],
)
def test_the_nearest_file_is_suggested(images, path, meant):
    assert problems([path], images) == {0: f"there is no such file; did you mean '{meant}'?"}


@pytest.mark.parametrize("path", ["images/x", "x.jpg", "images/y.jpg", "images/00.jpg", "nan", "~"])
def test_several_or_no_similar_files_give_no_suggestion(images, path):
    assert problems([path], images) == {0: "there is no such file"}


def test_a_path_to_the_same_files_on_another_machine(images):
    for path in (f"file://{images}/images/000.JPG", "/data/images/000.jpg"):
        [reason] = problems([path], images).values()
        assert reason.endswith("; did you mean 'images/000.jpg'?")


def test_another_unicode_form_is_not_shown_as_the_same_name_twice(images):
    assert problems(["images/café.jpg"], images) == {
        0: "there is no such file; a file's name differs in its Unicode form (NFC or NFD) only: "
        "use its own"
    }


@pytest.mark.parametrize("url", ["https://example.com/000.jpg", "s3://bucket/images/000.jpg"])
def test_urls_are_not_searched(images, url):
    assert problems([url], images) == {
        0: "there is no such file: it is a URL, so download the file and write its path"
    }


def test_only_the_first_paths_are_searched(images):
    found = problems(["images/000.JPG"] * 30, images)
    assert [reason.endswith("?") for reason in found.values()] == [True] * 20 + [False] * 10
