"""Exact resume: a crashed and resumed training equals an uninterrupted one bit for bit."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from trainings import (
    STEPS_PER_EPOCH,
    Crash,
    config,
    crash_after_step,
    differences,
    read_scalars,
    train_with_crash,
)

from mmzoo.runs import Run
from mmzoo.training.loop import Loop
from mmzoo.training.train import train
from mmzoo.weights import save_weights

MID_EPOCH = STEPS_PER_EPOCH + 5  # Odd: in the middle of two accumulated steps as well.

EVERYTHING = {
    "train": {
        "ema": 0.9,
        "mixing": {"type": "mixup"},
        "early_stopping": {"patience": 2},
        "optimizer": {"schedule": {"type": "one_cycle"}, "clip_norm": 1.0},
    },
}
HEADS = {
    "digit": {"type": "classification", "class_weights": "auto"},
    "again": {"type": "classification", "column": "label", "weight": 0.5},
}
ACCUMULATED = {
    "heads": HEADS,
    "train": {
        "accumulate": 2,
        "non_finite": "skip",
        "optimizer": {
            "type": "sgd",
            "learning_rate": 0.5,
            "nesterov": True,
            "schedule": {"type": "plateau", "patience": 1, "min_delta": 10.0},
        },
    },
}


def optimizer(kind: str, **settings: Any) -> dict[str, Any]:
    return {"train": {"optimizer": {"type": kind, "learning_rate": 1e-3, **settings}}}


OPTIONS = {
    "accumulated": ACCUMULATED,
    "sgd": optimizer("sgd", momentum=0.0),
    "adagrad": optimizer("adagrad"),
    "rmsprop": optimizer("rmsprop", clip_value=0.5),
    "adamw": optimizer("adamw", schedule={"type": "cosine", "warmup": 0.1}),
    "lion": optimizer("lion", weight_decay=0.01),
    "bfloat16": {"train": {"precision": "mixed_bfloat16"}},
    "float16": {"train": {"precision": "mixed_float16", "ema": 0.9, "accumulate": 2}},
    "cutmix": {"train": {"mixing": {"type": "cutmix"}}},
    "xla": {"train": {"xla": True}},
    "deterministic": {"train": {"deterministic": True}},
}


CRASHING = config(train={**EVERYTHING["train"], "evaluation_batch_size": 50})


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(CRASHING, run=tmp_path_factory.mktemp("uninterrupted") / "run")


def check_resume(uninterrupted: Run, values: dict[str, Any], folder: Path) -> None:
    """Crashes in mid-epoch, resumes from the step before, and compares."""
    resumed = train_with_crash(values, folder, MID_EPOCH)
    assert differences(uninterrupted, resumed) == []
    [resuming] = [line for line in resumed.log_file.read_text().splitlines() if "Resuming" in line]
    step = int(resuming.split("after step ")[1].split()[0])
    assert STEPS_PER_EPOCH < step < MID_EPOCH


def test_resume_in_mid_epoch_changes_nothing(uninterrupted: Run, tmp_path: Path) -> None:
    check_resume(uninterrupted, CRASHING, tmp_path / "resumed")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(changes, id=name, marks=() if name == "accumulated" else pytest.mark.slow)
        for name, changes in OPTIONS.items()
    ],
)
@pytest.mark.slow
def test_resume_in_mid_epoch_changes_nothing_with(tmp_path: Path, changes: dict[str, Any]) -> None:
    uninterrupted = train(config(**changes), run=tmp_path / "whole")
    check_resume(uninterrupted, config(**changes), tmp_path / "resumed")


@pytest.mark.slow
def test_logs_after_the_last_checkpoint_are_removed(tmp_path: Path) -> None:
    """The steps after the checkpoint are trained again, possibly with points at other steps."""
    values = {"checkpoint_seconds": 1000, "log_steps": 2}
    run = Run(tmp_path / "run")
    with crash_after_step(MID_EPOCH), pytest.raises(Crash):
        train(config(train=values), run=run.directory)
    values["log_steps"] = 5
    train(config(train=values), run=run.directory, resume=True)
    steps = [step for step, _ in read_scalars(run.logs / "train")["step/loss"]]
    assert steps == [5, 10, 15, 20, 25, 30]


@contextmanager
def crash_at_write(number: int, written: bool) -> Iterator[None]:
    """Crashes just before or after file `number` replaces an older one."""
    replace, count = os.replace, 0

    def counted(source: Path, target: Path) -> None:
        nonlocal count
        count += 1
        if count == number and not written:
            raise Crash
        replace(source, target)
        if count == number:
            raise Crash

    with patch("os.replace", counted):
        yield


@contextmanager
def crash_in_validation() -> Iterator[None]:
    """Crashes between two batches of the first validation."""

    def batches_and_crash(batches: Any) -> Iterator[Any]:
        yield next(iter(batches))
        raise Crash

    validate = Loop.validate
    with patch.object(Loop, "validate", lambda loop, b, stop: validate(loop, batches_and_crash(b))):
        yield


@contextmanager
def crash_after_best() -> Iterator[None]:
    """Crashes after the best weights are written and before this is recorded."""

    def save_and_crash(model: Any, path: Path) -> None:
        save_weights(model, path)
        raise Crash

    with patch("mmzoo.training.session.save_weights", save_and_crash):
        yield


@contextmanager
def crash_at_the_end() -> Iterator[None]:
    """Crashes after training and evaluation, before the results are written."""
    with patch.object(Run, "write_metrics", side_effect=Crash):
        yield


def train_through(crashes: list[AbstractContextManager[None]], directory: Path) -> Run:
    """Trains with one crash after another, and then to the end."""
    for crash in crashes:
        with crash, pytest.raises(Crash):
            train(CRASHING, run=directory, resume=True)
    return train(CRASHING, run=directory, resume=True)


def test_crashes_around_validation_and_writes_change_nothing(
    uninterrupted: Run, tmp_path: Path
) -> None:
    crashes = [
        crash_at_write(1, written=False),
        crash_at_write(2, written=True),
        crash_in_validation(),
        crash_after_best(),
        crash_at_write(3, written=False),
        crash_at_the_end(),
    ]
    assert differences(uninterrupted, train_through(crashes, tmp_path / "run")) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_crashes_at_any_write_change_nothing(uninterrupted: Run, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    crashes = [crash_at_write(chance.randint(4, 9), chance.random() < 0.5) for _ in range(6)]
    assert differences(uninterrupted, train_through(crashes, tmp_path / "run")) == []
