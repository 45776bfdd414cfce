"""How many steps are taken at once follows from how long they take."""

from __future__ import annotations

import pytest

from mmzoo.training.pace import Pace


def pace_of(*calls: tuple[int, float, float]) -> Pace:
    """After calls of (steps, seconds, seconds waited), the first of which compiles."""
    pace = Pace()
    pace.took(1, 30.0, 29.0)
    for call in calls:
        pace.took(*call)
    return pace


def test_before_anything_is_known_steps_go_one_by_one():
    assert (Pace().steps, Pace().steps_per_second, Pace().waiting) == (1, 0.0, 0.0)


def test_the_first_call_compiles_and_says_nothing_of_the_speed():
    assert pace_of().steps_per_second == 0.0


@pytest.mark.parametrize(
    ("seconds", "steps"), [(0.001, 100), (0.01, 10), (0.05, 2), (0.5, 1), (60.0, 1), (1e-6, 1000)]
)
def test_a_tenth_of_a_second_of_steps_is_taken_at_once(seconds, steps):
    assert pace_of((1, seconds, 0.0)).steps == pytest.approx(steps, abs=1)


def test_waiting_is_a_share_of_the_time():
    assert pace_of((10, 2.0, 0.5)).waiting == 0.25
    assert pace_of((10, 2.0, 2.5)).waiting == 1.0


def test_old_steps_are_forgotten():
    slow_then_fast = pace_of((10, 10.0, 10.0), *[(100, 1.0, 0.0)] * 20)
    assert slow_then_fast.steps_per_second == pytest.approx(100, rel=0.05)
    assert slow_then_fast.waiting < 0.05
