"""A table of houses with every fault of real tables: training, evaluation, prediction."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmzoo import evaluate, predict
from mmzoo.config import load_config
from mmzoo.errors import DataError, Interrupted, RunError
from mmzoo.lazy import tf
from mmzoo.model import build_model
from mmzoo.model_summary import summarize
from mmzoo.preprocessing import fit_config, load_frame, load_rows, transform
from mmzoo.runs import Run
from mmzoo.trained_model import load_trained
from mmzoo.training.train import train

ROWS = 400
WORTH = {"Bern": 2e5, "Kyiv": -1e5, "Oslo": 1e5, "Rome": 0.0}
HEADER = ["id", "area", "city", "built", "price"]


def written(path: Path, rows: list[list[Any]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return path


def houses(count: int = ROWS) -> list[list[Any]]:
    """Prices depend on area, city and year, in millions; a tenth of all cells are empty."""
    random = np.random.RandomState(0)
    rows = []
    for number in range(count):
        area, year = random.uniform(30, 200), random.randint(1950, 2020)
        city = random.choice(sorted(WORTH))
        price = 1e6 + 4e3 * (area - 100) + WORTH[city] + 2e3 * (year - 1985)
        cells = [f"{area:.1f}", city, f"{year}-05-01"]
        rows.append([number, *(cell if random.rand() > 0.1 else "" for cell in cells), int(price)])
    return rows


def config(path: Path, epochs: int = 25, **source: Any) -> dict[str, Any]:
    columns = {"area": "number", "city": "auto", "built": "date"}
    return {
        "name": "houses",
        "source": {"type": "table", "path": str(path), **source},
        "inputs": {"facts": {"type": "tabular", "columns": columns}},
        "heads": {"price": {"type": "regression"}},
        "train": {
            "epochs": epochs,
            "batch_size": 32,
            "optimizer": {"type": "adam", "learning_rate": 0.01},
        },
    }


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    return written(tmp_path_factory.mktemp("data") / "houses.csv", houses())


@pytest.fixture(scope="module")
def run(table, tmp_path_factory) -> Run:
    return train(config(table), run=tmp_path_factory.mktemp("runs") / "houses")


def test_prices_in_the_millions_are_learned_and_reported_in_their_units(run):
    found = run.metrics()["test"]["price"]
    assert found["r2"] > 0.6
    assert 1e4 < found["mean_absolute_error"] < 1e5
    assert run.metrics()["test"]["loss"] == pytest.approx(1 - found["r2"], abs=0.15)
    best = min(run.history(), key=lambda row: row["validation_price_mean_absolute_error"])
    assert best["validation_loss"] < 1
    assert best["validation_price_mean_absolute_error"] > 1e4


def test_the_run_stores_the_fitted_statistics(run):
    uninterrupted = run.config()
    assert uninterrupted.inputs["facts"].columns == {
        "area": "number",
        "city": "category",
        "built": "date",
    }
    assert uninterrupted.inputs["facts"].category_sizes == {"city": 4}
    assert uninterrupted.heads["price"].mean[0] == pytest.approx(1.1e6, rel=0.1)
    assert run.preprocessing()["facts"].keys() == {"statistics.json"}
    assert summarize(run.directory).parameters == summarise_by_hand(run)


def summarise_by_hand(run: Run) -> int:
    return sum(int(np.prod(variable.shape)) for variable in build_model(run.config()).weights)


def test_evaluation_gives_the_same_metrics_and_a_report(run):
    assert evaluate(run) == run.metrics()["test"]
    folder = run.evaluation("test")
    with (folder / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["row", "price_true", "price"]
    assert 5e5 < float(rows[0]["price"]) < 2e6
    assert (folder / "report.html").is_file()
    assert (folder / "regression.png").is_file()


@pytest.mark.parametrize(
    "cells",
    [
        ("1.0", "2.50", "x"),
        ("2020-01-01", "2020-01-02", "x"),
        ("1e3", "2e3", "x"),
        ("7", "07", "x"),
    ],
)
@pytest.mark.parametrize("kind", ["category", "auto"])
def test_categories_are_recognized_regardless_of_other_rows(cells, kind, tmp_path):
    """Columns of numbers or dates have the same categories beside other cells."""

    def table(name, cells):
        path = tmp_path / name
        path.write_text("size,price\n" + "".join(f"{cell},1\n" for cell in cells))
        return path

    inputs = {"facts": {"type": "tabular", "columns": {"size": kind}}}
    found = load_config(config(table("train.csv", cells * 20)) | {"inputs": inputs}).with_columns()
    found, preprocessing = fit_config(found, load_frame(found))
    for chosen in (cells, cells[:1], cells[:2]):
        rows = load_rows(found, str(table("new.csv", chosen)), "data", labelled=False)
        # Ids are known, so nothing is told.
        ids = transform(found, rows, preprocessing).splits["data"]["size"][:, 0]
        assert len(set(ids.tolist())) == len(chosen)


@pytest.mark.parametrize(
    ("trained", "later", "warned"),
    [
        (["Rome", "Bern"], ["ROME", "BERN"], "here 'BERN', there 'Bern'"),
        (["x", "y"], ["1.0", "1.0"], "here '1.0', there 'y'"),  # As the file spells it.
        (["Rome", "Bern"], ["Rome", "BERN"], ""),
        (["True", "False"], ["true", "FALSE"], ""),
        (["7", "x"], ["7.0", "x"], ""),
        (["Zürich", "Bern"], ["Zu\u0308rich", "Bern"], ""),
    ],
)
def test_a_column_without_any_known_category_is_a_warning(
    trained, later, warned, tmp_path, messages
):
    def table(name, cells):
        path = tmp_path / name
        path.write_text("city,price\n" + "".join(f"{cell},1\n" for cell in cells * 20))
        return path

    inputs = {"facts": {"type": "tabular", "columns": {"city": "category"}}}
    found = load_config(config(table("train.csv", trained)) | {"inputs": inputs}).with_columns()
    found, preprocessing = fit_config(found, load_frame(found))
    rows = load_rows(found, str(table("new.csv", later)), "data", labelled=False)
    messages.clear()
    transform(found, rows, preprocessing)
    warnings = [message for message in messages if message.startswith("Warning")]
    if warned:
        assert warnings == [
            "Warning: inputs.facts, column 'city' of new.csv, data: no value of `city` is known "
            f"from training: {warned}. Another spelling, or the wrong column?"
        ]
    else:
        assert not warnings


def test_rows_of_another_table_are_predicted(run, tmp_path):
    rows = [
        [1, "100", "Rome", "1985-05-01", 0],
        [2, "180", "Rome", "1985-05-01", 0],
        [3, "100", "Bern", "1985-05-01", 0],
        [4, "", "", "", 0],
        [5, "100", "Atlantis", "1985-05-01", 0],
    ]
    predicted = predict(run, data=written(tmp_path / "new.csv", rows))
    assert [int(one) for one in predicted["id"]] == [1, 2, 3, 4, 5]
    rome, large, bern, unknown, atlantis = predicted["price"]
    assert large - rome == pytest.approx(4e3 * 80, rel=0.5)
    assert bern - rome > 5e4
    assert unknown == pytest.approx(1.05e6, rel=0.2)
    # Not known, so what an average city would add.
    assert atlantis - rome == pytest.approx(5e4, abs=1e5)


def test_predictions_keep_all_columns_of_the_table(run, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("price,price_given,area,city,built\n1,2,100,Rome,1985-05-01\n")
    predicted = predict(run, data=path)
    assert list(predicted) == ["price_given_given", "price_given", "price"]
    assert (predicted["price_given_given"], predicted["price_given"]) == (["1"], ["2"])


def test_single_files_are_refused(run, table):
    with pytest.raises(DataError, match="--data"):
        predict(run, [table])


def test_a_damaged_file_of_statistics_is_refused(table, tmp_path):
    run = train(config(table, epochs=1), run=tmp_path / "houses")
    file = run.directory / "preprocessing" / "facts" / "statistics.json"
    file.write_text(file.read_text()[:100])
    with pytest.raises(RunError, match=r"statistics\.json: damaged: it is not as it was written"):
        evaluate(run)


def test_invalid_cells_are_refused_or_skipped_by_row(tmp_path):
    rows = houses(100)
    rows[6][1], rows[41][3] = "large", "2024-02-30"
    path = written(tmp_path / "houses.csv", rows)
    with pytest.raises(DataError) as caught:
        train(config(path, epochs=1), run=tmp_path / "refused")
    message = str(caught.value)
    assert "row 7: its `area` is 'large', expected a number" in message
    assert "row 42: its `built` is '2024-02-30', expected a date such as" in message
    run = train(config(path, epochs=1, on_bad_row="skip"), run=tmp_path / "skipped")
    with run.skipped_file.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2
    splits = ("train", "validation", "test")
    assert sum(run.environment()["data"]["examples"][split] for split in splits) == 98


@pytest.mark.parametrize("share", [0.0, 0.2])
@pytest.mark.slow
def test_hidden_categories_teach_unseen_ones(table, tmp_path, share):
    """Otherwise its vector would stay the initial random one."""
    values = config(table, epochs=3)
    values["inputs"]["facts"]["category_dropout"] = share
    values["inputs"]["facts"]["columns"] = {"city": "category"}
    rows = [row for row in houses() if row[2]]  # Nothing is missing.
    values["source"]["path"] = str(written(tmp_path / "houses.csv", rows))
    run = train(values, run=tmp_path / "run")
    trained, drawn = load_trained(run)[0], build_model(run.config())
    before, after = (model.get_layer("facts_encoder").get_layer("embedding").weights[0].numpy()
                     for model in (drawn, trained))  # fmt: skip
    changed = (before != after).any(axis=1).tolist()
    hidden = share > 0
    assert changed == [hidden, hidden, True, True, True, True]


@pytest.mark.slow
def test_a_resume_is_bit_identical(table, tmp_path, monkeypatch):
    """Hidden categories are a function of epoch and row, so they need no saved state."""
    values = config(table, epochs=4)
    values["inputs"]["facts"]["encoder"] = {"type": "mlp", "dropout": 0.2, "batch_norm": True}
    uninterrupted = train(values, run=tmp_path / "whole")
    from mmzoo.training import epochs as story

    validate = story._end_epoch

    def stop_after_two(session, *arguments):
        validate(session, *arguments)
        if len(session.history) == 2:
            session.save()
            raise Interrupted("enough", 2)

    with monkeypatch.context() as patch:
        patch.setattr(story, "_end_epoch", stop_after_two)
        with pytest.raises(Interrupted):
            train(values, run=tmp_path / "parts")
    parts = train(values, run=tmp_path / "parts", resume=True)
    assert parts.history() == uninterrupted.history()
    weights = [load_trained(run, "last")[0].weights for run in (uninterrupted, parts)]
    for first, second in zip(*weights, strict=True):
        assert tf.reduce_all(first == second), first.path
