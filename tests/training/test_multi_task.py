"""Several heads: missing labels, learned weights, auxiliary losses."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frames import load_arrays
from sklearn.metrics import log_loss, roc_auc_score
from test_multi_device import train_on
from trainings import differences, merged, read_scalars, train_with_crash, weights

from mmzoo.batches import evaluation_batches
from mmzoo.evaluation.evaluate_run import evaluate
from mmzoo.runs import Run
from mmzoo.trained_model import load_trained
from mmzoo.training.train import train

ROWS = 96


def write_table(path: Path) -> None:
    """A third of the rows have no kind, a quarter of the others no price."""
    random = np.random.RandomState(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "size", "kind", "price", "age"])
        for row in range(ROWS):
            size = float(random.uniform(1, 9))
            kind = "large" if size > 5 else "small"
            price = f"{100 * size + random.normal():.2f}"
            has_kind, has_price = row % 3 > 0, row % 4 > 0 or row % 3 == 0
            text = f"a {kind} house" if row % 2 else "a house"
            price = price if has_price else ""
            kind = kind if has_kind else ""
            writer.writerow([text, f"{size:.3f}", kind, price, "old" if row % 5 else "new"])


def config(folder: Path, **changes: Any) -> dict[str, Any]:
    tree = {
        "name": "houses",
        "source": {"type": "table", "path": str(folder / "table.csv")},
        "inputs": {
            "text": {
                "type": "text",
                "length": 5,
                "encoder": {"type": "embedding", "dim": 4, "units": [4], "dropout": 0.3},
            },
            "facts": {
                "type": "tabular",
                "columns": {"size": "number"},
                "encoder": {"type": "mlp", "units": [4], "dropout": 0.2},
            },
        },
        "fusion": {"type": "concat", "units": [4], "auxiliary_loss": 0.3},
        "objective": {"type": "supervised", "weights": "uncertainty"},
        "heads": {
            "kind": {"type": "binary", "missing": "ignore"},
            "price": {"type": "regression", "missing": "ignore"},
        },
        "train": {
            "epochs": 2,
            "batch_size": 16,
            "evaluation_batch_size": 4,
            "log_steps": 2,
            "checkpoint_seconds": 0,
            "optimizer": {"type": "adam", "learning_rate": 1e-2},
        },
    }
    return merged(tree, changes)


PLAIN = {
    "inputs": {
        "text": {"encoder": {"dropout": 0.0}},
        "facts": {"encoder": {"dropout": 0.0}},
    },
    "train": {"optimizer": {"type": "sgd", "learning_rate": 0.05}},
}
VOTE = {
    "fusion": {"type": "decision", "combine": "vote"},
    "heads": {"price": {"type": "classification", "column": "age", "missing": "ignore"}},
    "share": False,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tasks")
    write_table(path / "table.csv")
    return path


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return train(config(folder), run=folder / "whole")


@pytest.fixture(scope="module")
def on_two_devices(folder: Path) -> Path:
    """Runs that two devices trained."""
    plain, vote = config(folder, **PLAIN), config(folder, **VOTE)
    jobs = {
        "plain": {"values": plain},
        "vote": {"values": vote},
        "vote_resumed": {"values": vote, "crash": 7},
    }
    errors = train_on(2, jobs, folder / "two")
    assert errors == dict.fromkeys(jobs)
    return folder / "two"


@pytest.mark.slow
def test_it_resumes_exactly(run, folder):
    resumed = train_with_crash(config(folder), folder / "resumed", 6)
    assert differences(run, resumed) == []


def test_every_head_has_metrics(run):
    history = run.history()
    expected = {"kind_loss", "price_loss", "kind_accuracy", "price_mean_absolute_error"}
    learned = {"kind_loss_weight", "price_loss_weight"}
    validated = {f"validation_{name}" for name in (*expected, "kind_auc")}
    assert expected | learned | validated <= history[-1].keys()
    assert all(np.isfinite(value) for row in history for value in row.values())
    curves = read_scalars(run.logs / "train")
    assert {"kind/loss_weight", "price/loss_weight", "kind/accuracy"} <= curves.keys()
    assert history[-1]["kind_loss_weight"] != history[0]["kind_loss_weight"] != 1
    log = run.log_file.read_text()
    assert "Learned weights of the losses: kind_loss_weight" in log


def test_metrics_use_labelled_rows_only(run):
    metrics = run.metrics()["test"]
    rows = metrics["examples"]
    assert 0 < metrics["kind"]["labelled"] < rows
    assert 0 < metrics["price"]["labelled"] < rows
    assert np.isfinite(metrics["loss"])


def test_validation_metrics_match_the_predictions(run):
    """Computed by scikit-learn and numpy from the labelled rows, in batches of four."""
    model, loaded = load_trained(run, "last")
    data = load_arrays(loaded).splits["validation"]
    batches = evaluation_batches(loaded, data, labelled=False)
    parts = [model(inputs, training=False) for (inputs,) in batches]
    kind, price = (
        head.predictions(np.concatenate([part[name] for part in parts]))[:, 0]
        for name, head in loaded.labelled_heads.items()
    )
    row = run.history()[-1]
    labelled = data["kind"] >= 0
    true, probability = data["kind"][labelled], kind[labelled].astype("float64")
    assert labelled.sum() % 4
    assert row["validation_kind_auc"] == pytest.approx(roc_auc_score(true, probability))
    assert row["validation_kind_loss"] == pytest.approx(log_loss(true, probability), rel=1e-4)
    [std] = loaded.heads["price"].std
    errors = (price - data["price"].reshape(-1)) / std
    expected = np.nanmean(errors.astype("float64") ** 2)
    assert row["validation_price_loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_missing_true_labels_are_empty_in_the_report(run):
    metrics = evaluate(run, split="validation", embeddings=True)
    best = max(run.history(), key=lambda row: -row["validation_loss"])
    assert metrics["loss"] == pytest.approx(best["validation_loss"], rel=1e-5)
    assert metrics["kind"]["accuracy"] == pytest.approx(best["validation_kind_accuracy"])
    with (run.evaluation("validation") / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    for head in ("kind", "price"):
        there = [row[f"{head}_true"] != "" for row in rows]
        assert sum(there) == metrics[head]["labelled"] < len(rows)
        assert all(row[head] != "" for row in rows)
    page = (run.evaluation("validation") / "report.html").read_text()
    assert "labelled" in page
    for image in ("kind_confusion.png", "price_regression.png"):
        assert (run.evaluation("validation") / image).is_file()


def test_data_without_the_column_of_a_head_are_evaluated_by_the_others(run, tmp_path, capsys):
    path = tmp_path / "sold.csv"
    path.write_text("text,size,price\na house,3,310\na large house,7,690\n")
    metrics = evaluate(run, data=path)
    assert metrics["kind"] == {"labelled": 0}
    assert metrics["price"]["mean_absolute_error"] > 0
    assert np.isfinite(metrics["loss"])
    assert "sold.csv: there is no column `kind`: missing in all rows" in capsys.readouterr().err
    with (run.evaluation("data_sold") / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["kind_true"] for row in rows] == [""] * 2
    assert all(row["kind"] in ("small", "large") for row in rows)


def test_a_trained_model_predicts_with_its_heads_only(run):
    model, loaded = load_trained(run)
    inputs = {"text": np.array([[2, 3, 0, 0, 0]]), "facts": np.array([[0.5]], np.float32)}
    assert set(model.predict(inputs, verbose=0)) == {"kind", "price"}
    learned = loaded.objective.learned_weights(model, loaded.heads)
    best = min(run.history(), key=lambda row: row["validation_loss"])
    assert learned["kind"] == pytest.approx(best["kind_loss_weight"], rel=1e-5)


@pytest.mark.slow
def test_two_devices_have_the_loss_of_one(on_two_devices, folder):
    """Every label has equal weight, whichever device it is on."""
    one = train(config(folder, **PLAIN), run=folder / "one")
    two = Run(on_two_devices / "plain")
    assert two.environment()["device"]["replicas"] == 2
    for row_of_one, row_of_two in zip(one.history(), two.history(), strict=True):
        assert row_of_two == pytest.approx(row_of_one, rel=1e-3)
    for name, values in weights(one).items():
        np.testing.assert_allclose(weights(two)[name], values, rtol=1e-2, atol=1e-4)


@pytest.mark.slow
def test_independent_towers_that_vote_resume_exactly_on_two_devices(on_two_devices):
    complete, resumed = (Run(on_two_devices / name) for name in ("vote", "vote_resumed"))
    assert differences(complete, resumed) == []
    assert all(np.isfinite(row["loss"]) for row in complete.history())
    entry = json.loads(complete.metrics_file.read_text())["test"]
    assert 0 < entry["kind"]["labelled"] < entry["examples"]
    assert "labelled" not in entry["price"]  # All rows have that one.
