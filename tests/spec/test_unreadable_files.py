"""Unreadable config files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mmzoo.errors import ConfigError
from mmzoo.spec.config_file import nearest_path, read_text


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("configs").mkdir()
    Path("configs/mnist_cnn.yaml").write_text("name: mnist\n")


def error_message(path: str) -> str:
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
        (
            "configs/other.yml",
            "there is no such file. YAML files there: configs/mnist_cnn.yaml",
        ),
        ("nofile.yaml", "there is no such file. YAML files there: configs/mnist_cnn.yaml"),
        (
            " 'configs/mnist_cnn.yaml' ",
            "there is no such file; did you mean 'configs/mnist_cnn.yaml'?",
        ),
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
    assert error_message(path) == f"{path}: {message}"


def test_path_with_invalid_character() -> None:
    assert error_message("a\0b") == "a\\x00b: a path cannot hold this character"


def test_paths_that_are_not_configs_suggest_how_to_get_one() -> None:
    Path("my photos/cat").mkdir(parents=True)
    Path("tables").mkdir()
    Path("runs/x/002").mkdir(parents=True)
    Path("runs/x/002/config.yaml").write_text("name: x")
    for path in ("goods.csv", "tables/a.CSV.gz", "tables/b.jsonl"):
        Path(path).write_text("a,b\n1,2\n")
    init = "mmzoo init"
    table = "a table, not a config; write one for it"
    assert error_message("goods.csv").endswith(f": {table}: `{init} goods.csv --target COLUMN`")
    assert error_message("tables/b.jsonl").endswith(f"`{init} tables/b.jsonl --target COLUMN`")
    assert error_message("tables") == (
        "tables: a folder of tables, not a config; write one for one of them: "
        f"`{init} tables/a.CSV.gz --target COLUMN`"
    )
    assert error_message("my photos") == (
        "my photos: a folder, not a config; write one for the files in it: "
        f"`{init} 'my photos' --output 'my photos.yaml'`"
    )
    for path in ("runs/x", "runs/x/002"):
        assert error_message(path) == (
            f"{path}: a run, not a config; the config that it was trained with is "
            "runs/x/002/config.yaml"
        )


@pytest.mark.parametrize(
    ("requested", "there"),
    [
        ("houses.YAML", "houses.yaml"),
        (" houses.yaml", "houses.yaml"),
        ('"houses.yaml"', "houses.yaml"),
        ("houses", "houses.yaml"),
        ("hoses.yaml", "houses.yaml"),
        ("000.JPG", "000.jpg"),
        ("000.jpeg", "000.jpg"),
        ("my-file.yaml", "my_file.yaml"),
        ("my file.yaml", "my_file .yaml"),
        ("cafe\N{COMBINING ACUTE ACCENT}.yaml", "caf\N{LATIN SMALL LETTER E WITH ACUTE}.yaml"),
    ],
)
def test_nearest_path(requested: str, there: str) -> None:
    Path("files").mkdir()
    for name in (there, "other.yaml", "001.jpg", "notes.txt"):
        Path("files", name).touch()
    assert nearest_path(Path("files", requested)) == Path("files", there)
    assert nearest_path(Path("files", "nofile.yaml")) is None


def test_nearest_path_of_a_url() -> None:
    Path("a b.yaml").touch()
    here = Path.cwd()
    assert nearest_path(Path(f"file://{here}/a b.yaml")) == here / "a b.yaml"
    assert nearest_path(Path("https://example.org/a.yaml")) is None


def test_a_spreadsheet() -> None:
    Path("goods.xlsx").write_bytes(b"PK")
    assert error_message("goods.xlsx") == (
        "goods.xlsx: a spreadsheet, not a config; save it as CSV, then `mmzoo init FILE.csv`"
    )


def test_a_common_prefix_lists_all_matches() -> None:
    for name in ("mnist_lenet", "other", "mnist_vgg"):
        Path(f"configs/{name}.yaml").touch()
    listed = error_message("mnist").partition("YAML files there: ")[2].split(", ")
    assert set(listed[:3]) == {f"configs/mnist_{end}.yaml" for end in ("cnn", "lenet", "vgg")}
    assert listed[3] == "configs/other.yaml"


def test_pipe_does_not_block() -> None:
    os.mkfifo("pipe")
    assert error_message("pipe").startswith("pipe: it is a pipe,")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission() -> None:
    Path("x.yaml").write_text("a: 1")
    Path("x.yaml").chmod(0)
    assert error_message("x.yaml") == "x.yaml: there is no permission to read it"


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
    assert error_message("x.yaml") == f"x.yaml: {message}"


def test_large_file_is_rejected() -> None:
    with open("x.yaml", "wb") as file:
        file.truncate(1 << 40)  # A hole: no disk holds it, no memory would.
    assert error_message("x.yaml").startswith("x.yaml: the file is larger than 1 MB")


@pytest.mark.parametrize("path", ["", "."])
def test_empty_path_is_reported(path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_text(Path(path))
    assert str(caught.value) == (
        "expected the path of a config, got the current folder or an empty text"
    )
