"""The story of a training, on one page."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmzoo.config import Config, load_config
from mmzoo.devices import Devices, Kind, prepare_devices
from mmzoo.environment import git_commit, machine, versions
from mmzoo.errors import Interrupted, TrainingError
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.journal import Journal
from mmzoo.runs import Run
from mmzoo.sources import Data
from mmzoo.training.events import cut_events
from mmzoo.training.loop import named_by_head
from mmzoo.training.pace import Pace
from mmzoo.training.pictures import log_end, log_start
from mmzoo.training.progress import Progress
from mmzoo.training.resume import check_same_training, run_to_train
from mmzoo.training.session import Session, new_session
from mmzoo.training.signals import Stop, stop_on_signals
from mmzoo.weights import load_weights, save_weights

_ROWS_SHOWN = 8


def train(
    config: Config | Mapping[str, Any] | Path | str,
    *,
    overrides: Sequence[str] = (),
    run: Path | str | None = None,
    resume: bool = False,
    device: Kind = "auto",
    smoke: bool = False,
) -> Run:
    """Trains a model as its config says and evaluates it on the test split.

    Args:
        config: a config, the mapping or the YAML file of one.
        overrides: `KEY=VALUE` texts applied to a mapping or file: "train.epochs=3".
        run: the run directory to make; by default `runs/<name>/<next number>`.
        resume: go on with `run`, or with the newest run of this name, exactly where it was.
        device: "auto", "cpu" or "gpu".
        smoke: train for two steps on made-up data, to see that everything works.

    Returns:
        The run, with all files that the training left.

    Raises:
        MmzooError: of the kind that fits; `mmzoo.errors` draws them as a tree.
    """
    if not isinstance(config, Config):
        config = load_config(config, overrides)
    config = (config.smoke() if smoke else config).with_columns()
    found = run_to_train(config.name, Path(run) if run else None, resume)
    with found.locked():
        journal = Journal(found.log_file)
        data = config.load_data(journal.say)
        for note in data.notes:
            journal.say(f"Note: {note}.")
        config = config.fitted(data)
        threads = check_same_training(found, config, data) if resume else None
        devices = prepare_devices(device, config.train, threads)
        _write_record(found, config, data, devices)
        journal.say(f"{config.name}: {_sizes(data)}, on {devices}, in {found.directory}")
        session = new_session(config, found, data, devices)
        if resume and session.restore(journal.say):
            journal.say(f"Going on after step {session.step} of {session.steps}.")
        _train_epochs(session, journal)
        _finish(session)
    return found


def _train_epochs(session: Session, journal: Journal) -> None:
    """Takes all steps that are left, validating after each epoch."""
    cut_events(session.run.logs, session.step)
    session.run.write_history(session.history)
    if session.step == 0:
        log_start(session)
    epochs = session.config.train.epochs
    with (
        Progress(epochs, session.steps_per_epoch, session.step) as progress,
        stop_on_signals() as stop,
    ):
        journal.show = progress.say
        batches = session.training_batches()
        pace = Pace()
        while not session.finished and not stop:
            if session.epoch_pending:
                _end_epoch(session, progress, journal, stop)
            else:
                _take_steps(session, batches, pace, progress)
            if time.monotonic() - session.saved_at >= session.config.train.checkpoint_seconds:
                session.save()
        session.save()
    session.log.close()
    if stop.signal_number:
        raise Interrupted(_interrupted(session, journal), stop.signal_number)
    _say_end(session, journal)


def _take_steps(session: Session, batches: Any, pace: Pace, progress: Progress) -> None:
    """Takes as many steps as fit between two looks at the clock and the next thing to do."""
    log_steps, per_epoch = session.config.train.log_steps, session.steps_per_epoch
    until_log = log_steps - session.step % log_steps
    until_epoch = per_epoch - session.step % per_epoch
    steps = min(pace.steps, until_log, until_epoch)
    began = time.monotonic()
    waited = session.loop.train(batches, steps)
    pace.took(steps, time.monotonic() - began, waited)
    session.step += steps
    _refuse_bad_step(session)
    if session.step % log_steps == 0:
        _log_step(session, pace)
    if progress.due:
        rate = pace.steps_per_second * session.config.train.batch_size
        progress.update(session.step, _metrics(session), rate, pace.waiting)


def _end_epoch(session: Session, progress: Progress, journal: Journal, stop: Stop) -> None:
    """Validates, keeps the best weights, and lets the watchers decide; or nothing, if stopped."""
    progress.validating()
    loop, epoch = session.loop, len(session.history) + 1
    trained = _metrics(session)
    kept = loop.metrics_state()
    with loop.averaged_weights():
        results = loop.validate(session.validation_batches(), stop)
        if results is None:
            loop.restore_metrics(kept)
            return
        validated = named_by_head(results, list(session.config.heads))
        row = {"epoch": epoch, "step": session.step, "learning_rate": loop.learning_rate()}
        row |= trained | _prefixed(validated)
        value = row[session.best.metric]
        is_best = session.best.update(epoch, value)
        if is_best:
            save_weights(loop.model, session.run.best_weights)
    loop.reset_metrics()
    session.watch(epoch, value)
    session.history.append(row)
    session.run.write_history(session.history)
    session.log.scalars("train", session.step, _tags(trained, session))
    session.log.scalars("validation", session.step, _tags(validated, session))
    session.log.flush()
    journal.note(f"epoch {epoch}: {_figures(row)}")
    progress.epoch_done(epoch, trained | _prefixed(validated), best=is_best)


def _finish(session: Session) -> None:
    """Evaluates the best weights on the test split."""
    model = session.loop.model
    load_weights(model, session.run.best_weights)
    evaluation = evaluate_model(model, session.config, session.data, "test")
    session.run.write_metrics({"test": evaluation.as_metrics()})
    log_end(session, evaluation)


def _refuse_bad_step(session: Session) -> None:
    """Stops where a gradient was not finite; what was saved before stays."""
    guard, train = session.loop.guard, session.config.train
    step = int(guard.bad_step.numpy())
    if step < 0 or train.non_finite == "skip":
        return
    rows = session.order.step_rows(step)
    epoch, place = divmod(step, session.steps_per_epoch)
    shown = ", ".join(str(row) for row in rows[:_ROWS_SHOWN])
    more = f" and {len(rows) - _ROWS_SHOWN} more" if len(rows) > _ROWS_SHOWN else ""
    raise TrainingError(
        f"Step {step + 1} (epoch {epoch + 1}, batch {place + 1}): the loss or a gradient is not a "
        f"finite number. The batch has rows {shown}{more} of the training split. Nothing of this "
        f"step was saved. Look at these rows; or try a smaller train.optimizer.learning_rate, "
        f"train.optimizer.clip_norm: 1, or train.non_finite: skip to leave out such steps."
    )


def _log_step(session: Session, pace: Pace) -> None:
    """A point on the curves that run within epochs."""
    place = session.step % session.steps_per_epoch or session.steps_per_epoch
    mean = session.loop.metrics()["loss"]
    before, place_before = session.logged if session.logged[1] < place else (0.0, 0)
    session.logged = (mean, place)
    values = {
        # The mean since the last point, out of two means since the epoch's start.
        "step/loss": (mean * place - before * place_before) / (place - place_before),
        "step/learning_rate": session.loop.learning_rate(),
        "step/gradient_norm": float(session.loop.guard.gradient_norm.numpy()),
        "step/examples_per_second": pace.steps_per_second * session.config.train.batch_size,
        "step/waiting_for_data": pace.waiting,
    }
    session.log.scalars("train", session.step, values)


def _metrics(session: Session) -> dict[str, float]:
    return named_by_head(session.loop.metrics(), list(session.config.heads))


def _prefixed(metrics: Mapping[str, float]) -> dict[str, float]:
    return {f"validation_{name}": value for name, value in metrics.items()}


def _tags(metrics: Mapping[str, float], session: Session) -> dict[str, float]:
    """The metrics by TensorBoard's names, where a slash makes a group: "digit/accuracy"."""
    tags = {}
    for name, value in metrics.items():
        head = next((head for head in session.config.heads if name.startswith(f"{head}_")), None)
        tags[f"{head}/{name.removeprefix(f'{head}_')}" if head else name] = value
    return tags


def _figures(row: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.6g}" for name, value in row.items() if name != "epoch")


def _sizes(data: Data) -> str:
    sizes = ", ".join(
        f"{len(next(iter(c.values()))):,} {split}" for split, c in data.splits.items()
    )
    return f"{data.name} ({sizes})"


def _write_record(run: Run, config: Config, data: Data, devices: Devices) -> None:
    """Writes down what the training is made of, before it begins."""
    run.write_config(config)
    run.write_environment(
        {
            "versions": versions(),
            "machine": machine(),
            "device": {
                "kind": devices.kind,
                "names": devices.names,
                "replicas": devices.replicas,
                "precision": devices.precision,
                "xla": devices.xla,
                "threads": devices.threads,
            },
            "git_commit": git_commit(Path.cwd()),
            "argv": sys.argv,
            "seed": config.train.seed,
            "data": {
                "name": data.name,
                "fallback_for": data.fallback_for,
                "fingerprint": data.fingerprint,
                "examples": {split: data.examples(split) for split in data.splits},
            },
        }
    )


def _interrupted(session: Session, journal: Journal) -> str:
    text = (
        f"Stopped after step {session.step} of {session.steps}; all of it is saved in "
        f"{session.run.directory}. Go on with the same command and --resume"
        f" --run {session.run.directory}."
    )
    journal.note(text)
    return text


def _say_end(session: Session, journal: Journal) -> None:
    if len(session.history) < session.config.train.epochs:
        journal.note(f"early stopping after epoch {len(session.history)}")
    if session.best.value is None:
        raise TrainingError(
            f"{session.best.metric} was never a finite number, so no weights were kept as the "
            "best. Try a smaller train.optimizer.learning_rate."
        )
    skipped = int(session.loop.guard.skipped.numpy())
    if skipped:
        journal.note(f"{skipped} steps with a gradient that was not finite were left out")
