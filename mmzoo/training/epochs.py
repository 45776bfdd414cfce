"""The epochs of a stage: steps, checkpoints, and validation after each epoch."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from mmzoo.errors import Interrupted, TrainingError
from mmzoo.run_log import shown_by
from mmzoo.training.log_training import log_epoch, log_generated, log_step
from mmzoo.training.loop import named_by_head
from mmzoo.training.progress import Progress
from mmzoo.training.session import Session
from mmzoo.training.signals import Stop, stop_on_signals
from mmzoo.training.timer import STEPS, WAITING, StepScheduler

logger = logging.getLogger(__name__)

_ROWS_SHOWN = 8


def train_epochs(session: Session) -> None:
    """Takes the remaining steps of the stage and validates after each epoch."""
    epochs = session.stage.last_step // session.steps_per_epoch
    with (
        Progress(epochs, session.steps_per_epoch, session.step) as progress,
        shown_by(progress.say),
        stop_on_signals() as stop,
    ):
        batches = session.stage.training_batches(session.step)
        scheduler = StepScheduler()
        with _best_weights_written_on_errors(session):
            while not session.stage_finished and not stop:
                if session.epoch_pending:
                    with session.timer.measure("validation"):
                        _end_epoch(session, progress, stop)
                else:
                    _take_steps(session, batches, scheduler, progress)
                if time.monotonic() - session.saved_at >= session.config.train.checkpoint_seconds:
                    save(session)
        if stop or session.finished:  # Otherwise the next stage saves at its start.
            save(session)
    if stop.signal_number:
        run = session.run.directory
        raise Interrupted(
            f"Stopped after step {session.step} of {session.stage.last_step}; everything is saved "
            f"in {run}. Continue with the same command and --resume --run {run}.",
            stop.signal_number,
        )
    _report_end(session)


@contextmanager
def _best_weights_written_on_errors(session: Session) -> Iterator[None]:
    try:
        yield
    except Exception:
        session.write_best()
        raise


def save(session: Session) -> None:
    """Writes a checkpoint, and measures the time this takes."""
    with session.timer.measure("saving"):
        session.save()


def _take_steps(
    session: Session, batches: Any, scheduler: StepScheduler, progress: Progress
) -> None:
    """Takes steps until the next look at the clock, log point or end of the epoch."""
    log_steps, per_epoch = session.config.train.log_steps, session.steps_per_epoch
    until_log = log_steps - session.step % log_steps
    until_epoch = per_epoch - session.step % per_epoch
    steps = min(scheduler.steps, until_log, until_epoch)
    start = time.monotonic()
    with session.stage.reraise_with_file_names("train"):
        waited = session.loop.train(batches, steps)
    took = time.monotonic() - start
    scheduler.record(steps, took, waited)
    session.timer.add(WAITING, waited)
    session.timer.add(STEPS, took - waited)
    _stop_on_bad_step(session)
    if session.step % log_steps == 0:
        log_step(session, scheduler)
    if progress.due:
        rate = scheduler.steps_per_second * session.config.train.batch_size
        progress.update(session.step, _metrics(session), rate, scheduler.waiting)


def _stop_on_bad_step(session: Session) -> None:
    """Raises a TrainingError if a loss or gradient was not finite, unless such are skipped."""
    train = session.config.train
    step = int(session.loop.updates.bad_step.numpy())
    if step < 0 or train.non_finite == "skip":
        return
    raise TrainingError(_bad_step(session, step))


def _bad_step(session: Session, step: int) -> str:
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


def _end_epoch(session: Session, progress: Progress, stop: Stop) -> None:
    """Validates, saves the best weights, updates early stopping; does nothing if interrupted."""
    progress.validating()
    loop, epoch = session.loop, len(session.history) + 1
    if loop.loss_total()[1] == 0:
        raise TrainingError(
            f"Epoch {epoch}: every step was skipped, since its loss or a gradient was not a "
            "finite number. Try a smaller train.optimizer.learning_rate."
        )
    trained = _metrics(session) | session.changing_values()
    metrics_state = loop.metrics_state()
    with loop.averaged_weights():
        with session.stage.reraise_with_file_names("validation"):
            results = loop.validate(session.stage.validation_batches, stop)
        if results is None:
            loop.restore_metrics(metrics_state)
            return
        validated = _named_by_head(session, results) | _split_metrics(session)
        row = {"epoch": epoch, "step": session.step, "learning_rate": session.learning_rate.last()}
        row |= trained | _prefixed(validated)
        log_generated(session)
        value = row[_monitored(session, row)]
        is_best = session.best.update(epoch, value, row["validation_loss"])
        if is_best:
            session.keep_best()
    loop.reset_metrics()
    session.stage.watch(epoch, value, row["validation_loss"])
    session.history.append(row)
    session.run.write_history(session.history)
    log_epoch(session, trained, validated)
    logger.debug(f"epoch {epoch}: {format_metrics(row)}")
    progress.epoch_done(epoch, trained | _prefixed(validated), best=is_best)


def _split_metrics(session: Session) -> dict[str, float]:
    """The metrics of the last validation that need all predictions together, as at the test."""
    config, columns = session.config, session.stage.training_inputs.data.splits["validation"]
    found: dict[str, Any] = {}
    for name, predicted in session.loop.collected.items():
        head, labels = config.labelled_heads[name], columns[config.columns[name]]
        labelled = head.labelled(labels)
        values: Mapping[str, Any] = dict.fromkeys(head.split_metric_names, math.nan)
        if labelled.any() and np.isfinite(predicted[labelled]).all():
            values = head.evaluate(labels[labelled], head.predictions(predicted[labelled]))
        found |= {f"{name}_{metric}": values[metric] for metric in head.split_metric_names}
    return {name: value for name, value in found.items() if value is not None}


def _monitored(session: Session, row: Mapping[str, float]) -> str:
    metric = session.best.metric
    if metric not in row:
        raise TrainingError(
            f"train.monitor: {metric} cannot be computed, since the validation split has examples "
            "of one class only. Monitor another metric, such as validation_loss, or make the "
            "validation split larger."
        )
    return metric


def _report_end(session: Session) -> None:
    early_stopper = session.stage.early_stopper
    if early_stopper and session.step < session.stage.last_step:
        logger.info(
            f"Early stopping after epoch {len(session.history)}: {early_stopper.metric} did not "
            f"improve for {_epochs(early_stopper.spec.patience)}."
        )
    if session.best.value is None:
        raise TrainingError(
            f"{session.best.metric} was never a finite number, so there are no best weights. "
            "Try a smaller train.optimizer.learning_rate."
        )
    if session.stage.number and session.best.epoch * session.steps_per_epoch <= (
        session.stage.first_step
    ):
        logger.info(f"Fine-tuning did not improve on epoch {session.best.epoch}.")
    skipped = int(session.loop.updates.skipped.numpy())
    if skipped and session.finished:
        logger.info(f"{skipped} steps whose loss or gradient was not finite were skipped.")


def format_metrics(row: Mapping[str, float]) -> str:
    """A row of the history as one line: "loss 0.0312, validation_loss 0.0345"."""
    return ", ".join(f"{name} {value:.6g}" for name, value in row.items() if name != "epoch")


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count:,} epochs"


def _metrics(session: Session) -> dict[str, float]:
    return _named_by_head(session, session.loop.metrics())


def _named_by_head(session: Session, results: Mapping[str, float]) -> dict[str, float]:
    return named_by_head(results, list(session.config.heads), session.loop.other_metrics)


def _prefixed(metrics: Mapping[str, float]) -> dict[str, float]:
    return {f"validation_{name}": value for name, value in metrics.items()}
