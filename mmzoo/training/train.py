"""The story of a training, on one page."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from mmzoo.config import Config, load_config
from mmzoo.data import naming_files
from mmzoo.devices import Kind, memory_errors, prepare_devices
from mmzoo.errors import DataError, Interrupted, TrainingError
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.examples import fit_config, load_data, prepare
from mmzoo.journal import Journal
from mmzoo.probing import Probes, fit_probes
from mmzoo.runs import Run
from mmzoo.sources import Data
from mmzoo.training.curves import log_epoch, log_step
from mmzoo.training.events import cut_events
from mmzoo.training.loop import named_by_head
from mmzoo.training.pace import Pace
from mmzoo.training.pictures import log_end, log_start
from mmzoo.training.progress import Progress
from mmzoo.training.record import write_end, write_record
from mmzoo.training.resume import (
    begun,
    check_same_config,
    check_same_data,
    check_same_devices,
    check_same_versions,
    run_to_train,
)
from mmzoo.training.sentences import bad_step, figures, interrupted, sizes, thawed, weighs
from mmzoo.training.session import Session, open_session
from mmzoo.training.signals import Stop, stop_on_signals
from mmzoo.training.times import STEPS, WAITING, Times
from mmzoo.weights import load_weights, save_weights


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
        resume: go on with `run`, or with the newest run of this name, exactly where it was. One
            that is finished stays as it is.
        device: "auto", "cpu" or "gpu".
        smoke: train for two steps on made-up data, to see that everything works.

    Returns:
        The run, with all files that the training left.

    Raises:
        MmzooError: of the kind that fits; `mmzoo.errors` draws them as a tree.
    """
    if not isinstance(config, Config):
        config = load_config(config, overrides, begins=not (resume or smoke))
    config = (config.smoke() if smoke else config).with_columns()
    found = run_to_train(config.name, Path(run) if run else None, resume)
    with (
        found.locked(),
        found.removed_unless_begun(),
        Journal(found.log_file) as journal,
        memory_errors(),
    ):
        session = _prepare(config, found, resume, device, journal)
        if session.finished and "test" in found.metrics():
            journal.say("This training is finished; its results stay as they are.")
            return found
        with _disk_errors(found):
            write_record(found, config, session)
            _train_stages(session, journal)
            _finish(session)
        if weights := session.learned_weights():
            journal.say(f"Learned weights of the losses: {figures(weights)}.")
        for head, weights in session.learned_input_weights().items():
            journal.say(weighs(weights, head))
        journal.say(f"{session.times}.")
        if session.times.limited_by_data:
            journal.say(f"Steps waited for data. What would help: {session.stage.remedies()}.")
    return found


def _prepare(config: Config, run: Run, resume: bool, device: Kind, journal: Journal) -> Session:
    """Reads the data and builds the model; goes back to where the training was, on a resume."""
    times = Times()
    run.remove_leftovers()
    before = begun(run) if resume else None
    if before:
        check_same_config(run, config, fitted=False)  # Before the data is read, which takes long.
    began_with = before["device"] if before else None
    vary = any(spec.length_varies for spec in config.inputs.values())
    devices = prepare_devices(device, config.train, began_with, batches_vary=vary)
    if before:
        notes = (check_same_versions(before), check_same_devices(run, before["device"], devices))
        for sentence in chain(*notes):
            journal.say(sentence)
    with times.spent_on("reading the data"):
        data = _read(config, journal)
        config, preprocessing = fit_config(config, data)
        data = prepare(config, data, preprocessing, journal.say)
    if before:
        check_same_data(run, before, data)
        check_same_config(run, config, fitted=True)
    journal.say(f"{config.name}: {sizes(data)}, on {devices}, in {run.directory}")
    session = open_session(config, preprocessing, run, data, devices, times, journal.say, resume)
    if session.step:
        journal.say(f"Going on after step {session.step} of {session.stage.last_step}.")
    return session


def _read(config: Config, journal: Journal) -> Data:
    try:
        data = load_data(config, journal.say)
    except OSError as error:
        raise DataError(
            f"{error.filename or config.name}: {error.strerror or error}, while the data was read"
        ) from error
    for note in data.notes:
        journal.say(f"Note: {note}.")
    return data


def _train_stages(session: Session, journal: Journal) -> None:
    """Trains all epochs that are left, stage by stage."""
    if not session.finished:  # What is there is of a training with fewer epochs.
        session.run.metrics_file.unlink(missing_ok=True)
        session.run.baselines_file.unlink(missing_ok=True)
        session.run.remove_probes()
    cut_events(session.run.logs, session.step)
    session.run.write_history(session.history)
    if session.step == 0:
        with naming_files(session.config, session.data, "train"):
            log_start(session)
    _train_epochs(session, journal)
    while not session.finished:
        session.begin_next_stage()
        _save(session)  # Before the stage has better weights than those that it began with.
        journal.say(thawed(session))
        _train_epochs(session, journal)
    session.log.close()


def _train_epochs(session: Session, journal: Journal) -> None:
    """Takes all steps of the stage that are left, validating after each epoch."""
    epochs = session.stage.last_step // session.steps_per_epoch
    with (
        Progress(epochs, session.steps_per_epoch, session.step) as progress,
        stop_on_signals() as stop,
    ):
        journal.show = progress.say
        batches = session.stage.training_batches(session.step)
        pace = Pace()
        while not session.stage_finished and not stop:
            if session.epoch_pending:
                with session.times.spent_on("validation"):
                    _end_epoch(session, progress, journal, stop)
            else:
                _take_steps(session, batches, pace, progress)
            if time.monotonic() - session.saved_at >= session.config.train.checkpoint_seconds:
                _save(session)
        _save(session)
    if stop.signal_number:
        raise Interrupted(interrupted(session), stop.signal_number)
    _note_end(session, journal)


def _take_steps(session: Session, batches: Any, pace: Pace, progress: Progress) -> None:
    """Takes as many steps as fit between two looks at the clock and the next thing to do."""
    log_steps, per_epoch = session.config.train.log_steps, session.steps_per_epoch
    until_log = log_steps - session.step % log_steps
    until_epoch = per_epoch - session.step % per_epoch
    steps = min(pace.steps, until_log, until_epoch)
    began = time.monotonic()
    with session.stage.naming_files("train"):
        waited = session.loop.train(batches, steps)
    took = time.monotonic() - began
    pace.took(steps, took, waited)
    session.times.add(WAITING, waited)
    session.times.add(STEPS, took - waited)
    _refuse_bad_step(session)
    if session.step % log_steps == 0:
        log_step(session, pace)
    if progress.due:
        rate = pace.steps_per_second * session.config.train.batch_size
        progress.update(session.step, _metrics(session), rate, pace.waiting)


def _save(session: Session) -> None:
    with session.times.spent_on("saving"):
        session.save()


def _end_epoch(session: Session, progress: Progress, journal: Journal, stop: Stop) -> None:
    """Validates, keeps the best weights, and lets the watchers decide; or nothing, if stopped."""
    progress.validating()
    loop, epoch = session.loop, len(session.history) + 1
    if loop.loss_total()[1] == 0:
        raise TrainingError(
            f"Epoch {epoch}: every step was left out, since its loss or a gradient was not a "
            "finite number. Try a smaller train.optimizer.learning_rate."
        )
    trained = _metrics(session) | session.learned_weights()
    kept = loop.metrics_state()
    with loop.averaged_weights():
        with session.stage.naming_files("validation"):
            results = loop.validate(session.stage.validation_batches, stop)
        if results is None:
            loop.restore_metrics(kept)
            return
        validated = named_by_head(results, list(session.config.heads))
        row = {"epoch": epoch, "step": session.step, "learning_rate": session.learning_rate.last()}
        row |= trained | _prefixed(validated)
        value = row[session.best.metric]
        is_best = session.best.update(epoch, value, row["validation_loss"])
        if is_best:
            with session.times.spent_on("saving"):
                save_weights(session.stage.model, session.run.best_weights)
    loop.reset_metrics()
    session.stage.watch(epoch, value)
    session.history.append(row)
    session.run.write_history(session.history)
    log_epoch(session, trained, validated)
    journal.note(f"epoch {epoch}: {figures(row)}")
    progress.epoch_done(epoch, trained | _prefixed(validated), best=is_best)


def _finish(session: Session) -> None:
    """Fits the probes to the best weights' features, and evaluates all on the test split.

    Its metrics come last: they mark the end.
    """
    stage = session.stage
    load_weights(stage.model, session.run.best_weights)
    model, config, data = stage.loop.model, stage.feed.config, stage.feed.data
    probes: Probes = {}
    if config.probes:
        with session.times.spent_on("the probes"), stage.naming_files("train"):
            probes = fit_probes(model, config, data.splits["train"], session.run, session.tell)
    with session.times.spent_on("the test split"):
        evaluation = evaluate_model(model, config, data, "test", probes)
        log_end(session, evaluation)
    write_end(session)
    session.run.write_metrics({**session.run.metrics(), "test": evaluation.as_metrics()})


def _refuse_bad_step(session: Session) -> None:
    """Stops where a loss or gradient was not finite; what was saved before stays."""
    train = session.config.train
    step = int(session.loop.updates.bad_step.numpy())
    if step < 0 or train.non_finite == "skip":
        return
    raise TrainingError(bad_step(session, step))


@contextmanager
def _disk_errors(run: Run) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"{error.filename or run.directory}: cannot be written: {error.strerror or error}. "
            "What was saved before is as it was. Make room or mend the permissions, then go on "
            f"with the same command and --resume --run {run.directory}."
        ) from error


def _epochs(count: int) -> str:
    return "an epoch" if count == 1 else f"{count:,} epochs"


def _metrics(session: Session) -> dict[str, float]:
    return named_by_head(session.loop.metrics(), list(session.config.heads))


def _prefixed(metrics: Mapping[str, float]) -> dict[str, float]:
    return {f"validation_{name}": value for name, value in metrics.items()}


def _note_end(session: Session, journal: Journal) -> None:
    early_stop = session.stage.early_stop
    if early_stop and session.step < session.stage.last_step:
        journal.say(
            f"Early stopping after epoch {len(session.history)}: {early_stop.metric} got no better "
            f"for {_epochs(early_stop.spec.patience)}."
        )
    if session.best.value is None:
        raise TrainingError(
            f"{session.best.metric} was never a finite number, so no weights were kept as the "
            "best. Try a smaller train.optimizer.learning_rate."
        )
    if session.stage.number and session.best.epoch * session.steps_per_epoch <= (
        session.stage.first_step
    ):
        journal.say(f"Fine-tuning found nothing better than epoch {session.best.epoch}.")
    skipped = int(session.loop.updates.skipped.numpy())
    if skipped and session.finished:
        journal.say(f"{skipped} steps whose loss or gradient was not finite were left out.")
