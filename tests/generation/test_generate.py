"""`mmzoo generate`: from the prior, from some inputs, between examples, and the folder written."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from pairs import PAIRS, ROWS, pairs
from PIL import Image

from mmzoo import train
from mmzoo.cli.main_command import cli
from mmzoo.errors import DataError, RunError
from mmzoo.evaluation.evaluate_run import evaluate
from mmzoo.generation.generate import generate
from mmzoo.generation.generated_rows import GeneratedRows, write_generated
from mmzoo.runs import Run
from mmzoo.tables import write_table
from mmzoo.trained_model import load_model


@pytest.fixture(autouse=True)
def where_its_table_is(pairs_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pairs_run.directory.parent)


@pytest.fixture(scope="module")
def model(pairs_run: Run) -> Any:
    return load_model(pairs_run)


def table_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "table.csv").open(newline="", encoding="utf-8") as file:
        return [*csv.DictReader(file)]


def images_of(folder: Path, rows: list[dict[str, str]]) -> np.ndarray:
    return np.stack([np.asarray(Image.open(folder / row["photo"])) for row in rows])


def as_pixels(shares: Any) -> np.ndarray:
    return np.rint(255 * np.asarray(shares)[..., 0]).astype(np.uint8)


def places(folder: Path) -> Path:
    """A table without photos."""
    data = pairs()
    there = [row for row in range(ROWS) if data["place"][row]]
    columns = {name: [data[name][row] for row in there] for name in ("place", "side")}
    write_table(folder / "places.csv", {**columns, "id": [f"p{row}" for row in there]})
    return folder / "places.csv"


def test_samples_of_the_prior_are_decoded_codes(pairs_run, model, tmp_path) -> None:
    done = generate(pairs_run, samples=200, output=tmp_path / "a", device="cpu")
    rows = table_of(tmp_path / "a")
    assert done.examples == len(rows) == 200
    assert (tmp_path / "a" / "grid.png").is_file()
    assert {row["cells_shown"] for row in rows} <= {"place left", "place right"}
    random = np.random.RandomState(0)
    codes = random.normal(size=(20_000, 2)).astype("float32")
    expected = as_pixels(model.get_layer("photo_again")(codes)).mean(axis=0)
    found = images_of(tmp_path / "a", rows)
    np.testing.assert_allclose(found.mean(axis=0), expected, atol=20)
    generate(pairs_run, samples=200, output=tmp_path / "again", device="cpu")
    np.testing.assert_array_equal(images_of(tmp_path / "again", rows), found)
    generate(pairs_run, samples=200, seed=1, output=tmp_path / "other", device="cpu")
    assert (images_of(tmp_path / "other", rows) != found).any()


def test_images_from_the_other_input_with_the_columns_of_the_table(
    pairs_run, model, tmp_path, monkeypatch
) -> None:
    """And a classifier reads them."""
    given = places(tmp_path)
    words = ["generate", str(pairs_run.directory), "--from", str(given), "--inputs", "cells"]
    result = CliRunner().invoke(cli, [*words, "--output", str(tmp_path / "out"), "--json"])
    assert result.exit_code == 0, result.output
    rows = table_of(tmp_path / "out")
    assert json.loads(result.stdout) == {"folder": str(tmp_path / "out"), "examples": len(rows)}
    assert [row["id"] for row in rows][:3] == ["p1", "p2", "p3"]
    inputs = {
        "photo": np.zeros((2, 6, 6, 1), "uint8"),
        "photo_present": np.zeros(2, "float32"),
        "cells": np.array([[2], [3]], "float32"),
        "cells_present": np.ones(2, "float32"),
    }
    left, right = as_pixels(model(inputs)["photo_again"])
    found = images_of(tmp_path / "out", rows)
    for row, image in zip(rows, found, strict=True):
        expected = [one for one in (left, right) if (one == image).all()]
        assert len(expected) == 1, row
    monkeypatch.chdir(tmp_path / "out")  # The paths of a table in memory are relative to it.
    metrics = evaluate(pairs_run, data="table.csv", output=tmp_path / "eval")
    assert metrics["side"]["accuracy"] == 1
    assert metrics["examples"] == len(rows)


def test_a_split_of_the_runs_own_data_has_its_labels(pairs_run, tmp_path) -> None:
    generate(pairs_run, split="test", output=tmp_path / "out", device="cpu")
    rows = table_of(tmp_path / "out")
    assert len(rows) == pairs_run.metrics()["test"]["examples"]
    data = pairs()
    for row in rows:
        number = int(row["example"].removeprefix("row ")) - 1
        assert row["side"] == data["side"][number]


@pytest.mark.slow
def test_interpolation_leads_from_one_reconstruction_to_the_other(pairs_run, tmp_path) -> None:
    given = {"data": places(tmp_path), "inputs": ["cells"], "device": "cpu"}
    generate(pairs_run, output=tmp_path / "all", **given)
    whole = images_of(tmp_path / "all", table_of(tmp_path / "all")[:2])
    generate(pairs_run, interpolate=4, output=tmp_path / "way", **given)
    rows = table_of(tmp_path / "way")
    found = images_of(tmp_path / "way", rows).astype(int)
    assert [row["step"] for row in rows] == ["0", "1", "2", "3", "4"]
    np.testing.assert_allclose(found[[0, -1]], whole, atol=1)
    steps = np.abs(np.diff(found, axis=0)).sum(axis=(1, 2))
    assert (steps > 0).all()


def test_several_samples_of_each_example_differ(pairs_run, tmp_path) -> None:
    generate(pairs_run, split="test", samples=3, output=tmp_path / "out", device="cpu")
    rows = table_of(tmp_path / "out")
    assert [row["example"] for row in rows[:3]] == [rows[0]["example"]] * 3
    first, second, _ = images_of(tmp_path / "out", rows[:3])
    assert (first != second).any()


def test_files_of_one_of_several_inputs(pairs_run, tmp_path) -> None:
    Image.fromarray(pairs()["photo"][0, ..., 0]).save(tmp_path / "left.png")
    generate(pairs_run, tmp_path / "left.png", inputs=["photo"], output=tmp_path / "out")
    [row] = table_of(tmp_path / "out")
    assert row["file"] == str(tmp_path / "left.png")
    assert row["cells_shown"] == "place left"


@pytest.fixture(scope="module")
def plain(pairs_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A multimodal autoencoder without a prior."""
    values = {**PAIRS, "fusion": {"type": "concat", "units": [4], "activation": "linear"}}
    run = tmp_path_factory.mktemp("plain") / "001"
    return train(values, run=run, smoke=True, device="cpu")


@pytest.mark.slow
def test_an_autoencoder_without_a_prior_rebuilds_too(plain, tmp_path) -> None:
    generate(plain, split="test", inputs=["cells"], output=tmp_path / "out", device="cpu")
    generate(plain, split="test", interpolate=3, output=tmp_path / "way", device="cpu")
    assert len(table_of(tmp_path / "way")) == 4
    with pytest.raises(RunError, match="its code has no prior to draw from, as its fusion is conc"):
        generate(plain, device="cpu", output=tmp_path / "prior")
    with pytest.raises(RunError, match="its code is not random"):
        generate(plain, split="test", samples=2, device="cpu", output=tmp_path / "prior")
    assert not (tmp_path / "prior").exists()


def test_errors_say_what_to_do(pairs_run, trained_run, tmp_path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match=r"full: is not empty. Name another --output."):
        generate(pairs_run, output=tmp_path / "full")
    with pytest.raises(RunError, match="no input 'foto'; did you mean 'photo'"):
        generate(pairs_run, split="test", inputs=["foto"], output=tmp_path / "new")
    with pytest.raises(RunError, match="none of its heads generates anything: digit"):
        generate(trained_run, output=tmp_path / "new")
    with pytest.raises(DataError, match="has none of the inputs photo, like"):
        generate(pairs_run, places(tmp_path), inputs=["photo"], output=tmp_path / "new")
    result = CliRunner().invoke(cli, ["generate", "x", "--inputs", "audio"])
    assert result.exit_code == 2
    assert "--inputs needs examples" in result.output
    assert not (tmp_path / "new").exists()


def test_a_failure_leaves_no_folder_and_an_empty_one_is_filled(tmp_path) -> None:
    image = np.zeros((2, 2, 3), np.uint8)

    def failing() -> Iterator[GeneratedRows]:
        yield GeneratedRows({"photo": [image]}, {"photo": ["original.png"]})
        raise RunError("no more")

    with pytest.raises(RunError, match="no more"):
        write_generated(tmp_path / "out", failing())
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "out").mkdir()
    outputs = {"photo": [image], "a/b": [image], "a_b": ["text"], "a b": [image[..., :1]]}
    write_generated(tmp_path / "out", [GeneratedRows(outputs, {"photo": ["a.png"]})])
    assert table_of(tmp_path / "out") == [
        {
            "photo": "photo/00001.png",
            "a/b": "a_b/00001.png",
            "a_b": "text",
            "a b": "a_b__/00001.png",
            "photo_given": "a.png",
        }
    ]
    with Image.open(tmp_path / "out" / "a_b__" / "00001.png") as written:
        assert written.size == (2, 2)
