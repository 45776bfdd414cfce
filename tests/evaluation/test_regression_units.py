"""Regression targets that float32 would round: figures and files are those of the table."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from mmzoo.evaluation.ensemble import ensemble
from mmzoo.evaluation.evaluate_run import evaluate
from mmzoo.prediction import predict
from mmzoo.runs import Run
from mmzoo.training.train import train

START = 1_700_000_000_000
"""Milliseconds since 1970; float32 has steps of 131,072 there."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table whose target is a time in milliseconds, and a run on it."""
    folder = tmp_path_factory.mktemp("times")
    random = np.random.RandomState(0)
    x = random.normal(size=40)
    when = (START + 5000 * x + random.normal(size=40, scale=300)).astype(int)
    rows = [f"{a:.6f},{b}" for a, b in zip(x, when, strict=True)]
    (folder / "t.csv").write_text("\n".join(["x,when", *rows]) + "\n")
    fields = {
        "name": "times",
        "source": {"type": "table", "path": str(folder / "t.csv")},
        "inputs": {
            "facts": {"type": "tabular", "columns": {"x": "number"}, "encoder": {"type": "mlp"}}
        },
        "heads": {"when": {"type": "regression"}},
        "probes": ["ridge", "knn"],
        "train": {"epochs": 2, "batch_size": 8},
    }
    train(fields, run=folder / "run")
    return folder


def table(folder):
    rows = csv.DictReader((folder / "t.csv").read_text().splitlines())
    return np.array([int(row["when"]) for row in rows])


def columns(path):
    rows = list(csv.DictReader(path.read_text().splitlines()))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def test_predictions_and_metrics_are_in_the_units_of_the_table(folder):
    evaluate(folder / "run")
    found = columns(folder / "run" / "eval" / "test" / "predictions.csv")
    np.testing.assert_array_equal(found["when_true"], table(folder)[found["row"].astype(int) - 1])
    metrics = json.loads((folder / "run" / "metrics.json").read_text())["test"]
    for column, of in (
        ("when", metrics["when"]),
        ("when_ridge", metrics["probes"]["when"]["ridge"]),
    ):
        errors = np.abs(found[column] - found["when_true"])
        assert of["mean_absolute_error"] == pytest.approx(errors.mean(), rel=1e-9)
        assert 0 < errors.mean() < 20_000
    [std] = Run(folder / "run").config().heads["when"].std
    loss = np.mean(((found["when"] - found["when_true"]) / std) ** 2)
    assert metrics["loss"] == pytest.approx(loss, rel=1e-5)


def test_training_metrics_are_in_milliseconds(folder):
    history = columns(folder / "run" / "history.csv")
    assert 10 < history["validation_when_mean_absolute_error"][-1] < 20_000
    assert 10 < history["when_mean_absolute_error"][-1] < 20_000


@pytest.mark.slow
def test_predictions_and_ensembles_are_in_float64(folder):
    predicted = predict(folder / "run", data=folder / "t.csv")["when"]
    assert len(set(predicted)) == 40
    assert abs(np.mean(predicted) - START) < 20_000
    run = folder / "run"
    last = run / "checkpoints" / "best.weights.h5"
    other = last.with_name("copy.weights.h5")
    other.write_bytes(last.read_bytes())
    done = ensemble([run, other], "average", output=folder / "ensemble")
    single = json.loads((run / "metrics.json").read_text())["test"]["when"]
    for name, value in done.metrics["test"]["when"].items():
        assert value == pytest.approx(single[name], rel=1e-9)
