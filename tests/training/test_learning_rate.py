"""The learning rate of every step follows its schedule."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trainings import REGRESSION, corrupt_rows, merged, read_scalars, train_with_crash

from mmzoo.config import load_config
from mmzoo.devices import prepare_devices
from mmzoo.find_runs import new_run
from mmzoo.preprocessing import fit_config, load_frame, transform
from mmzoo.runs import Run
from mmzoo.training.session import open_session
from mmzoo.training.timer import Timer
from mmzoo.training.train import train

PEAK, STEPS, EPOCHS = 0.01, 6, 4


def half_cosine(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2


def one_cycle(epoch: float) -> float:
    done = epoch / EPOCHS
    if done < 0.3:
        return half_cosine(1 / 25, 1, done / 0.3)
    return half_cosine(1, 1e-4, (done - 0.3) / 0.7)


EXPECTED = {
    "constant": ({}, lambda epoch: 1.0),
    "constant warmed": ({"type": "constant", "warmup": 0.5}, lambda epoch: min(1, epoch / 2)),
    "step": (
        {"type": "step", "epochs": [1.0, 2.5], "gamma": 0.1},
        lambda epoch: 0.1 ** ((epoch >= 1) + (epoch >= 2.5)),
    ),
    "exponential": ({"type": "exponential", "gamma": 0.5}, lambda epoch: 0.5**epoch),
    "cosine": (
        {"type": "cosine", "warmup": 0.25, "floor": 0.1},
        lambda epoch: (
            min(1, epoch) * (0.1 + 0.9 * half_cosine(1, 0, max(0, (epoch - 1) / (EPOCHS - 1))))
        ),
    ),
    "one_cycle": ({"type": "one_cycle"}, one_cycle),
}


def values(**train_changes: Any) -> dict[str, Any]:
    return merged(REGRESSION, {"train": {"epochs": EPOCHS, **train_changes}})


def curve(run: Run) -> list[float]:
    """The learning rate of each step, from the first."""
    points = read_scalars(run.logs / "train")["step/learning_rate"]
    assert [step for step, _ in points] == list(range(1, EPOCHS * STEPS + 1))
    return [value for _, value in points]


@pytest.mark.parametrize(
    "name",
    [pytest.param(one, marks=() if one == "one_cycle" else pytest.mark.slow) for one in EXPECTED],
)
def test_the_learning_rate_of_each_step(tmp_path: Path, name: str) -> None:
    schedule, factor = EXPECTED[name]
    optimizer = {"type": "sgd", "learning_rate": PEAK, "schedule": schedule or {"type": "constant"}}
    with corrupt_rows():  # None of them.
        run = train(values(optimizer=optimizer), run=tmp_path / "run")
    middles = [(step + 0.5) / STEPS for step in range(EPOCHS * STEPS)]
    expected = [PEAK * factor(epoch) for epoch in middles]
    np.testing.assert_allclose(curve(run), expected, rtol=1e-4, atol=1e-9)
    rates = [row["learning_rate"] for row in run.history()]
    np.testing.assert_allclose(rates, expected[STEPS - 1 :: STEPS], rtol=1e-4, atol=1e-9)


@pytest.mark.slow
def test_accumulated_and_skipped_steps_count(tmp_path):
    """The schedule depends on the data that was seen, not on the number of updates."""
    schedule = {"type": "exponential", "gamma": 0.5}
    optimizer = {"type": "adam", "learning_rate": PEAK, "schedule": schedule}
    changes = {"optimizer": optimizer, "accumulate": 4, "non_finite": "skip"}
    with corrupt_rows(train=[1, 2, 3]):
        run = train(values(**changes), run=tmp_path / "run")
    expected = [PEAK * 0.5 ** ((step + 0.5) / STEPS) for step in range(EPOCHS * STEPS)]
    np.testing.assert_allclose(curve(run), expected, rtol=1e-4)


def test_plateau_reduces_after_patience_also_across_a_resume(tmp_path):
    """No value improves by 100, so the rate is reduced after every epoch but the first."""
    plateau = {"type": "plateau", "patience": 1, "gamma": 0.1, "floor": 0.01, "min_delta": 100.0}
    config = values(optimizer={"type": "sgd", "learning_rate": PEAK, "schedule": plateau})
    with corrupt_rows():
        runs = [
            train(config, run=tmp_path / "whole"),
            train_with_crash(config, tmp_path / "resumed", 3 * STEPS + 2),
        ]
    expected = np.repeat([PEAK, PEAK, PEAK * 0.1, PEAK * 0.01], STEPS)
    for run in runs:
        np.testing.assert_allclose(curve(run), expected, rtol=1e-4)


def test_the_optimizer_uses_the_learning_rate(tmp_path):
    """With gradients clipped to a norm of 1e-3, SGD moves by the learning rate times that."""
    plain = {"type": "sgd", "momentum": 0.0, "clip_norm": 1e-3, "learning_rate": 100.0}
    optimizer = {**plain, "schedule": {"type": "one_cycle"}}
    config = load_config(values(optimizer=optimizer)).with_columns()
    with corrupt_rows():
        frame = load_frame(config)
        config, preprocessing = fit_config(config, frame)
        data = transform(config, frame, preprocessing)
    devices = prepare_devices("cpu", config.train)
    run = new_run("numbers", tmp_path / "run")
    session = open_session(
        config, {name: {} for name in config.inputs}, run, data, devices, Timer()
    )
    batches, moved = session.stage.training_batches(0), []
    for _ in range(EPOCHS * STEPS):
        before = [weight.numpy() for weight in session.loop.model.trainable_variables]
        session.loop.train(batches, 1)
        after = [weight.numpy() for weight in session.loop.model.trainable_variables]
        parts = [((b - a) ** 2).sum() for b, a in zip(before, after, strict=True)]
        moved.append(math.sqrt(sum(parts)))
    expected = [0.1 * one_cycle((step + 0.5) / STEPS) for step in range(EPOCHS * STEPS)]
    np.testing.assert_allclose(moved, expected, rtol=1e-2)
