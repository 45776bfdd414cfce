"""Unreadable config files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mmzoo.errors import ConfigError
from mmzoo.spec.load_spec import read_text


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("configs").mkdir()
    Path("configs/mnist_cnn.yaml").write_text("name: mnist\n")


def complaint(path: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_text(Path(path))
    return str(caught.value)


def test_byte_order_mark_is_skipped() -> None:
    Path("x.yaml").write_bytes("\ufeffname: é\n".encode())
    assert read_text(Path("x.yaml")) == "name: é\n"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "configs/mnist_cn.yaml",
            "there is no such file; did you mean 'configs/mnist_cnn.yaml'?",
        ),
        ("configs/other.yml", "there is no such file"),
        ("mnist_cn", "there is no such file; did you mean 'configs/mnist_cnn.yaml'?"),
        ("mnist-cn.yaml", "there is no such file; did you mean 'configs/mnist_cnn.yaml'?"),
        ("mnist_cnn", "there is no such file; did you mean 'configs/mnist_cnn.yaml'?"),
        (
            "config/mnist_cnn.yaml",
            "there is no such folder 'config'; did you mean 'configs'?",
        ),
        (
            "configs/mnist_cnn.yaml/x",
            "'configs/mnist_cnn.yaml' is a file, not a folder",
        ),
        ("configs", "a folder, not a YAML file; it holds mnist_cnn.yaml"),
        ("x" * 300, "it cannot be read: File name too long"),
        ("/dev/zero", "it is a pipe, socket or device; a config is a regular file"),
    ],
)
def test_path_is_not_a_file(path: str, message: str) -> None:
    assert complaint(path) == f"{path}: {message}"


def test_path_with_invalid_character() -> None:
    assert complaint("a\0b") == "a\\x00b: a path cannot hold this character"


def test_a_folder_without_configs() -> None:
    Path("empty").mkdir()
    assert complaint("empty") == "empty: a folder, not a YAML file"


def test_pipe_does_not_block() -> None:
    os.mkfifo("pipe")
    assert complaint("pipe").startswith("pipe: it is a pipe,")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission() -> None:
    Path("x.yaml").write_text("a: 1")
    Path("x.yaml").chmod(0)
    assert complaint("x.yaml") == "x.yaml: there is no permission to read it"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "a binary file, not YAML text"),
        ("a: 1".encode("utf-16"), "the file is UTF-16 text; save it as UTF-8"),
        (b"a: 1\nb: caf\xe9\n", "not UTF-8 text: byte 0xe9 on line 2; save it as UTF-8"),
        (b"#" * 1_000_001, "the file is larger than 1 MB; a config is a few lines of YAML"),
    ],
)
def test_file_is_not_text(content: bytes, message: str) -> None:
    Path("x.yaml").write_bytes(content)
    assert complaint("x.yaml") == f"x.yaml: {message}"


def test_large_file_is_rejected() -> None:
    with open("x.yaml", "wb") as file:
        file.truncate(1 << 40)  # A hole: no disk holds it, no memory would.
    assert complaint("x.yaml").startswith("x.yaml: the file is larger than 1 MB")


@pytest.mark.parametrize("path", ["", "."])
def test_empty_path_is_reported(path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_text(Path(path))
    assert str(caught.value) == (
        "expected the path of a config, got the current folder or an empty text"
    )
