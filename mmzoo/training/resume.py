"""Resuming: which run to continue, and whether that gives the same result as no interruption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmzoo.config import Config
from mmzoo.data import Table
from mmzoo.data.in_memory import TABLES
from mmzoo.devices import Devices
from mmzoo.environment import versions
from mmzoo.errors import RunError
from mmzoo.find_runs import new_run, newest_run, require_utf8
from mmzoo.preprocessing import Arrays
from mmzoo.runs import Run
from mmzoo.spec import config_name, did_you_mean

_MAY_CHANGE = (
    *("train.log_steps", "train.checkpoint_seconds", "train.early_stopping"),
    *("train.keep_decoded", "train.frozen_features.limit"),
)
_EPOCHS = "train.epochs"
_KEEP = "train.frozen_features.keep"
_NUMERICAL = ("tensorflow", "keras", "numpy")


def run_to_train(name: str, directory: Path | None, resume: bool) -> Run:
    """The run to train in: a new one, or with `resume` an existing one.

    A resume that finds no run starts one, so the same command line serves for every attempt.

    Raises:
        RunError: the directory exists and cannot be trained in.
    """
    if directory is not None:
        require_utf8(directory)
    if resume:
        found = newest_run(name) if directory is None else Run(directory)
        if found is not None and found.directory.is_dir():
            _require_run_directory(found)
            return found
    return new_run(name, directory)


def started_run(name: str, directory: Path | None) -> Run | None:
    """The run that a resume continues; None if there is none that was started."""
    found = newest_run(name) if directory is None else Run(directory)
    return found if found is not None and recorded_environment(found) else None


def requested_config(config: Config) -> dict[str, Any]:
    """The values of a config that is not fitted yet, by dotted path, as JSON has them."""
    return {path: _as_json(value) for path, value in _flatten(config.model_dump()).items()}


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values of a nested mapping by dotted path: `{"train.epochs": 5, ...}`.

    `train.frozen_features.keep` has the same value for "memory" and "disk", since both give the
    same features.
    """
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    if flat.get(_KEEP) == "memory":
        flat[_KEEP] = "disk"
    return flat


def _as_json(value: Any) -> Any:
    """A value of a config as it comes back from JSON, where a tuple is a list."""
    if isinstance(value, tuple | list):
        return [_as_json(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _as_json(one) for key, one in value.items()}
    return value


def nothing_to_resume(run: Run) -> str:
    """A note that a resume starts from zero, with the run that may have been meant."""
    folder = run.directory.parent
    runs = [path.parent.name for path in folder.glob("*/config.yaml")]
    meant = did_you_mean(run.directory.name, runs)
    return (
        f"Note: --resume found nothing to continue in {run.directory}, so the training starts at "
        f"step 0{meant or '.'}"
    )


def recorded_environment(run: Run) -> dict[str, Any] | None:
    """environment.json of a training that was started; None if it was not."""
    if not (run.config_file.is_file() and run.environment_file.is_file()):
        return None
    return run.environment()


def check_same_data(run: Run, environment: Mapping[str, Any], data: Arrays) -> None:
    """Raises a RunError if the data differs from the run's."""
    before = environment["data"]["fingerprint"]
    if data.fingerprint != before:
        raise RunError(
            f"{run.directory}: was trained on other data ({environment['data']['name']}, "
            f"fingerprint {before[:12]}) than now ({data.name}, "
            f"{data.fingerprint[:12]}). Start a new run without --resume."
        )


def check_same_config(run: Run, config: Config, *, fitted: bool) -> None:
    """Checks that a resumed training would be the same as one that was never interrupted.

    Args:
        run: the run, which was started.
        config: to continue with.
        fitted: whether the config is fitted to the data; if not, a value may also equal the one
            requested at the start.

    Raises:
        RunError: the config differs from the run's.
    """
    was, now = _flatten(run.config().model_dump()), _flatten(config.model_dump())
    requested = {} if fitted else run.environment().get("requested", {})
    may_change = (*_MAY_CHANGE, *([_EPOCHS] if _epochs_may_change(config) else []))
    changed = sorted(
        path
        for path in was.keys() | now.keys()
        if was.get(path) != now.get(path)
        and not path.startswith(may_change)
        and not _is_as_requested(path, requested, now)
    )
    if changed:
        differences = "; ".join(
            f"{path} was {was.get(path)!r}, is {now.get(path)!r}" for path in changed
        )
        advice = "Change it back, or start a new run without --resume"
        if "source.path" in changed and _is_in_memory(run.config()):
            advice = _resume_in_memory(run)
        raise RunError(
            f"{run.directory}: was trained with another config: {differences}. {advice}."
        )


def refuse_in_memory(config: Path, directory: Path | None) -> None:
    """Says how to resume a run that was trained on a table in memory, whose config has no source.

    Args:
        config: the config file.
        directory: the run; by default the newest of the config's name.

    Raises:
        RunError: there is such a run.
    """
    run = Run(directory) if directory else newest_run(config_name(config) or "")
    if run and run.config_file.is_file() and _is_in_memory(run.config()):
        raise RunError(f"{run.directory}: {_resume_in_memory(run)}.")


def _is_in_memory(config: Config) -> bool:
    return isinstance(config.source, Table) and Path(config.source.path).parent == TABLES


def _resume_in_memory(run: Run) -> str:
    return (
        "It was trained from Python on a table in memory. Continue it with "
        f"`mmzoo.train(config, data, run='{run.directory}', resume=True)`, or with `mmzoo train "
        f"{run.config_file} --resume --run {run.directory}`"
    )


def _is_as_requested(path: str, requested: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a value, or a mapping that contains it, is the one that was requested."""
    parts = path.split(".")
    above = (".".join(parts[:count]) for count in range(1, len(parts) + 1))
    return any(one in requested and requested[one] == _as_json(now.get(one)) for one in above)


def check_same_versions(environment: Mapping[str, Any]) -> Iterator[str]:
    """Yields a note for each numerical library whose version differs from the start."""
    now = versions()
    for package in _NUMERICAL:
        was = environment["versions"].get(package)
        if was != now[package]:
            yield _not_bit_identical(f"{package} {was}", now[package])


def check_same_devices(run: Run, before: Mapping[str, Any], devices: Devices) -> Iterator[str]:
    """Yields a note for each difference that changes the last bits of the results.

    Raises:
        RunError: the number of devices differs, and with it the rows of each step.
    """
    if devices.replicas != before["replicas"]:
        raise RunError(
            f"{run.directory}: was trained on {before['replicas']} devices, and there are "
            f"{devices.replicas} now. Use as many, or start a new run without --resume."
        )
    for what in ("kind", "threads"):
        was, now = before[what], devices.record()[what]
        if was != now:
            yield _not_bit_identical(f"{what} {was}", now)


def _not_bit_identical(was: str, now: object) -> str:
    return (
        f"Note: the training started with {was} and continues with {now}, so the result will not "
        "be bit-identical to that of an uninterrupted training."
    )


def _require_run_directory(run: Run) -> None:
    if run.environment_file.is_file():
        return
    # A training that was killed at once may have left its log, copied encoders, temporary files.
    ours = (run.log_file.name, run.encoder_weights("").parent.name, ".")
    foreign = [path.name for path in run.directory.iterdir() if not path.name.startswith(ours)]
    if foreign:
        raise RunError(
            f"{run.directory}: not a run directory, it has {min(foreign)}. "
            "Name another with --run; it will be created."
        )


def _epochs_may_change(config: Config) -> bool:
    """Whether more epochs leave the learning rates of earlier ones unchanged."""
    if config.train.fine_tune is not None:
        return False  # They would come between finished epochs.
    if config.train.accumulate > 1:
        return False  # The last update may have been made of fewer steps.
    if any(part.depends_on_duration for part in (config.fusion, *config.heads.values())):
        return False
    schedule = config.train.optimizer.schedule
    return schedule.type in ("constant", "step", "exponential", "plateau") and not schedule.warmup
