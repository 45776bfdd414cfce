"""Which directory a training goes to, and whether it may go on with what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmzoo.config import Config
from mmzoo.devices import Devices
from mmzoo.environment import versions
from mmzoo.errors import RunError
from mmzoo.runs import Run, new_run, newest_run
from mmzoo.sources import Data
from mmzoo.training.asked import as_json, flat

_FREE_TO_CHANGE = (
    *("train.log_steps", "train.checkpoint_seconds", "train.early_stopping"),
    *("train.keep_decoded", "train.frozen_features.limit"),
)
_EPOCHS = "train.epochs"
_COMPUTING = ("tensorflow", "keras", "numpy")


def run_to_train(name: str, directory: Path | None, resume: bool) -> Run:
    """The run to train in: a new one, or with `resume` the one that is there.

    A resume that finds nothing begins: so one command line serves for the first try and all after.

    Raises:
        RunError: the directory is there and may not be trained in.
    """
    if resume:
        found = newest_run(name) if directory is None else Run(directory)
        if found is not None and found.directory.is_dir():
            _refuse_strange_directory(found)
            return found
    return new_run(name, directory)


def begun(run: Run) -> dict[str, Any] | None:
    """What was written down before the training began; None where it had not begun."""
    if not (run.config_file.is_file() and run.environment_file.is_file()):
        return None
    return run.environment()


def check_same_data(run: Run, environment: Mapping[str, Any], data: Data) -> None:
    """Raises a RunError if the data is another than the run's."""
    before = environment["data"]["fingerprint"]
    if data.fingerprint != before:
        raise RunError(
            f"{run.directory}: was trained on other data ({environment['data']['name']}, "
            f"fingerprint {before[:12]}) than there is now ({data.name}, "
            f"{data.fingerprint[:12]}). Start a new run without --resume."
        )


def check_same_config(run: Run, config: Config, *, fitted: bool) -> None:
    """Refuses to go on where that would not give what the training would have given.

    Args:
        run: the run, which has begun.
        config: what to go on with.
        fitted: whether what the data tells is written in; if not, what was asked for when the run
            began will do as well.

    Raises:
        RunError: the config is another than the run's.
    """
    was, now = flat(run.config().model_dump()), flat(config.model_dump())
    asked = {} if fitted else run.environment().get("asked", {})
    free = (*_FREE_TO_CHANGE, *([_EPOCHS] if _epochs_are_free(config) else []))
    changed = sorted(
        path
        for path in was.keys() | now.keys()
        if was.get(path) != now.get(path)
        and not path.startswith(free)
        and not _is_as_asked(path, asked, now)
    )
    if changed:
        differences = "; ".join(
            f"{path} was {was.get(path)!r}, is {now.get(path)!r}" for path in changed
        )
        raise RunError(
            f"{run.directory}: was trained with another config: {differences}. Change it back, "
            "or start a new run without --resume."
        )


def _is_as_asked(path: str, asked: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a value is what was asked for, or in a mapping that the data made of that."""
    parts = path.split(".")
    above = (".".join(parts[:count]) for count in range(1, len(parts) + 1))
    return any(one in asked and asked[one] == as_json(now.get(one)) for one in above)


def check_same_versions(environment: Mapping[str, Any]) -> Iterator[str]:
    """Yields a sentence for each library that computes and is another than at the beginning."""
    now = versions()
    for package in _COMPUTING:
        was = environment["versions"].get(package)
        if was != now[package]:
            yield _other_bits(f"{package} {was}", now[package])


def check_same_devices(run: Run, before: Mapping[str, Any], devices: Devices) -> Iterator[str]:
    """Yields sentences on what makes the rest of the training differ in its last bits.

    Raises:
        RunError: there are more or fewer devices than before, so steps are made of other rows.
    """
    if devices.replicas != before["replicas"]:
        raise RunError(
            f"{run.directory}: was trained on {before['replicas']} devices, and there are "
            f"{devices.replicas} now. Give it as many, or start a new run without --resume."
        )
    for what in ("kind", "threads"):
        was, now = before[what], devices.record()[what]
        if was != now:
            yield _other_bits(f"{what} {was}", now)


def _other_bits(was: str, now: object) -> str:
    return (
        f"Note: the training began with {was} and goes on with {now}, so it will not be bit for "
        "bit what it would have been."
    )


def _refuse_strange_directory(run: Run) -> None:
    if run.environment_file.is_file():
        return
    # What may be there of a training that was killed at once, temporary files included.
    ours = (run.log_file.name, ".")
    strange = [path.name for path in run.directory.iterdir() if not path.name.startswith(ours)]
    if strange:
        raise RunError(
            f"{run.directory}: not a run directory, it has {min(strange)}. "
            "Name another with --run; it will be made."
        )


def _epochs_are_free(config: Config) -> bool:
    """Whether more epochs leave the learning rates of those before as they were."""
    if config.train.fine_tune is not None:
        return False  # They would have to be put between epochs that are done.
    schedule = config.train.optimizer.schedule
    return schedule.type in ("constant", "step", "exponential", "plateau") and not schedule.warmup
