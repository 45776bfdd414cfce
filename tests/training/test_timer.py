"""Time of a training by activity, and the number of steps per call."""

from __future__ import annotations

import re
import time
from contextlib import suppress

import pytest
from trainings import config

from mmzoo.training.timer import STEPS, WAITING, StepScheduler, Timer
from mmzoo.training.train import train


def test_time_within_a_nested_activity_counts_once(monkeypatch):
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    timer = Timer()
    with suppress(KeyError), timer.measure("outer"):
        now += 2
        for _ in range(2):
            with timer.measure("inner"):
                now += 3
        raise KeyError
    assert timer.seconds == {"inner": 6, "outer": 2}


@pytest.mark.parametrize(
    ("total", "seconds", "expected"),
    [
        (10, {"steps": 5}, "Time: 10 s: steps 5.0 s (50 %), the rest 5.0 s (50 %)"),
        (100, {"steps": 99, "saving": 1}, "Time: 100 s: steps 99 s (99 %)"),
        (7200, {"steps": 7200}, "Time: 2.0 h: steps 2.0 h (100 %)"),
        (600, {"waiting": 600}, "Time: 10 min: waiting 10 min (100 %)"),
    ],
)
def test_the_summary_is_one_sentence(monkeypatch, total, seconds, expected):
    timer = Timer(seconds=seconds, started=0.0)
    monkeypatch.setattr(time, "monotonic", lambda: float(total))
    assert str(timer) == expected


@pytest.mark.parametrize(("waited", "limited"), [(1.9, False), (2.1, True)])
def test_waiting_a_fifth_of_the_time_is_slow_data(monkeypatch, waited, limited):
    monkeypatch.setattr(time, "monotonic", lambda: 10.0)
    assert Timer({STEPS: 10 - waited, WAITING: waited}, started=0.0).limited_by_data is limited
    assert not Timer().limited_by_data


@pytest.mark.slow
def test_training_reports_its_activities_and_a_suggestion(tmp_path, monkeypatch):
    for share in ("SLOW_DATA", "_LEAST_WAITING"):
        monkeypatch.setattr(f"mmzoo.training.timer.{share}", -1.0)
    run = train(config(), run=tmp_path / "run")
    *_, line, advice = [line[21:] for line in run.log_file.read_text().splitlines()]
    assert re.fullmatch(r"Time: [\d.]+ s: .*steps [\d.]+ s \(\d+ %\).*\.", line)
    parts = [float(seconds) for seconds in re.findall(r"[a-z] ([\d.]+) s \(", line)]
    assert sum(parts) == pytest.approx(float(line.split()[1]), rel=0.15)
    assert advice == (
        "Steps waited for data. To speed this up: use fewer augmentations of image; give it more "
        "CPU cores."
    )


def scheduler_after(*calls: tuple[int, float, float]) -> StepScheduler:
    """A scheduler after calls of (steps, seconds, seconds waited); the first call compiles."""
    scheduler = StepScheduler()
    scheduler.record(1, 30.0, 29.0)
    for call in calls:
        scheduler.record(*call)
    return scheduler


def test_steps_run_singly_until_the_speed_is_known():
    for scheduler in (StepScheduler(), scheduler_after()):
        assert (scheduler.steps, scheduler.steps_per_second, scheduler.waiting) == (1, 0.0, 0.0)


@pytest.mark.parametrize(
    ("seconds", "steps"), [(0.001, 100), (0.01, 10), (0.05, 2), (0.5, 1), (60.0, 1), (1e-6, 1000)]
)
def test_one_call_runs_a_tenth_of_a_second_of_steps(seconds, steps):
    assert scheduler_after((1, seconds, 0.0)).steps == pytest.approx(steps, abs=1)


def test_waiting_is_a_fraction_of_the_time():
    assert scheduler_after((10, 2.0, 0.5)).waiting == 0.25
    assert scheduler_after((10, 2.0, 2.5)).waiting == 1.0


def test_old_steps_are_forgotten():
    scheduler = scheduler_after((10, 10.0, 10.0), *[(100, 1.0, 0.0)] * 20)
    assert scheduler.steps_per_second == pytest.approx(100, rel=0.05)
    assert scheduler.waiting < 0.05
