"""Sentences on a training, for its user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mmzoo.sources import Data
    from mmzoo.training.session import Session

_ROWS_SHOWN = 8


def sizes(data: Data) -> str:
    """What the data is called, and how many examples each split has."""
    sizes = ", ".join(
        f"{len(next(iter(c.values()))):,} {split}" for split, c in data.splits.items()
    )
    return f"{data.name} ({sizes})"


def thawed(session: Session) -> str:
    """What the stage that begins trains."""
    stage = session.stage
    weights = sum(int(np.prod(weight.shape)) for weight in stage.loop.model.trainable_weights)
    return (
        f"Fine-tuning from the best weights, those of epoch {session.best.epoch}: "
        f"{weights:,} weights are trained now, at a learning rate of "
        f"{stage.config.train.optimizer.learning_rate:g}."
    )


def figures(row: Mapping[str, float]) -> str:
    """A row of the history in a line of the log."""
    return ", ".join(f"{name} {value:.6g}" for name, value in row.items() if name != "epoch")


def ending(session: Session) -> Iterator[str]:
    """What a finished training learnt beside the network, what took its time, and what may help."""
    if weights := session.learned_weights():
        yield f"Learned weights of the losses: {figures(weights)}."
    for head, weights in session.learned_input_weights().items():
        yield _weighs(weights, head)
    yield f"{session.times}."
    if session.times.limited_by_data:
        yield f"Steps waited for data. What would help: {session.stage.remedies()}."


def bad_step(session: Session, step: int) -> str:
    """Which step's loss or gradient was not finite, of which rows, and what may help."""
    rows = session.stage.order.step_rows(step)
    epoch, place = divmod(step, session.steps_per_epoch)
    names = session.data.row_names.get("train")
    shown = ", ".join(str(row if names is None else names[row]) for row in rows[:_ROWS_SHOWN])
    more = f" and {len(rows) - _ROWS_SHOWN} more" if len(rows) > _ROWS_SHOWN else ""
    return (
        f"Step {step + 1} (epoch {epoch + 1}, batch {place + 1}): the loss or a gradient is not a "
        f"finite number. The batch has rows {shown}{more} of the training split. Nothing of this "
        "step was saved. Look at these rows; or try a smaller train.optimizer.learning_rate, "
        "train.optimizer.clip_norm: 1, or train.non_finite: skip to leave out such steps."
    )


def interrupted(session: Session) -> str:
    """How far a training came, and how it goes on."""
    return (
        f"Stopped after step {session.step} of {session.stage.last_step}; all of it is saved in "
        f"{session.run.directory}. Go on with the same command and --resume"
        f" --run {session.run.directory}."
    )


def _weighs(weights: Mapping[str, float], head: str = "") -> str:
    """How much each input counts, of what a fusion has learnt, for all heads or one of them."""
    shares = ", ".join(f"{name} {weight:.3f}" for name, weight in weights.items())
    what = f"its inputs for {head}" if head else "its inputs"
    return f"The fusion has learnt to weigh {what}: {shares}."
