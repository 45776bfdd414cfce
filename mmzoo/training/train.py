"""The story of a training, on one page."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.config import Config, load_config, with_table
from mmzoo.data import InMemoryTable
from mmzoo.data.frame import Frame
from mmzoo.decoded_files import reraise_with_file_names
from mmzoo.devices import Kind, memory_errors, prepare_devices
from mmzoo.errors import DataError, TrainingError
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.fitted_probes import Probes, fit_probes
from mmzoo.modalities.abilities import VariesInLength
from mmzoo.preprocessing import Arrays, fit_config, load_frame, transform
from mmzoo.reused_encoders import reuse_encoders, reused_preprocessing, start_problems
from mmzoo.run_log import run_log
from mmzoo.runs import Run
from mmzoo.training.copied_encoders import copy_encoders
from mmzoo.training.epochs import format_metrics, save, train_epochs
from mmzoo.training.log_training import log_end, log_start
from mmzoo.training.progress import waiting
from mmzoo.training.record import write_end, write_record
from mmzoo.training.resume import (
    check_same_config,
    check_same_data,
    check_same_devices,
    check_same_versions,
    nothing_to_resume,
    recorded_environment,
    run_to_train,
    started_run,
)
from mmzoo.training.session import Session, open_session
from mmzoo.training.tensorboard_log import truncate_events
from mmzoo.training.timer import Timer

logger = logging.getLogger(__name__)


def train(
    config: Config | Mapping[str, Any] | Path | str,
    data: InMemoryTable | None = None,
    *,
    overrides: Sequence[str] = (),
    run: Path | str | None = None,
    resume: bool = False,
    device: Kind = "auto",
    smoke: bool = False,
) -> Run:
    """Trains the model of a config and evaluates it on the test split.

    Args:
        config: a config, or the mapping or YAML file of one.
        data: a table in memory in place of the config's source: a pandas or polars DataFrame, or
            arrays by column name. It is written to `runs/tables/` as Parquet, so that the run can
            be resumed and evaluated; a mapping or file then needs no `source`.
        overrides: `KEY=VALUE` texts applied to a mapping or file: "train.epochs=3".
        run: the run directory to create; by default `runs/<name>/<next number>`.
        resume: continue `run`, or the newest run of this name, exactly where it stopped. A
            finished run stays as it is.
        device: "auto", "cpu" or "gpu".
        smoke: train for two steps on synthetic data, to check that everything works.

    Returns:
        The run directory.

    Raises:
        MmzooError: one of the errors in `mmzoo.errors`.

    Example:
        >>> run = train("configs/digits_cnn.yaml", overrides=["train.epochs=3"])
        >>> run.metrics()["test"]["digit"]["accuracy"]
    """
    if data is not None:
        config = with_table(config, data, overrides)
    elif not isinstance(config, Config):
        checks = None if resume or smoke else start_problems
        config = load_config(config, overrides, extra_rules=checks)
    directory = Path(run) if run else None
    name = config.smoke().name if smoke else config.name
    resumed = started_run(name, directory) if resume else None
    requested, config = config, reuse_encoders(config, resumed)
    if smoke:
        requested = config = config.smoke()
    requested, config = requested.with_columns(), config.with_columns()
    found = run_to_train(config.name, directory, resume)
    with (
        found.locked(),
        found.removed_unless_started(),
        run_log(found.log_file),
        memory_errors(),
    ):
        session = _prepare(config, found, resume, device)
        if session.finished and "test" in found.metrics():
            logger.info("This training is finished; its results stay as they are.")
            return found
        with _disk_errors(found):
            write_record(found, requested, session)
            _train_stages(session)
            _finish(session)
        for sentence in _closing_messages(session):
            logger.info(sentence)
    return found


def _prepare(config: Config, run: Run, resume: bool, device: Kind) -> Session:
    """Reads the data and builds the model; on a resume, restores the newest checkpoint."""
    timer = Timer()
    run.remove_leftovers()
    before = recorded_environment(run) if resume else None
    if resume and not before:
        logger.warning(nothing_to_resume(run))
    if before:
        check_same_config(run, config, fitted=False)  # Before the data is read, which takes long.
    first_devices = before["device"] if before else None
    vary = any(isinstance(spec, VariesInLength) for spec in config.inputs.values())
    devices = prepare_devices(device, config.train, first_devices, batches_vary=vary)
    if before:
        notes = (check_same_versions(before), check_same_devices(run, before["device"], devices))
        for sentence in chain(*notes):
            logger.info(sentence)
    with waiting("Reading the data"), timer.measure("reading the data"):
        frame = _read(config)
        reused = reused_preprocessing(config, run if before else None)
        config, preprocessing = fit_config(config, frame, reused)
        data = transform(config, frame, preprocessing)
        del frame  # The arrays have everything that is needed from it.
    if before:
        check_same_data(run, before, data)
        check_same_config(run, config, fitted=True)
    logger.info(f"{config.name}: {_data_summary(data)}, on {devices}, in {run.directory}")
    with waiting("Building the model"):
        config = copy_encoders(config, run)
        session = open_session(config, preprocessing, run, data, devices, timer, resume)
    if session.step:
        logger.info(f"Resuming after step {session.step} of {session.stage.last_step}.")
    return session


def _read(config: Config) -> Frame:
    try:
        frame = load_frame(config)
    except OSError as error:
        raise DataError(
            f"{error.filename or config.name}: {error.strerror or error}, while the data was read"
        ) from error
    for message in frame.messages():
        logger.info(message)
    return frame


def _train_stages(session: Session) -> None:
    """Trains the remaining epochs, stage by stage."""
    if not session.finished:  # Existing results are of a training with fewer epochs.
        session.run.metrics_file.unlink(missing_ok=True)
        session.run.baselines_file.unlink(missing_ok=True)
        session.run.remove_probes()
    truncate_events(session.run.logs, session.step)
    session.run.write_history(session.history)
    if session.step == 0:
        with reraise_with_file_names(session.config, session.data, "train"):
            log_start(session)
    train_epochs(session)
    while not session.finished:
        with waiting("Building the model"):
            session.begin_next_stage()
        save(session)  # Before better weights replace those that the stage starts from.
        logger.info(_fine_tuning_message(session))
        train_epochs(session)
    session.log.close()


def _finish(session: Session) -> None:
    """Fits the probes and evaluates the best weights on the test split.

    The test metrics are written last: they mark a finished run.
    """
    stage = session.stage
    session.load_best()
    model, config, data = stage.loop.model, stage.config, stage.training_inputs.data
    probes: Probes = {}
    if config.probes:
        with (
            waiting("Fitting the probes"),
            session.timer.measure("the probes"),
            stage.reraise_with_file_names("train"),
        ):
            probes = fit_probes(model, config, data.splits["train"], session.run)
    with waiting("Evaluating on the test split"), session.timer.measure("the test split"):
        evaluation = evaluate_model(model, config, data, "test", probes)
        log_end(session, evaluation, model)
    write_end(session)
    session.run.write_metrics({**session.run.metrics(), "test": evaluation.as_metrics()})


def _data_summary(data: Arrays) -> str:
    """The name of the data and the size of each split."""
    sizes = ", ".join(
        f"{len(next(iter(c.values()))):,} {split}" for split, c in data.splits.items()
    )
    return f"{data.name} ({sizes})"


def _fine_tuning_message(session: Session) -> str:
    """What the stage that is about to start trains."""
    stage = session.stage
    weights = sum(int(np.prod(weight.shape)) for weight in stage.loop.model.trainable_weights)
    return (
        f"Fine-tuning from the best weights, those of epoch {session.best.epoch}: "
        f"{weights:,} trainable weights, at a learning rate of "
        f"{stage.config.train.optimizer.learning_rate:g}."
    )


def _closing_messages(session: Session) -> Iterator[str]:
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


@contextmanager
def _disk_errors(run: Run) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"{error.filename or run.directory}: cannot be written: {error.strerror or error}. "
            "Earlier checkpoints are unchanged. Free some space or fix the permissions, then "
            f"continue with the same command and --resume --run {run.directory}."
        ) from error
