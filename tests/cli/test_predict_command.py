"""`mmzoo predict`: printed and written predictions, and that they equal those of the API."""

from __future__ import annotations

import csv
import json
import os

import numpy as np
import polars
import pytest
from PIL import Image

import mmzoo as api


@pytest.fixture
def images(tmp_path):
    """Noise images with difficult names, relative to the working directory of the commands."""
    random = np.random.RandomState(0)
    names = ["a.png", "größe 三.png", "=sum.png"]
    for name in names:
        Image.fromarray(random.randint(0, 256, (9, 9, 3)).astype("uint8")).save(tmp_path / name)
    return names


@pytest.fixture
def undecodable(tmp_path):
    """A file whose name is not UTF-8 and contains a terminal colour code."""
    name = "bad\udcff\x1b[31m.png"
    Image.new("L", (8, 8)).save(tmp_path / name, format="PNG")
    return name


def test_a_line_for_each_file(mmzoo, trained_run, images):
    done = mmzoo("predict", trained_run.directory, *images)
    assert (done.code, done.err) == (0, "")
    title, *lines = done.out.splitlines()
    assert title.split() == ["file", "digit"]
    assert [line.split("  ")[0].rstrip() for line in lines] == images
    # Wide characters take two columns; then all percentages end in the same one.
    assert {len(line) + line.count("三") for line in lines} == {len(lines[0])}
    assert all(line.endswith(" %") for line in lines)


def test_top_adds_columns_for_further_classes(mmzoo, trained_run, images):
    done = mmzoo("predict", trained_run.directory, "a.png", "--top", "3")
    title, line = done.out.splitlines()
    assert title.split() == ["file", "digit", "digit_2", "digit_3"]
    assert line.count(" %") == 3


def test_json_equals_the_api(mmzoo, trained_run, images, tmp_path):
    rows = mmzoo("predict", trained_run.directory, *images, "--top", "2", "--json").document
    table = api.predict(trained_run, images, top=2)
    assert rows == [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    assert [row["file"] for row in rows] == images


def test_tables(mmzoo, trained_run, images, tmp_path):
    expected = mmzoo("predict", trained_run.directory, *images, "--json").document
    for name in ("out.csv", "out.jsonl", "deep/er/out.parquet"):
        done = mmzoo("predict", trained_run.directory, *images, "--output", name)
        assert (done.code, done.out, done.err) == (0, "", f"Wrote 3 rows to {name}\n")
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == expected
    assert polars.read_parquet(tmp_path / "deep/er/out.parquet").to_dicts() == expected
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["a.png", "größe 三.png", "'=sum.png"]
    assert [float(row["digit_probability"]) for row in rows] == [
        row["digit_probability"] for row in expected
    ]


def test_json_and_table_output(mmzoo, trained_run, images, tmp_path):
    done = mmzoo("predict", trained_run.directory, "a.png", "--output", "o.csv", "--json")
    assert len(done.document) == 1
    assert done.err == "Wrote 1 row to o.csv\n"


@pytest.mark.parametrize("name", ["o.xlsx", "o", "runs"])
def test_unknown_extension_is_rejected_early(mmzoo, name):
    done = mmzoo("predict", "no/such/run", "no-such.png", "--output", name)
    assert done.code == 1
    assert done.err == (f"Error: {name}: expected a name that ends in .csv, .jsonl or .parquet\n")


def test_a_bad_file_is_named_and_nothing_is_written(mmzoo, trained_run, images, tmp_path):
    (tmp_path / "bad.png").write_text("no picture")
    words = ("predict", trained_run.directory, *images, "bad.png")
    for more in ((), ("--json",), ("--output", "o.csv")):
        done = mmzoo(*words, *more)
        assert (done.code, done.out) == (1, "")
        assert done.err == (
            "Error: bad.png: not an image that mmzoo can read: expected PNG, JPEG, BMP, GIF or "
            "WEBP\n"
        )
    assert sorted(os.listdir(tmp_path)) == sorted([*images, "bad.png"])


@pytest.mark.slow
def test_undecodable_file_name(mmzoo, trained_run, undecodable, tmp_path):
    """The name is escaped on the terminal and can be stored in every table format."""
    done = mmzoo("predict", trained_run.directory, undecodable)
    assert done.out.splitlines()[1].startswith("bad\\udcff\\x1b[31m.png  ")
    [row] = mmzoo("predict", trained_run.directory, undecodable, "--json").document
    assert row["file"] == "bad\ufffd\x1b[31m.png"
    for name in ("o.csv", "o.jsonl", "o.parquet"):
        assert mmzoo("predict", trained_run.directory, undecodable, "--output", name).code == 0
    assert polars.read_parquet(tmp_path / "o.parquet")["file"].to_list() == [row["file"]]


def test_wide_rows_become_blocks(mmzoo, run_of_all_heads, images, monkeypatch):
    wide = mmzoo("predict", run_of_all_heads.directory, *images[:2]).out
    assert len(wide.splitlines()) == 3
    monkeypatch.setattr("mmzoo.cli.terminal_text.terminal_width", lambda: 80)
    blocks = mmzoo("predict", run_of_all_heads.directory, *images[:2]).out.split("\n\n")
    assert len(blocks) == 2
    assert [line.split()[0] for line in blocks[0].splitlines()] == [
        *("file", "which", "which_probability", "is", "is_probability", "many"),
        *("many_cat_probability", "many_dog_probability", "many_=cow_probability"),
        *("much_0", "much_1"),
    ]
    assert "\x1b" not in wide
