"""The curves of a training in TensorBoard: a point every few steps, and one an epoch."""

from __future__ import annotations

from collections.abc import Mapping

from mmzoo.training.pace import Pace
from mmzoo.training.session import Session


def log_step(session: Session, pace: Pace) -> None:
    """A point on the curves that run within epochs."""
    total, examples = session.loop.loss_total()
    total_before, examples_before = session.logged
    session.logged = (total, examples)
    values = {
        "step/learning_rate": session.learning_rate.last(),
        "step/gradient_norm": float(session.loop.updates.gradient_norm.numpy()),
        "step/examples_per_second": pace.steps_per_second * session.config.train.batch_size,
        "step/waiting_for_data": pace.waiting,
    }
    if examples > examples_before:  # Steps may have been left out.
        values["step/loss"] = (total - total_before) / (examples - examples_before)
    session.log.scalars("train", session.step, values)


def log_epoch(
    session: Session, trained: Mapping[str, float], validated: Mapping[str, float]
) -> None:
    """The metrics of an epoch, on one chart for both splits."""
    session.logged = (0.0, 0.0)
    session.log.scalars("train", session.step, _tags(trained, session))
    session.log.scalars("validation", session.step, _tags(validated, session))
    session.log.flush()


def _tags(metrics: Mapping[str, float], session: Session) -> dict[str, float]:
    """The metrics by TensorBoard's names, where a slash makes a group: "digit/accuracy"."""
    tags = {}
    for name, value in metrics.items():
        head = next((head for head in session.config.heads if name.startswith(f"{head}_")), None)
        tags[f"{head}/{name.removeprefix(f'{head}_')}" if head else name] = value
    return tags
