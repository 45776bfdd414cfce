"""Messages about a training to its user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mmzoo.preprocessing import Arrays
    from mmzoo.training.session import Session

_ROWS_SHOWN = 8


def data_summary(data: Arrays) -> str:
    """The name of the data and the size of each split."""
    sizes = ", ".join(
        f"{len(next(iter(c.values()))):,} {split}" for split, c in data.splits.items()
    )
    return f"{data.name} ({sizes})"


def fine_tuning_message(session: Session) -> str:
    """What the stage that is about to start trains."""
    stage = session.stage
    weights = sum(int(np.prod(weight.shape)) for weight in stage.loop.model.trainable_weights)
    return (
        f"Fine-tuning from the best weights, those of epoch {session.best.epoch}: "
        f"{weights:,} trainable weights, at a learning rate of "
        f"{stage.config.train.optimizer.learning_rate:g}."
    )


def format_metrics(row: Mapping[str, float]) -> str:
    """A row of the history as one line: "loss 0.0312, validation_loss 0.0345"."""
    return ", ".join(f"{name} {value:.6g}" for name, value in row.items() if name != "epoch")


def closing_messages(session: Session) -> Iterator[str]:
    """Learned weights of losses and inputs, where the time went, and how to save some."""
    if weights := session.learned_weights():
        yield f"Learned weights of the losses: {format_metrics(weights)}."
    for head, weights in session.learned_input_weights().items():
        inputs = f"the inputs for {head}" if head else "the inputs"
        shares = ", ".join(f"{name} {weight:.3f}" for name, weight in weights.items())
        yield f"Learned fusion weights of {inputs}: {shares}."
    yield f"{session.timer}."
    if session.timer.limited_by_data:
        yield f"Steps waited for data. To speed this up: {session.stage.input_pipeline_advice()}."


def bad_step(session: Session, step: int) -> str:
    """Step and rows of a loss or gradient that was not finite, and what may help."""
    rows = session.stage.order.step_rows(step)
    epoch, place = divmod(step, session.steps_per_epoch)
    names = session.data.row_names.get("train")
    shown = ", ".join(str(row if names is None else names[row]) for row in rows[:_ROWS_SHOWN])
    more = f" and {len(rows) - _ROWS_SHOWN} more" if len(rows) > _ROWS_SHOWN else ""
    return (
        f"Step {step + 1} (epoch {epoch + 1}, batch {place + 1}): the loss or a gradient is not a "
        f"finite number. The batch has rows {shown}{more} of the training split. This step was "
        "not saved. Check these rows; or try a smaller train.optimizer.learning_rate, "
        "train.optimizer.clip_norm: 1, or train.non_finite: skip to skip such steps."
    )


def interrupted(session: Session) -> str:
    """How far the training came, and how to resume it."""
    return (
        f"Stopped after step {session.step} of {session.stage.last_step}; everything is saved in "
        f"{session.run.directory}. Continue with the same command and --resume"
        f" --run {session.run.directory}."
    )
