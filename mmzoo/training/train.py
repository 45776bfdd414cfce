"""The story of a training, on one page."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from mmzoo.config import Config, load_config
from mmzoo.data import naming_files
from mmzoo.devices import Kind, memory_errors, prepare_devices
from mmzoo.errors import DataError, TrainingError
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.examples import fit_config, load_data, prepare
from mmzoo.probing import Probes, fit_probes
from mmzoo.run_log import run_log
from mmzoo.runs import Run
from mmzoo.sources import Data
from mmzoo.training.epochs import save, train_epochs
from mmzoo.training.events import cut_events
from mmzoo.training.pictures import log_end, log_start
from mmzoo.training.record import write_end, write_record
from mmzoo.training.resume import (
    begun,
    check_same_config,
    check_same_data,
    check_same_devices,
    check_same_versions,
    run_to_train,
)
from mmzoo.training.sentences import ending, sizes, thawed
from mmzoo.training.session import Session, open_session
from mmzoo.training.times import Times
from mmzoo.weights import load_weights

logger = logging.getLogger(__name__)


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
        run_log(found.log_file),
        memory_errors(),
    ):
        session = _prepare(config, found, resume, device)
        if session.finished and "test" in found.metrics():
            logger.info("This training is finished; its results stay as they are.")
            return found
        with _disk_errors(found):
            write_record(found, config, session)
            _train_stages(session)
            _finish(session)
        for sentence in ending(session):
            logger.info(sentence)
    return found


def _prepare(config: Config, run: Run, resume: bool, device: Kind) -> Session:
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
            logger.info(sentence)
    with times.spent_on("reading the data"):
        data = _read(config)
        config, preprocessing = fit_config(config, data)
        data = prepare(config, data, preprocessing)
    if before:
        check_same_data(run, before, data)
        check_same_config(run, config, fitted=True)
    logger.info(f"{config.name}: {sizes(data)}, on {devices}, in {run.directory}")
    session = open_session(config, preprocessing, run, data, devices, times, resume)
    if session.step:
        logger.info(f"Going on after step {session.step} of {session.stage.last_step}.")
    return session


def _read(config: Config) -> Data:
    try:
        data = load_data(config)
    except OSError as error:
        raise DataError(
            f"{error.filename or config.name}: {error.strerror or error}, while the data was read"
        ) from error
    for note in data.notes:
        logger.info(f"Note: {note}.")
    return data


def _train_stages(session: Session) -> None:
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
    train_epochs(session)
    while not session.finished:
        session.begin_next_stage()
        save(session)  # Before the stage has better weights than those that it began with.
        logger.info(thawed(session))
        train_epochs(session)
    session.log.close()


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
            probes = fit_probes(model, config, data.splits["train"], session.run)
    with session.times.spent_on("the test split"):
        evaluation = evaluate_model(model, config, data, "test", probes)
        log_end(session, evaluation)
    write_end(session)
    session.run.write_metrics({**session.run.metrics(), "test": evaluation.as_metrics()})


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
