"""Evaluation and prediction on tables and folders other than the run's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from PIL import Image

from mmzoo import evaluate, predict, train
from mmzoo.cli.main_command import main
from mmzoo.errors import DataError
from mmzoo.runs import Run


def table(path: Path, rows: int, seed: int, **columns: Any) -> Path:
    """Plants whose kind depends on colour and height."""
    random = np.random.RandomState(seed)
    kind = random.randint(0, 2, rows)
    frame = {
        "id": [f"p{number}" for number in range(rows)],
        "height": (kind * 2.0 + random.rand(rows)).round(3).tolist(),
        "colour": [("red", "blue")[one] for one in kind],
        "kind": [("rose", "thistle")[one] for one in kind],
    }
    polars.DataFrame({**frame, **columns}).write_csv(path)
    return path


@pytest.fixture(scope="module")
def plants(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("plants")
    return train(
        {
            "name": "plants",
            "source": {"type": "table", "path": str(table(folder / "plants.csv", 120, 0))},
            "inputs": {
                "traits": {
                    "type": "tabular",
                    "columns": {"height": "number", "colour": "category"},
                    "encoder": {"type": "mlp", "units": [8]},
                }
            },
            "heads": {"kind": {"type": "classification"}},
            "train": {"epochs": 30, "batch_size": 16},
        },
        run=folder / "run",
    )


def test_predictions_are_written_beside_unused_columns(plants, tmp_path):
    path = table(tmp_path / "new.csv", 7, 1, note=["=1+1"] * 7)
    predicted = predict(plants, data=path)
    assert list(predicted) == ["id", "kind_given", "note", "kind", "kind_probability"]
    assert predicted["id"] == [f"p{number}" for number in range(7)]
    assert predicted["kind"] == predicted["kind_given"]
    assert min(predicted["kind_probability"]) > 0.5


def test_prediction_needs_no_labels(plants, tmp_path):
    path = table(tmp_path / "new.csv", 7, 1)
    complete = predict(plants, data=path)
    frame = polars.read_csv(path).select("colour", "height")
    frame.write_parquet(tmp_path / "new.parquet")
    single = predict(plants, data=tmp_path / "new.parquet")
    assert list(single) == ["row", "kind", "kind_probability"]
    assert single["row"] == [1, 2, 3, 4, 5, 6, 7]
    assert single["kind_probability"] == pytest.approx(complete["kind_probability"])


def test_unusable_rows_are_named_or_skipped(plants, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("id,height,colour\na,1.5,red\nb,tall,red\nc,2.5,blue\n")
    with pytest.raises(DataError) as caught:
        predict(plants, data=path)
    assert "row 2: " in str(caught.value)
    assert "tall" in str(caught.value)
    assert "give `--on-bad-row skip` to go on without it" in str(caught.value)
    predicted = predict(plants, data=path, on_bad_row="skip")
    assert predicted["id"] == ["a", "c"]
    assert len(predicted["kind"]) == 2


def test_a_missing_column_is_named(plants, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("id,hight,colour\na,1.5,red\n")
    with pytest.raises(DataError, match=r"`height`.*Did you mean `hight`"):
        predict(plants, data=path)


def test_evaluating_a_table_equals_evaluating_its_rows(plants, tmp_path):
    before = plants.metrics()
    path = table(tmp_path / "newer plants.csv", 40, 2)
    metrics = evaluate(plants, data=path)
    assert metrics["examples"] == 40
    assert metrics["data"] == "newer plants.csv"
    predicted = predict(plants, data=path)
    right = np.mean(
        [a == b for a, b in zip(predicted["kind"], predicted["kind_given"], strict=True)]
    )
    assert metrics["kind"]["accuracy"] == pytest.approx(right)
    folder = plants.evaluation("data_newer_plants")
    assert {"report.html", "metrics.json", "predictions.csv"} <= {p.name for p in folder.iterdir()}
    assert plants.metrics() == before
    rows = polars.read_csv(folder / "predictions.csv")["row"].to_list()
    assert rows == list(range(1, 41))


@pytest.mark.slow
def test_reports_of_different_tables_are_separate(plants, tmp_path):
    paths = [tmp_path / folder / "same.csv" for folder in ("a", "b")]
    for rows, path in zip((5, 6), paths, strict=True):
        path.parent.mkdir()
        evaluate(plants, data=table(path, rows, 1))
    evaluate(plants, data=table(paths[0], 7, 1))
    examples = {
        name: json.loads((plants.evaluation(name) / "metrics.json").read_text())[name]["examples"]
        for name in ("data_same", "data_same_2")
    }
    assert examples == {"data_same": 7, "data_same_2": 6}


def test_classes_keep_their_ids_from_training(plants, tmp_path):
    path = tmp_path / "thistles.csv"
    frame = polars.read_csv(table(tmp_path / "both.csv", 40, 3)).filter(
        polars.col("kind") == "thistle"
    )
    frame.write_csv(path)
    assert evaluate(plants, data=path)["kind"]["accuracy"] == 1.0


def test_a_class_unknown_to_training_makes_a_row_bad(plants, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("height,colour,kind\n0.5,red,rose\n2.5,blue,nettle\n")
    with pytest.raises(DataError, match=r"row 2: .*nettle"):
        evaluate(plants, data=path)
    assert evaluate(plants, data=path, on_bad_row="skip")["examples"] == 1


def test_commands_and_python_agree(plants, tmp_path, capsys):
    path = table(tmp_path / "commanded.csv", 7, 1)
    out = tmp_path / "out.csv"

    def command(*words: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as caught:
            main([str(word) for word in words])
        return int(caught.value.code or 0), capsys.readouterr().out

    assert command("predict", plants.directory, "--data", path, "--output", out)[0] == 0
    assert polars.read_csv(out)["kind"].to_list() == predict(plants, data=path)["kind"]
    code, predicted = command("eval", plants.directory, "--data", path, "--json")
    assert code == 0
    assert json.loads(predicted)["data_commanded"]["examples"] == 7
    assert command("predict", plants.directory)[0] == 2
    before = path.read_bytes()
    assert command("predict", plants.directory, "--data", path, "--output", path)[0] == 2
    assert path.read_bytes() == before
    assert command("predict", plants.directory, path, "--data", path)[0] == 2
    assert command("eval", plants.directory, "--data", path, "--split", "test")[0] == 2
    assert command("predict", plants.directory, path)[0] == 1
    assert command("eval", plants.directory, "--data", tmp_path / "absent.csv")[0] == 1


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for kind, grey in (("dark", 20), ("light", 220)):
        (folder / kind).mkdir()
        for number in range(12):
            Image.new("RGB", (8, 8), (grey + number,) * 3).save(folder / kind / f"{number}.png")
    return folder


@pytest.mark.slow
def test_a_class_folder_that_was_moved_or_has_fewer_classes(photos, tmp_path):
    run = train(
        {
            "name": "photos",
            "source": {"type": "folder", "path": str(photos)},
            "inputs": {
                "file": {
                    "type": "image",
                    "shape": [8, 8, 3],
                    "encoder": {"type": "cnn", "filters": [4], "pool": 2},
                }
            },
            "heads": {"label": {"type": "classification"}},
            "train": {"epochs": 1, "batch_size": 8},
        },
        run=tmp_path / "run",
    )
    other = tmp_path / "other"
    other.mkdir()
    (photos / "light").rename(other / "light")
    metrics = evaluate(run, data=other)
    assert metrics["examples"] == 12
    (other / "grey").mkdir()
    Image.new("L", (8, 8), 99).save(other / "grey" / "a.png")
    with pytest.raises(DataError, match="1 of 13 files have an unknown class in `label`: 'grey'"):
        evaluate(run, data=other)
