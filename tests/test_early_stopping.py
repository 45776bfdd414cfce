"""Best weights, early stopping and plateau act at the epochs that their options state."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from mmzoo.early_stopping import Best, EarlyStopper, PlateauReducer, best_epoch
from mmzoo.schedules import Plateau
from mmzoo.train_config import EarlyStopping

NAN, INF = math.nan, math.inf


def bests(metric: str, values: Sequence[float], min_delta: float = 0.0) -> list[int]:
    """The epochs (from 1) that were best so far."""
    best = Best(metric, min_delta)
    return [epoch for epoch, value in enumerate(values, 1) if best.update(epoch, value)]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("validation_loss", [1, 3, 4]),
        ("validation_price_mean_absolute_error", [1, 3, 4]),
        ("validation_digit_accuracy", [1, 2]),
    ],
)
def test_losses_and_errors_are_minimized_and_others_maximized(metric, expected):
    assert bests(metric, [0.5, 0.6, 0.4, 0.3, 0.6]) == expected


def test_the_first_of_equal_values_is_best():
    assert bests("validation_loss", [0.5, 0.5, 0.4, 0.4]) == [1, 3]


def test_ties_are_broken_by_loss_if_given():
    best = Best("validation_digit_accuracy")
    epochs = [(0.9, 0.5), (1.0, 0.4), (1.0, 0.4), (1.0, 0.3), (0.9, 0.1), (1.0, NAN), (1.0, 0.2)]
    found = [n for n, (value, loss) in enumerate(epochs, 1) if best.update(n, value, loss)]
    assert found == [1, 2, 4, 7]
    again = Best("validation_digit_accuracy")
    again.restore(best.state())
    assert again == best


def test_the_best_epoch_of_a_history_is_that_of_its_training():
    name = "validation_digit_accuracy"
    accuracy, loss = [0.9, 0.9, 0.8, NAN], [0.5, 0.4, 0.1, 0.0]
    rows = [
        {"epoch": epoch, name: value, "validation_loss": of_epoch}
        for epoch, (value, of_epoch) in enumerate(zip(accuracy, loss, strict=True), 1)
    ]
    best = Best(name)
    for epoch, (value, of_epoch) in enumerate(zip(accuracy, loss, strict=True), 1):
        best.update(epoch, value, of_epoch)
    assert best_epoch(rows, name) == best.epoch == 2
    assert best_epoch(rows, "validation_loss") == 4
    assert best_epoch(rows, "validation_price_root_mean_squared_error") is None


def test_better_means_by_more_than_min_delta():
    assert bests("validation_loss", [1.0, 0.75, 0.5, 0.25], min_delta=0.25) == [1, 3]


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_non_finite_values_are_never_best(bad):
    for metric in ("validation_loss", "validation_digit_accuracy"):
        assert bests(metric, [bad, bad, 0.5, bad]) == [3]


def stops_after(values: Sequence[float], **options: float) -> int | None:
    stop = EarlyStopper(EarlyStopping(**options), "validation_loss")
    for epoch, value in enumerate(values, 1):
        stop.update(epoch, value)
        if stop.stop:
            return epoch
    return None


@pytest.mark.parametrize(
    ("values", "epoch"),
    [
        ([5, 4, 3, 2, 1], None),
        ([1, 2, 3, 4], 3),
        ([3, 4, 2, 4, 4, 1], 5),
        ([1, 1, 1], 3),
        ([NAN, NAN, 1], 2),
        ([1, NAN, 0.5, NAN, NAN], 5),
    ],
)
def test_early_stopping_counts_epochs_without_a_better_value(values, epoch):
    assert stops_after(values, patience=2) == epoch


def test_early_stopping_counts_improvements_below_min_delta():
    assert stops_after([1.0, 0.9, 0.8, 0.7], patience=2, min_delta=0.3) == 3


def test_the_loss_breaks_ties_everywhere():
    """Ten epochs of equal accuracy; the loss decreases in the first five."""
    losses = [0.5, 0.4, 0.3, 0.2, 0.1, 0.1, 0.2, 0.3, 0.4, 0.5]
    best = Best("validation_digit_accuracy")
    stop = EarlyStopper(EarlyStopping(patience=3), "validation_digit_accuracy")
    drops = PlateauReducer(Plateau(gamma=0.5, patience=4), "validation_digit_accuracy")
    for epoch, loss in enumerate(losses, 1):
        for watcher in (best, stop, drops):
            watcher.update(epoch, 1.0, loss)
        assert stop.stop == (epoch >= 5 + 3)
        assert drops.factor == (0.5 if epoch >= 5 + 4 else 1.0)
        assert best.epoch == stop.epoch == drops.best.epoch == min(epoch, 5)


def factors(values: Sequence[float], **options: float) -> list[float]:
    drops = PlateauReducer(Plateau(gamma=0.5, **options), "validation_loss")
    found = []
    for epoch, value in enumerate(values, 1):
        drops.update(epoch, value)
        found.append(drops.factor)
    return found


def test_plateau_reduces_after_patience_and_restarts_counting():
    assert factors([1, 1, 1, 1, 1], patience=2) == [1, 1, 0.5, 0.5, 0.25]


def test_plateau_counts_nothing_in_its_cooldown():
    assert factors([1] * 7, patience=1, cooldown=2) == [1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]


def test_plateau_counts_from_the_best_value():
    assert factors([2, 3, 1, 2, 2], patience=2) == [1, 1, 1, 1, 0.5]


def test_plateau_does_not_go_below_its_minimum():
    assert factors([1] * 5, patience=1, floor=0.2) == [1, 0.5, 0.25, 0.2, 0.2]


VALUES = [1.0, 0.9, NAN, 0.95, 0.9, 0.85, 0.85, 0.86, 0.87, 0.9]


@pytest.mark.parametrize("interrupted", range(1, len(VALUES)))
@pytest.mark.parametrize("kind", ["best", "early_stop", "plateau"])
def test_restored_watchers_decide_alike(kind, interrupted):
    def make() -> Best | EarlyStopper | PlateauReducer:
        return {
            "best": Best("validation_loss", 0.01),
            "early_stop": EarlyStopper(EarlyStopping(patience=2), "validation_loss"),
            "plateau": PlateauReducer(Plateau(patience=1, cooldown=1), "validation_loss"),
        }[kind]

    uninterrupted, before, after = make(), make(), make()
    for epoch, value in enumerate(VALUES, 1):
        uninterrupted.update(epoch, value)
        (before if epoch <= interrupted else after).update(epoch, value)
        if epoch == interrupted:
            after.restore(before.state())
    assert after.state() == uninterrupted.state()
