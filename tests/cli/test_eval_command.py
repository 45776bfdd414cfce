"""`mmzoo eval`: output, files, and agreement with the Python API."""

from __future__ import annotations

import csv
import json
import os

import pytest

import mmzoo as api
from mmzoo.runs import Run

FILES = [
    *("calibration.png", "confusion.png", "history.png", "metrics.json", "mistakes.png"),
    *("predictions.csv", "report.html"),
]


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_metrics_classes_and_confusions_are_printed(mmzoo, own_run):
    done = mmzoo("eval", own_run.directory)
    assert done.code == 0
    metrics = own_run.metrics()["test"]
    first, _, head, *rest = done.out.splitlines()
    assert first == f"test: 359 examples of digits, loss {metrics['loss']:.4g}"
    low, high = metrics["digit"]["accuracy_ci95"]
    assert head == (
        f"  digit: accuracy {100 * metrics['digit']['accuracy']:.1f} % "
        f"(95 % CI {100 * low:.1f} to {100 * high:.1f}); majority-class baseline ('3'): 10.3 %"
    )
    assert f"expected calibration error  {metrics['digit']['expected_calibration_error']:.4g}" in (
        done.out
    )
    classes = rest.index("    class  precision  recall     F1  examples") + 1
    assert [line.split()[0] for line in rest[classes : classes + 10]] == list("0123456789")
    assert sum(int(line.split()[-1]) for line in rest[classes : classes + 10]) == 359
    confused = rest[rest.index("    most confused:") + 1]
    assert confused.startswith("      '")
    assert "' predicted as '" in confused
    assert rest[-1] == f"Report: {own_run.directory}/eval/test/report.html"


def test_all_files_are_written(mmzoo, own_run):
    mmzoo("eval", own_run.directory)
    folder = own_run.evaluation("test")
    assert sorted(os.listdir(folder)) == FILES
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics == own_run.metrics()
    rows = rows_of(folder / "predictions.csv")
    assert len(rows) == metrics["test"]["examples"]
    right = sum(row["digit"] == row["digit_true"] for row in rows)
    assert right / len(rows) == metrics["test"]["digit"]["accuracy"]


def test_json_equals_metrics_json(mmzoo, own_run):
    done = mmzoo("eval", own_run.directory, "--split", "validation", "--json")
    assert done.document == json.loads(
        (own_run.evaluation("validation") / "metrics.json").read_text()
    )
    assert done.document["validation"]["examples"] == 144
    assert set(own_run.metrics()) == {"test", "validation"}


@pytest.mark.slow
def test_a_run_can_be_given_by_experiment_or_weights_file(mmzoo, own_run):
    message = mmzoo("eval", own_run.directory.parent, "--json").document["test"]
    assert mmzoo("eval", own_run.best_weights, "--json").document["test"] == message
    assert api.evaluate(str(own_run.directory), split="test") == message
    # The training evaluated the same weights on the same examples.
    assert message == Run(own_run.directory).metrics()["test"]


@pytest.mark.slow
def test_other_checkpoints_do_not_change_the_runs_metrics(mmzoo, own_run):
    before = own_run.metrics_file.read_bytes()
    checkpoint = max(own_run.last.glob("*.npz"))
    last = mmzoo("eval", own_run.directory, "--checkpoint", "last", "--json").document
    assert mmzoo("eval", checkpoint, "--json").document == last
    assert own_run.metrics_file.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--checkpoint", "lst"), "lst: there is no such weights file; did you mean 'last'?"),
        (("--checkpoint", "x.weights.h5"), "x.weights.h5: there is no such weights file"),
    ],
)
def test_missing_weights(mmzoo, own_run, words, message):
    done = mmzoo("eval", own_run.directory, *words)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"Error: {message}\n"


def test_a_run_without_best_weights(mmzoo, own_run):
    own_run.best_weights.unlink()
    assert mmzoo("eval", own_run.directory).err == (
        f"Error: {own_run.directory}: has no best weights, since no epoch of it was finished. "
        "Continue it with `mmzoo train --resume`, or use --checkpoint last.\n"
    )
    assert mmzoo("eval", own_run.directory, "--checkpoint", "last").code == 0


def test_missing_run(mmzoo, own_run, tmp_path):
    assert mmzoo("eval", "tiny").err == (
        "Error: tiny: there is no such run; did you mean 'runs/tiny'? "
        "`mmzoo list runs` shows those there are.\n"
    )
    assert mmzoo("eval", "runs/tinny").err == (
        "Error: runs/tinny: there is no such run; did you mean 'runs/tiny'? "
        "`mmzoo list runs` shows those there are.\n"
    )
    assert mmzoo("eval", "runs").err == (
        "Error: runs: not a run directory: it has no config.yaml\n"
    )
    assert os.listdir(tmp_path) == ["runs"]


@pytest.mark.slow
def test_every_kind_of_head_is_printed(mmzoo, run_of_all_heads):
    done = mmzoo("eval", run_of_all_heads.directory)
    assert done.code == 0
    assert "  which: accuracy " in done.out
    assert "  is: accuracy " in done.out
    assert "  many: subset accuracy " in done.out
    assert "  much: mean absolute error " in done.out
    # Of 24 classes the ten worst, of three labels all.
    assert "    worst class  precision" in done.out
    assert "    All 24 are in the report." in done.out
    assert "    label  precision" in done.out
    assert "    Note: " in done.out
    assert "no\\x1b[31m" in done.out
    assert "\x1b" not in done.out
    images = {f for f in os.listdir(run_of_all_heads.evaluation("test")) if f.endswith(".png")}
    assert images == {
        *("history.png", "much_regression.png", "much_residuals.png"),
        *(f"{head}_curves.png" for head in ("is", "many")),
        *(
            f"{head}_{kind}.png"
            for head in ("which", "is")
            for kind in ("confusion", "calibration")
        ),
        *(f"{head}_mistakes.png" for head in ("which", "is", "much")),
    }
    assert "    positive class " in done.out
    assert "    largest errors:\n      row " in done.out
    page = (run_of_all_heads.evaluation("test") / "report.html").read_text(encoding="utf-8")
    assert "\x1b" not in page


def test_training_ends_with_the_metrics_of_every_head(run_of_all_heads):
    from mmzoo.cli.results_text import metrics_text

    # Other tests evaluate more splits.
    test = {"test": run_of_all_heads.metrics()["test"]}
    lines = metrics_text(test).splitlines()
    assert [line.split(":")[0].strip() for line in lines if not line.startswith("    ")] == [
        "test",
        *run_of_all_heads.config().heads,
    ]
