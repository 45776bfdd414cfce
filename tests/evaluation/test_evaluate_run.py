"""Evaluating a run from Python: errors, and agreement of report and metrics."""

from __future__ import annotations

import csv
import shutil

import numpy as np
import pytest
from frames import load_arrays

from mmzoo import evaluate
from mmzoo.errors import RunError
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.evaluation.evaluate_run import evaluate_run
from mmzoo.evaluation.head_report import head_report
from mmzoo.evaluation.mistakes import Mistakes, worst_mistakes
from mmzoo.trained_model import load_trained


def message(call, *arguments, **named):
    with pytest.raises(RunError) as caught:
        call(*arguments, **named)
    return str(caught.value)


def test_metrics_equal_those_of_training(own_run):
    of_training = own_run.metrics()
    assert evaluate(own_run) == of_training["test"]
    assert own_run.metrics() == of_training


@pytest.mark.slow
def test_best_weights_can_be_given_by_file(own_run):
    of_training = own_run.metrics()
    for run, checkpoint in ((own_run.best_weights, "best"), (own_run, str(own_run.best_weights))):
        own_run.metrics_file.unlink()
        done = evaluate_run(run, split="test", checkpoint=checkpoint, device="cpu")
        assert done.report.checkpoint == "best"
        assert own_run.metrics() == of_training


def test_weights_cannot_be_given_twice(own_run):
    assert message(evaluate, own_run.best_weights, checkpoint="last") == (
        f"{own_run.best_weights}: is a weights file, and --checkpoint last names weights too. "
        "Give a run directory, or leave --checkpoint out."
    )


def test_the_report_names_weights_and_split(own_run):
    done = evaluate_run(own_run, split="validation", checkpoint="last", device="cpu")
    report = done.report
    assert (report.split, report.checkpoint, report.examples) == ("validation", "last", 144)
    assert report.fingerprint == own_run.environment()["data"]["fingerprint"]
    assert report.loss == done.metrics["loss"]
    assert report.heads[0].metrics == done.metrics["digit"]
    assert done.page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert report.history == own_run.evaluation("validation") / "history.png"


def test_without_a_history_there_is_no_plot_of_it(own_run):
    own_run.write_history([])
    report = evaluate_run(own_run, split="test", checkpoint="best", device="cpu").report
    assert report.history is None
    assert not (own_run.evaluation("test") / "history.png").exists()


@pytest.mark.slow
def test_plots_of_an_earlier_evaluation_are_removed(own_run, monkeypatch):
    evaluate(own_run)
    mistakes = own_run.evaluation("test") / "mistakes.png"
    assert mistakes.is_file()
    monkeypatch.setattr(
        "mmzoo.evaluation.head_report.worst_mistakes", lambda *arguments: Mistakes()
    )
    evaluate(own_run)
    assert not mistakes.exists()


def test_an_unknown_split(own_run):
    assert message(evaluate, own_run, split="tst") == (
        "unknown split 'tst'; did you mean 'test'? There are: train, validation, test"
    )


def test_there_are_no_generated_images_to_judge(own_run):
    assert message(evaluate, own_run, frechet=own_run) == (
        f"{own_run.directory}: its objective is supervised, so there are no generated images for "
        "--frechet to measure; expected a run with `objective: {type: gan}`"
    )


def test_data_of_another_run(own_run):
    environment = own_run.environment()
    found = environment["data"]["fingerprint"]
    environment["data"] = {"name": "letters", "fingerprint": "0123456789abcdef"}
    own_run.write_environment(environment)
    assert message(evaluate, own_run) == (
        f"{own_run.directory}: was trained on letters (fingerprint 0123456789ab), but the source "
        f"now gives digits ({found[:12]}). Make the same data available again: `mmzoo data where`."
    )
    assert not own_run.evaluation("test").exists()


def test_mistakes_match_the_confusion_matrix(run_of_all_heads, tmp_path):
    """With a threshold of 0.3, the predicted class may be the less probable one."""
    model, config = load_trained(run_of_all_heads)
    data = load_arrays(config)
    evaluation = evaluate_model(model, config, data, "test")
    is_yes = evaluation.labels["is"] == 1
    predicted = np.where(is_yes, 0.9, 0.05)
    predicted[np.flatnonzero(~is_yes)[:3]] = 0.35
    predicted[np.flatnonzero(is_yes)[:2]] = 0.1
    evaluation.predictions["is"][:] = predicted[:, None]

    confusion = head_report("is", config, data, {}, evaluation, model, tmp_path).confusion
    assert confusion is not None
    assert (confusion[0, 1], confusion[1, 0]) == (3, 2)
    shown = worst_mistakes("is", config, data, {}, evaluation)
    assert shown.captions == [
        *(2 * ["true yes, predicted #0 (90 %)"]),
        *(3 * ["true #0, predicted yes (35 %)"]),
    ]
    assert {image.shape for image in shown.images} == {(8, 8, 3)}


def test_predictions_are_written_for_every_head(run_of_all_heads, own_run):
    evaluate(own_run)
    with (own_run.evaluation("test") / "predictions.csv").open(newline="") as file:
        assert next(csv.reader(file)) == ["row", "digit_true", "digit", "digit_probability"]
    evaluate(run_of_all_heads, split="validation")
    path = run_of_all_heads.evaluation("validation") / "predictions.csv"
    with path.open(newline="", encoding="utf-8") as file:
        [titles, *rows] = csv.reader(file)
    assert titles == [
        *("row", "which_true", "which", "which_probability"),
        *("is_true", "is", "is_probability"),
        *("many_true", "many", "many_cat_probability", "many_dog_probability"),
        *("many_=cow_probability", "much_true", "much_0", "much_1"),
    ]
    assert [row[0] for row in rows] == [str(number) for number in range(64)]
    assert {row[titles.index("is")] for row in rows} <= {"no\x1b[31m", "yes"}


def test_output_leaves_the_run_unchanged(own_run, tmp_path):
    own_run.metrics_file.unlink()
    before = {path: path.stat().st_mtime_ns for path in own_run.directory.rglob("*")}
    output = tmp_path / "elsewhere"
    how = {"split": "test", "checkpoint": "best", "device": "cpu", "embeddings": True}
    done = evaluate_run(own_run, output=output, **how)
    assert done.page == output / "report.html"
    assert done.points == done.metrics["examples"]
    names = {path.name for path in output.iterdir()}
    assert {"report.html", "predictions.csv", "metrics.json", "confusion.png", "logs"} <= names
    after = {path: path.stat().st_mtime_ns for path in own_run.directory.rglob("*")}
    assert after == before


def test_a_read_only_run_prints_its_metrics(own_run):
    """Even root cannot create files in /sys."""
    shutil.rmtree(own_run.evaluation("test").parent, ignore_errors=True)
    own_run.evaluation("test").parent.symlink_to("/sys/kernel")
    metrics = own_run.metrics()
    done = evaluate_run(own_run, split="test", checkpoint="best", device="cpu")
    assert done.page is None
    assert done.metrics == metrics["test"]
    assert own_run.metrics() == metrics
