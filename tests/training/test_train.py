"""A training from start to end: its files, and equal results however it is started."""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from trainings import STEPS_PER_EPOCH, config, differences, read_scalars

from mmzoo import __version__
from mmzoo.cli.main_command import main
from mmzoo.config import load_config
from mmzoo.lazy import tf
from mmzoo.spec import dump_yaml
from mmzoo.trained_model import load_trained
from mmzoo.training.tensorboard_log import EVENT_FILES, read_events
from mmzoo.training.train import train

# What it leaves.


def test_the_files_of_a_run(trained_run):
    assert {path.name for path in trained_run.directory.iterdir()} == {
        *(".lock", "checkpoints", "config.yaml", "environment.json"),
        *("history.csv", "logs", "metrics.json", "train.log"),
    }
    assert sorted(path.name for path in trained_run.last.parent.iterdir()) == [
        "best.weights.h5",
        "last",
    ]


def test_the_environment_records_everything_a_result_depends_on(trained_run):
    environment = trained_run.environment()
    assert environment["versions"]["mmzoo"] == __version__
    assert environment["versions"]["tensorflow"] == tf.__version__
    assert environment["machine"].keys() == {"system", "processor", "python"}
    assert environment["device"]["kind"] == "cpu"
    assert environment["device"]["threads"] >= 1
    assert re.fullmatch(r"[0-9a-f]{40}\+?", environment["git_commit"] or "0" * 40)
    assert environment["argv"] == sys.argv
    assert environment["seed"] == 0
    assert environment["data"]["name"] == "digits"
    assert environment["data"]["fallback_for"] is None
    assert re.fullmatch("[0-9a-f]{64}", environment["data"]["fingerprint"])
    assert environment["data"]["examples"] == {"train": 1294, "validation": 144, "test": 359}
    trained = environment["trained"]
    assert trained["parameters"] == load_trained(trained_run)[0].count_params()
    assert 0 < trained["seconds"] < 600
    assert datetime.fromisoformat(trained["date"]) <= datetime.now().astimezone()


@pytest.mark.slow
def test_the_saved_config_can_be_trained_again(trained_run, tmp_path):
    again = train(trained_run.config_file, run=tmp_path / "again")
    assert differences(trained_run, again) == []
    assert again.config_file.read_text() == trained_run.config_file.read_text()


def test_metrics_are_of_the_test_split(trained_run):
    [(split, entry)] = json.loads(trained_run.metrics_file.read_text()).items()
    assert split == "test"
    assert entry.keys() == {"data", "examples", "loss", "digit"}
    assert (entry["data"], entry["examples"]) == ("digits", 359)
    low, high = entry["digit"]["accuracy_ci95"]
    assert 0 <= low <= entry["digit"]["accuracy"] <= high <= 1
    assert entry["digit"]["accuracy"] > 0.5
    assert entry["digit"]["majority"] == pytest.approx(37 / 359)


def test_the_history_has_a_row_for_each_epoch(trained_run):
    assert trained_run.history_file.read_text().splitlines()[0] == (
        "epoch,step,learning_rate,loss,digit_accuracy,validation_loss,validation_digit_accuracy"
    )
    rows = trained_run.history()
    assert [(row["epoch"], row["step"]) for row in rows] == [(1, 21), (2, 42), (3, 63)]
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_the_log_describes_the_training(trained_run):
    lines = trained_run.log_file.read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  \S", line) for line in lines)
    logged = [line[21:] for line in lines]
    assert logged[0].startswith("Note: digits has no test split")
    assert logged[2] == (
        "tiny: digits (1,294 train, 144 validation, 359 test), on "
        f"{trained_run.environment()['device']['names'][0]} (float32), in {trained_run.directory}"
    )
    row = trained_run.history()[0]
    assert logged[3].startswith(
        f"epoch 1: step 21, learning_rate 0.01, loss {row['loss']:.6g}, digit_accuracy "
    )
    assert logged[6].startswith("Time: ")
    assert all(line.startswith("Steps waited for data.") for line in logged[7:])


# Every way to start it.


@pytest.mark.slow
def test_mapping_file_config_and_command_train_alike(tiny, trained_run, tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(dump_yaml(load_config({**tiny, "train": {**tiny["train"], "epochs": 1}})))
    epochs = ["train.epochs=3"]
    runs = [
        train(str(path), overrides=epochs, run=str(tmp_path / "file")),
        train(load_config(path, epochs), run=tmp_path / "config"),
    ]
    with pytest.raises(SystemExit) as caught:
        main(["train", str(path), "--set", *epochs, "--run", str(tmp_path / "command")])
    assert caught.value.code == 0
    runs.append(type(trained_run)(tmp_path / "command"))
    for run in runs:
        assert differences(trained_run, run) == []


@pytest.mark.slow
def test_another_seed_gives_another_training(tiny, trained_run, tmp_path):
    other = train(tiny, overrides=["train.seed=1"], run=tmp_path / "other")
    assert other.history()[0]["loss"] != trained_run.history()[0]["loss"]


def test_early_stopping_ends_the_training(tmp_path):
    """No accuracy improves by 1.0, so patience ends the training."""
    values = config(train={"epochs": 9, "early_stopping": {"patience": 2, "min_delta": 1.0}})
    run = train(values, run=tmp_path / "run")
    assert [row["epoch"] for row in run.history()] == [1, 2, 3]
    logged = (
        "  Early stopping after epoch 3: validation_digit_accuracy did not improve for 2 epochs.\n"
    )
    assert logged in run.log_file.read_text()
    assert "test" in run.metrics()


@pytest.mark.slow
def test_xla_gives_similar_results(tmp_path):
    plain = config(
        inputs={"image": {"encoder": {"batch_norm": False, "dropout": 0.0}}}, train={"epochs": 1}
    )
    runs = [
        train({**plain, "train": {**plain["train"], "xla": xla}}, run=tmp_path / str(xla))
        for xla in (False, True)
    ]
    assert runs[1].environment()["device"]["xla"] is True
    for row, other in zip(*(run.history() for run in runs), strict=True):
        assert row == pytest.approx(other, rel=1e-3)


# TensorBoard.


def tags(directory: Path) -> set[str]:
    """Tags of all values in the event files of one directory."""
    return {
        value.tag
        for path in directory.glob(EVENT_FILES)
        for event in read_events(path)
        for value in event.summary.value
    }


def test_curves_images_config_and_hyperparameters_in_tensorboard(tmp_path):
    logs = train(config(), run=tmp_path / "run").logs
    assert tags(logs / "train") == {
        *("loss", "digit/accuracy", "step/loss", "step/learning_rate", "step/gradient_norm"),
        *("step/examples_per_second", "step/waiting_for_data", "inputs/image"),
    }
    assert tags(logs / "validation") == {"loss", "digit/accuracy", "digit/worst_mistakes"}
    assert tags(logs) > {
        *("config", "test/digit/accuracy", "test/digit/majority"),
        *("_hparams_/session_start_info", "_hparams_/session_end_info"),
    }
    read = EventAccumulator(str(logs)).Reload()
    [text] = read.Tensors("config")
    assert "name: small" in text.tensor_proto.string_val[0].decode()
    images = EventAccumulator(str(logs / "train")).Reload().Tensors("inputs/image")
    assert images[0].tensor_proto.string_val[2].startswith(b"\x89PNG")


def test_curves_equal_the_history(tmp_path):
    run = train(config(train={"log_steps": 1}), run=tmp_path / "run")
    rows = run.history()
    curves = {split: read_scalars(run.logs / split) for split in ("train", "validation")}
    for split, prefix in (("train", ""), ("validation", "validation_")):
        for tag in ("loss", "digit/accuracy"):
            expected = [
                (row["step"], pytest.approx(row[prefix + tag.replace("/", "_")])) for row in rows
            ]
            assert curves[split][tag] == expected
    steps = curves["train"]["step/loss"]
    assert [step for step, _ in steps] == list(range(1, 3 * STEPS_PER_EPOCH + 1))
    sizes = [128] * 10 + [14]
    for epoch, row in enumerate(rows):
        losses = [loss for _, loss in steps[epoch * 11 : (epoch + 1) * 11]]
        assert row["loss"] == pytest.approx(np.average(losses, weights=sizes), rel=1e-4)


@pytest.mark.slow
def test_points_do_not_mix_epochs(tmp_path):
    """With fewer points than epochs, the previous mean belongs to another epoch."""
    often = train(config(train={"log_steps": 1}), run=tmp_path / "often")
    seldom = train(config(train={"log_steps": STEPS_PER_EPOCH + 2}), run=tmp_path / "seldom")
    losses = [loss for _, loss in read_scalars(often.logs / "train")["step/loss"]]
    [(first, _), (step, loss)] = read_scalars(seldom.logs / "train")["step/loss"]
    assert (first, step) == (13, 26)
    assert loss == pytest.approx(np.mean(losses[22:26]), rel=1e-4)
