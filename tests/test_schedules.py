"""Learning rate schedules: a factor that depends on the epoch only."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError

from mmzoo.catalogue import family_members
from mmzoo.lazy import tf
from mmzoo.schedules import Constant, Cosine, Exponential, OneCycle, Plateau, Step

SCHEDULES = family_members("schedules")
NEEDED = {"step": {"epochs": (4.0, 8.0)}}
"""The fields that have no default."""
EPOCHS = 10


@pytest.fixture(params=SCHEDULES.items(), ids=SCHEDULES)
def schedule(request):
    """Schedule with its defaults."""
    name, spec = request.param
    return spec(**NEEDED.get(name, {}))


def factor(schedule, epoch: float) -> float:
    return float(schedule.factor_with_warmup(tf.constant(epoch, tf.float32), EPOCHS))


def curve(schedule) -> np.ndarray:
    """Factor in the middle of each of 1000 steps."""
    return np.array([factor(schedule, (step + 0.5) / 100) for step in range(1000)])


def test_there_are_schedules():
    assert len(SCHEDULES) >= 6


def test_factor_is_between_0_and_1(schedule):
    values = curve(schedule)
    assert (values >= 0).all()
    assert (values <= 1 + 1e-6).all()
    assert values.max() == pytest.approx(1, abs=0.01)


def test_factor_is_computed_in_the_graph(schedule):
    """A value computed in Python would be a constant of the graph."""

    @tf.function(input_signature=[tf.TensorSpec((), tf.float32)])
    def compiled(epoch):
        value = schedule.factor_with_warmup(epoch, EPOCHS)
        assert value.dtype == tf.float32
        assert value.shape == ()
        return value

    for epoch in (0.01, 2.5, 5.0, 7.7, 9.99):
        assert float(compiled(tf.constant(epoch))) == pytest.approx(factor(schedule, epoch))


def test_factor_after_the_last_epoch_is_between_0_and_1(schedule):
    """Early stopping or rounding may lead there; the factor must not grow or become negative."""
    for epoch in (EPOCHS, 1.001 * EPOCHS):
        assert 0 <= factor(schedule, epoch) <= 1


@pytest.mark.parametrize("name", sorted(SCHEDULES.keys() - {"one_cycle"}))
def test_warmup_is_linear(name):
    warmed = SCHEDULES[name](warmup=0.2, **NEEDED.get(name, {}))
    assert factor(warmed, 0.0) == 0
    assert factor(warmed, 1.0) == pytest.approx(0.5 * factor_unwarmed(warmed, 1.0))
    assert factor(warmed, 2.0) == pytest.approx(factor_unwarmed(warmed, 2.0))
    assert factor(warmed, 9.0) == pytest.approx(factor_unwarmed(warmed, 9.0))


def factor_unwarmed(schedule, epoch: float) -> float:
    return float(schedule.factor(tf.constant(epoch, tf.float32), EPOCHS))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Constant(), {0: 1, 5: 1, 10: 1}),
        (Plateau(), {0: 1, 5: 1, 10: 1}),
        (Step(epochs=(4.0, 8.0)), {0: 1, 3.99: 1, 4: 0.1, 7.99: 0.1, 8: 0.01, 10: 0.01}),
        (Step(epochs=(5.0,), gamma=0.5), {0: 1, 5: 0.5, 10: 0.5}),
        (Exponential(gamma=0.9), {0: 1, 1: 0.9, 2.5: 0.9**2.5, 10: 0.9**10}),
        (Cosine(), {0: 1, 2.5: 0.5 + 0.25 * math.sqrt(2), 5: 0.5, 10: 0}),
        (Cosine(floor=0.2), {0: 1, 5: 0.6, 10: 0.2}),
        (Cosine(warmup=0.2), {0: 0, 1: 0.5, 2: 1, 6: 0.5, 10: 0}),
        (OneCycle(), {0: 0.04, 1.5: 0.52, 3: 1, 6.5: 0.50005, 10: 1e-4}),
        (OneCycle(rise=0.5, start_divisor=2, end_divisor=4), {0: 0.5, 5: 1, 7.5: 0.625, 10: 0.25}),
    ],
    ids=lambda value: str(value) if not isinstance(value, dict) else "",
)
def test_documented_values(schedule, expected):
    found = {epoch: factor(schedule, epoch) for epoch in expected}
    assert found == pytest.approx(expected, abs=1e-5)


def test_long_exponential_decay_is_finite():
    values = curve(Exponential(gamma=0.01))
    assert (np.diff(values) <= 0).all()
    assert values[-1] == pytest.approx(0.01**9.995, rel=1e-3)


def problems(build) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        build()
    return [error["msg"] for error in caught.value.errors()]


def test_rules():
    assert problems(lambda: OneCycle(warmup=0.1)) == [
        "expected 0: one_cycle has its own warm-up, set by `rise`"
    ]
    for epochs in [(), (8.0, 4.0), (4.0, 4.0)]:
        assert problems(lambda epochs=epochs: Step(epochs=epochs)) == [
            f"expected epochs in ascending order, got {list(epochs)}"
        ]
