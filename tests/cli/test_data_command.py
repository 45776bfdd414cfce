"""`mmzoo data view`: an image of training examples as the model gets them."""

from __future__ import annotations

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
