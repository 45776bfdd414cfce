"""Files are written atomically."""

from __future__ import annotations

import os

import pytest

from mmzoo.files import replacing, write_text


def test_text_is_utf8_with_line_feeds(tmp_path):
    path = tmp_path / "new" / "folder" / "x.txt"
    write_text(path, "naïve\nend\r\n")
    assert path.read_bytes() == "naïve\nend\r\n".encode()


def test_the_new_file_replaces_the_old_one(tmp_path):
    path = tmp_path / "x.txt"
    write_text(path, "old, and longer")
    write_text(path, "new")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["x.txt"]


def write_half(path):
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyError


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(KeyError):
        write_half(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x.txt"]


def test_a_writer_that_writes_nothing_keeps_the_old_file(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert path.read_text() == "old"


def test_the_temporary_file_is_hidden_in_the_same_folder_with_the_same_suffix(tmp_path):
    """On the same file system, so that it can be renamed; hidden, so that no `*.csv` finds it."""
    path = tmp_path / "model.weights.h5"
    with replacing(path, suffix=".weights.h5") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
        assert temporary.name.endswith(".weights.h5")
        temporary.write_text("x")
    assert path.read_text() == "x"


def test_content_is_synced_before_renaming(tmp_path, monkeypatch):
    """After a power loss a file may have its name and no content, unless it was synced before."""
    path, calls = tmp_path / "x.txt", []
    fsync, replace = os.fsync, os.replace

    def noting_fsync(descriptor):
        calls.append(f"sync {os.path.basename(os.readlink(f'/proc/self/fd/{descriptor}'))}")
        fsync(descriptor)

    def noting_replace(source, target):
        calls.append(f"replace {os.path.basename(target)}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(os, "replace", noting_replace)
    with replacing(path) as temporary:
        temporary.write_text("x")
    assert calls == [f"sync {temporary.name}", "replace x.txt", f"sync {tmp_path.name}"]
