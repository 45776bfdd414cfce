"""The record of a training in its run directory: environment.json, config.yaml, ..."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from mmzoo.config import Config
from mmzoo.devices import Devices
from mmzoo.environment import git_commit, machine, versions
from mmzoo.runs import Run, preprocessing_checksums
from mmzoo.tables import write_table
from mmzoo.training.resume import requested_config
from mmzoo.training.session import Session


def write_record(run: Run, config: Config, session: Session) -> None:
    """Writes environment.json, config.yaml, preprocessing/ and, if rows were skipped, their list.

    A resume leaves the record of the start as it is, and adds its own.

    Args:
        run: the run.
        config: as requested, before it was fitted to the data.
        session: with the fitted config.
    """
    if run.environment_file.is_file():
        _add_resume(run, session.devices)
    else:
        _write_start(run, config, session)
    run.write_config(session.config)
    run.write_preprocessing(session.preprocessing)
    if session.data.skipped:
        rows = [(row.split, row.file, row.reason) for row in session.data.skipped]
        columns = dict(zip(("split", "file", "reason"), zip(*rows, strict=True), strict=True))
        write_table(run.skipped_file, columns)


def write_end(session: Session) -> None:
    """Adds date, duration and number of parameters to environment.json."""
    run = session.run
    trained = {
        "date": _now(),
        "seconds": round(session.seconds, 1),
        "parameters": session.stage.model.count_params(),
    }
    run.write_environment({**run.environment(), "trained": trained})


def _write_start(run: Run, config: Config, session: Session) -> None:
    data, devices = session.data, session.devices
    run.write_environment(
        {
            "versions": versions(),
            "machine": machine(),
            "device": devices.record(),
            "git_commit": git_commit(Path.cwd()),
            "argv": sys.argv,
            "seed": config.train.seed,
            "data": {
                "name": data.name,
                "fallback_for": data.fallback_for,
                "fingerprint": data.fingerprint,
                "examples": {split: data.examples(split) for split in data.splits},
            },
            "requested": requested_config(config),
            "checksums": preprocessing_checksums(session.preprocessing),
        }
    )


def _add_resume(run: Run, devices: Devices) -> None:
    environment = run.environment()
    environment.pop("trained", None)  # With more epochs it has not ended.
    first, now = environment["versions"], versions()
    resume = {
        "date": _now(),
        "argv": sys.argv,
        "device": devices.record(),
        "other_versions": {name: now[name] for name in now if now[name] != first.get(name)},
    }
    run.write_environment({**environment, "resumed": [*environment.get("resumed", []), resume]})


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
