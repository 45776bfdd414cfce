"""Where the time went, as it is told at the end of a training."""

from __future__ import annotations

import re
import time

import pytest
from trainings import config

from mmzoo.training.times import STEPS, WAITING, Times
from mmzoo.training.train import train


def test_what_is_spent_within_something_counts_once():
    times = Times()
    with times.spent_on("outer"):
        time.sleep(0.02)
        for _ in range(2):
            with times.spent_on("inner"):
                time.sleep(0.03)
    assert list(times.seconds) == ["inner", "outer"]
    assert 0.06 <= times.seconds["inner"] < 0.2
    assert 0.02 <= times.seconds["outer"] < 0.06


def test_an_error_within_is_time_spent_too():
    times = Times()
    with pytest.raises(KeyError), times.spent_on("it"):
        raise KeyError
    assert "it" in times.seconds


@pytest.mark.parametrize(
    ("total", "seconds", "expected"),
    [
        (10, {"steps": 5}, "Time: 10 s: steps 5.0 s (50 %), the rest 5.0 s (50 %)"),
        (100, {"steps": 99, "saving": 1}, "Time: 100 s: steps 99 s (99 %)"),
        (7200, {"steps": 7200}, "Time: 2.0 h: steps 2.0 h (100 %)"),
        (600, {"waiting": 600}, "Time: 10 min: waiting 10 min (100 %)"),
    ],
)
def test_it_is_said_in_one_sentence(monkeypatch, total, seconds, expected):
    times = Times(seconds=seconds, began=0.0)
    monkeypatch.setattr(time, "monotonic", lambda: float(total))
    assert str(times) == expected


@pytest.mark.parametrize(("waited", "limited"), [(1.9, False), (2.1, True)])
def test_a_fifth_of_the_steps_time_is_slow_data(waited, limited):
    assert Times({STEPS: 10 - waited, WAITING: waited}).limited_by_data is limited
    assert not Times().limited_by_data


def test_a_training_tells_the_parts_and_what_would_help(tmp_path, monkeypatch):
    for share in ("SLOW_DATA", "_WORTH_MENDING"):
        monkeypatch.setattr(f"mmzoo.training.times.{share}", -1.0)
    run = train(config(), run=tmp_path / "run")
    *_, line, advice = [line[21:] for line in run.log_file.read_text().splitlines()]
    assert re.fullmatch(r"Time: [\d.]+ s: .*steps [\d.]+ s \(\d+ %\).*\.", line)
    parts = [float(seconds) for seconds in re.findall(r"[a-z] ([\d.]+) s \(", line)]
    assert sum(parts) == pytest.approx(float(line.split()[1]), rel=0.15)
    assert advice == (
        "Steps waited for data. What would help: take fewer augmentations of image; give it more "
        "CPU cores."
    )
