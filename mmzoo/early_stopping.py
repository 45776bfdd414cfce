"""Callbacks on the validation metric after each epoch: best epoch, early stopping, plateau.

Each has a small `state()` that a checkpoint holds, so that a resumed training decides at the same
epochs as one that was never interrupted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmzoo.schedules import Plateau
    from mmzoo.train_config import EarlyStopping

_SMALLER_IS_BETTER = ("loss", "error")


@dataclass
class Best:
    """The best value of a metric so far, and its epoch.

    With few validation examples, many epochs have the same accuracy, perhaps a perfect one: among
    equal values the one with the smallest loss is the best. Early stopping and the plateau schedule
    go by the same rule.

    Attributes:
        metric: its name. Losses and errors are minimized, all others maximized.
        min_delta: smallest change that counts as an improvement.
        value: the best value, or None before the first epoch.
        epoch: the epoch of the best value, from 1.
        waited: epochs since then.
        loss: the loss of that epoch.
    """

    metric: str
    min_delta: float = 0.0
    value: float | None = None
    epoch: int = 0
    waited: int = 0
    loss: float = math.inf

    def update(self, epoch: int, value: float, loss: float = math.inf) -> bool:
        """Adds an epoch's value, and the loss that breaks ties; returns whether it is the best."""
        better = math.isfinite(value) and (
            self.value is None
            or self._gain(value) > self.min_delta
            or (value == self.value and loss < self.loss)
        )
        if better:
            self.value, self.epoch, self.waited, self.loss = value, epoch, 0, loss
        else:
            self.waited += 1
        return better

    def state(self) -> dict[str, Any]:
        loss = self.loss if math.isfinite(self.loss) else None
        return {"value": self.value, "epoch": self.epoch, "waited": self.waited, "loss": loss}

    def restore(self, state: dict[str, Any]) -> None:
        self.value, self.epoch, self.waited = state["value"], state["epoch"], state["waited"]
        self.loss = math.inf if state["loss"] is None else state["loss"]

    def _gain(self, value: float) -> float:
        assert self.value is not None
        smaller = self.metric.endswith(_SMALLER_IS_BETTER)
        return self.value - value if smaller else value - self.value


def best_epoch(history: Iterable[Mapping[str, float]], metric: str) -> int | None:
    """The epoch whose weights are `best`; None if the metric has no value in any.

    Args:
        history: the rows of history.csv.
        metric: the monitored metric, a column of them.
    """
    best = Best(metric)
    for row in history:
        best.update(
            int(row["epoch"]), row.get(metric, math.nan), row.get("validation_loss", math.inf)
        )
    return best.epoch or None


class EarlyStopper(Best):
    """Early stopping: stop once a metric has not improved for `patience` epochs."""

    def __init__(self, spec: EarlyStopping, metric: str) -> None:
        super().__init__(metric, spec.min_delta)
        self.spec = spec

    @property
    def stop(self) -> bool:
        return self.waited >= self.spec.patience


@dataclass
class PlateauReducer:
    """Reduces the learning rate once a metric has not improved for `patience` epochs.

    Attributes:
        factor: of the learning rate.
        resting: epochs of cooldown that are left.
    """

    spec: Plateau
    metric: str
    factor: float = 1.0
    resting: int = 0
    best: Best = field(init=False)

    def __post_init__(self) -> None:
        self.best = Best(self.metric, self.spec.min_delta)

    def update(self, epoch: int, value: float, loss: float = math.inf) -> None:
        self.best.update(epoch, value, loss)
        if self.resting:
            self.resting -= 1
            self.best.waited = 0
        elif self.best.waited >= self.spec.patience:
            self.factor = max(self.factor * self.spec.gamma, self.spec.floor)
            self.resting = self.spec.cooldown
            self.best.waited = 0

    def state(self) -> dict[str, Any]:
        return {"factor": self.factor, "resting": self.resting, "best": self.best.state()}

    def restore(self, state: dict[str, Any]) -> None:
        self.factor, self.resting = state["factor"], state["resting"]
        self.best.restore(state["best"])
