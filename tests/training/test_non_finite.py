"""A step with a non-finite loss stops the training and is never saved, or is skipped."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from trainings import (
    REGRESSION,
    config,
    corrupt_rows,
    differences,
    finite,
    merged,
    train_with_crash,
)

from mmzoo.checkpoint import checkpoints
from mmzoo.errors import TrainingError
from mmzoo.order import epoch_order
from mmzoo.runs import Run
from mmzoo.training.train import train

STEPS = 6  # Of an epoch: 44 rows in batches of 8, the last of 4.
BATCH = 8


def step_of(row: int, epoch: int) -> int:
    """The step (from 1) with this row of the training split in this epoch (from 0)."""
    [place] = (epoch_order(0, epoch, 44) == row).nonzero()[0]
    return epoch * STEPS + int(place) // BATCH + 1


def error_message(values: dict[str, Any], directory: Path) -> str:
    with pytest.raises(TrainingError) as caught:
        train(values, run=directory)
    return str(caught.value)


@pytest.mark.parametrize("loss", ["mean_squared_error", "mean_absolute_error"])
def test_the_step_and_its_rows_are_named_and_nothing_of_it_is_saved(tmp_path, loss):
    """An infinite absolute error has a finite gradient and is still reported."""
    values = merged(REGRESSION, {"heads": {"number": {"loss": loss}}})
    bad = epoch_order(0, 0, 44)[3 * BATCH + 2 : 3 * BATCH + 4].tolist()  # Rows of the fourth step.
    with corrupt_rows(train=bad):
        message = error_message(values, tmp_path / "run")
    rows = epoch_order(0, 0, 44)[3 * BATCH : 4 * BATCH]
    assert message == (
        "Step 4 (epoch 1, batch 4): the loss or a gradient is not a finite number. The batch has "
        f"rows {', '.join(map(str, rows))} of the training split. This step was not saved. "
        "Check these rows; or try a smaller train.optimizer.learning_rate, "
        "train.optimizer.clip_norm: 1, or train.non_finite: skip to skip such steps."
    )
    assert set(bad) <= set(rows)
    run = Run(tmp_path / "run")
    assert finite(run)
    assert int(checkpoints(run.last)[-1].stem) <= 3
    assert f"TrainingError: {message}" in run.log_file.read_text()


def test_a_too_large_learning_rate_stops_with_finite_weights(tmp_path):
    optimizer = {"type": "sgd", "learning_rate": 1e30}
    message = error_message(config(train={"optimizer": optimizer}), tmp_path / "run")
    assert "is not a finite number" in message or "is no longer finite" in message
    assert finite(Run(tmp_path / "run"))


def test_weights_that_overflowed_in_an_update_are_not_saved(tmp_path):
    """The gradients were finite, and no step came after them."""
    values = merged(
        REGRESSION,
        {"train": {"epochs": 1, "optimizer": {"type": "sgd", "learning_rate": 3e38}}},
    )
    with corrupt_rows():
        message = error_message(merged(values, {"train": {"batch_size": 44}}), tmp_path / "run")
    assert re.fullmatch(
        r"Step 1: .+ is no longer finite, so this step was not saved\. "
        r"Try a smaller train\.optimizer\.learning_rate\.",
        message,
    )
    run = Run(tmp_path / "run")
    assert checkpoints(run.last) == []
    assert not run.best_weights.exists()


def test_non_finite_steps_are_skipped_and_counted(tmp_path, capsys):
    values = merged(REGRESSION, {"train": {"non_finite": "skip", "ema": 0.9}})
    bad = [5, 6]
    with corrupt_rows(train=bad):
        run = train(values, run=tmp_path / "run")
    steps = {step_of(row, epoch) for row in bad for epoch in range(3)}
    expected_message = f"{len(steps)} steps whose loss or gradient was not finite were skipped."
    assert expected_message in run.log_file.read_text()
    assert expected_message in capsys.readouterr().err
    assert finite(run)
    assert all(math.isfinite(value) for row in run.history() for value in row.values())
    assert math.isfinite(run.metrics()["test"]["loss"])


@pytest.mark.slow
def test_skipped_steps_are_counted_across_a_resume(tmp_path):
    values = merged(REGRESSION, {"train": {"non_finite": "skip"}})
    with corrupt_rows(train=[5, 6]):
        uninterrupted = train(values, run=tmp_path / "whole")
        resumed = train_with_crash(values, tmp_path / "resumed", 2 * STEPS)
    assert differences(uninterrupted, resumed) == []
    logs = [run.log_file.read_text().splitlines() for run in (uninterrupted, resumed)]
    [[expected_message], [again]] = [
        [line[20:] for line in log if "were skipped" in line] for log in logs
    ]
    assert expected_message == again


def test_a_non_finite_validation_metric_is_never_best(tmp_path):
    values = merged(REGRESSION, {"train": {"monitor": "validation_loss"}})
    with corrupt_rows(validation=[3]):
        message = error_message(values, tmp_path / "run")
    assert message == (
        "validation_loss was never a finite number, so there are no best weights. "
        "Try a smaller train.optimizer.learning_rate."
    )
    run = Run(tmp_path / "run")
    assert not run.best_weights.exists()
    assert Counter(math.isfinite(row["validation_loss"]) for row in run.history()) == {False: 3}


def test_an_epoch_of_skipped_steps_ends_the_training(tmp_path):
    """It would never learn anything."""
    values = merged(REGRESSION, {"train": {"non_finite": "skip"}})
    with corrupt_rows(train=list(range(44))):
        message = error_message(values, tmp_path / "run")
    assert message == (
        "Epoch 1: every step was skipped, since its loss or a gradient was not a finite number. "
        "Try a smaller train.optimizer.learning_rate."
    )
