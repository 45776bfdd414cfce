"""Run: the directory that holds one training and all that came of it.

The only module that knows the names of its files.
"""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmzoo.config import Config, Preprocessing, load_config
from mmzoo.errors import RunError
from mmzoo.files import write_text
from mmzoo.records import check_entries, read_json
from mmzoo.spec import did_you_mean, dump_yaml

_NUMBER = re.compile(r"\d{3,}")

_ENVIRONMENT = {
    "versions": dict,
    "data.name": str,
    "data.fingerprint": str,
    "device.kind": str,
    "device.replicas": int,
    "device.precision": str,
    "device.xla": bool,
    "device.threads": int,
}
"""What others read of environment.json."""
_SPLIT_METRICS = {"examples": int, "data": str, "loss": float | None}
"""What every split has in metrics.json, beside its heads."""


@dataclass(frozen=True)
class Run:
    """One run directory."""

    directory: Path

    @property
    def config_file(self) -> Path:
        return self.directory / "config.yaml"

    @property
    def environment_file(self) -> Path:
        return self.directory / "environment.json"

    @property
    def metrics_file(self) -> Path:
        return self.directory / "metrics.json"

    @property
    def baselines_file(self) -> Path:
        """How the run compares with its inputs alone; absent where those were not trained."""
        return self.directory / "baselines.json"

    def baseline(self, name: str) -> Run:
        """The run of one of its inputs alone, with the same training."""
        return Run(self.directory / "baselines" / name)

    @property
    def _preprocessing(self) -> Path:
        """What was read off the data and is too long for config.yaml: a folder for each input."""
        return self.directory / "preprocessing"

    @property
    def history_file(self) -> Path:
        return self.directory / "history.csv"

    @property
    def log_file(self) -> Path:
        return self.directory / "train.log"

    @property
    def _lock_file(self) -> Path:
        return self.directory / ".lock"

    @property
    def skipped_file(self) -> Path:
        """The rows of the data that could not be read and were left out; absent if all could be."""
        return self.directory / "skipped.csv"

    @property
    def logs(self) -> Path:
        """TensorBoard's folder."""
        return self.directory / "logs"

    @property
    def last(self) -> Path:
        """The folder of exact checkpoints, which a resume reads."""
        return self.directory / "checkpoints" / "last"

    @property
    def best_weights(self) -> Path:
        return self.directory / "checkpoints" / "best.weights.h5"

    def probe(self, head: str, kind: str) -> Path:
        """The arrays of a head's fitted probe; absent where the training is not finished."""
        return self._probes / f"{head}_{kind}.npz"

    def probe_record(self, head: str, kind: str) -> Path:
        """What that probe is, and of how many examples, as JSON."""
        return self._probes / f"{head}_{kind}.json"

    def remove_probes(self) -> None:
        """Takes away all fitted probes. Needs the lock."""
        for file in self._probes.glob("*"):
            file.unlink()

    @property
    def _probes(self) -> Path:
        return self.directory / "probes"

    def evaluation(self, split: str) -> Path:
        """The folder of one split's evaluation."""
        return self.directory / "eval" / split

    def pictures(self, kind: str) -> Path:
        """The folder of what `mmzoo show` draws of the model: "cam", "filters" or "maps"."""
        return self.directory / kind

    def config(self) -> Config:
        """The config that the run was trained with, with all that was read off the data."""
        if not self.config_file.is_file():
            raise RunError(f"{self.directory}: not a run directory: it has no config.yaml")
        return load_config(self.config_file)

    def write_config(self, config: Config) -> None:
        header = f"What {config.name} was trained with: every default, and what the data told."
        write_text(self.config_file, dump_yaml(config, header))

    def preprocessing(self) -> dict[str, dict[str, str]]:
        """What the inputs were fitted to: of each input, text files by name."""
        try:
            return {
                folder.name: {
                    # Not `read_text`, which takes some characters for ends of lines.
                    file.name: file.read_bytes().decode()
                    for file in sorted(folder.iterdir())
                }
                for folder in sorted(self._preprocessing.glob("*/"))
            }
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{self._preprocessing}: cannot be read: {error}") from error

    def write_preprocessing(self, preprocessing: Preprocessing) -> None:
        for name, files in preprocessing.items():
            for file, text in files.items():
                write_text(self._preprocessing / name / file, text)

    def environment(self) -> dict[str, Any]:
        environment = read_json(self.environment_file)
        check_entries(self.environment_file, environment, _ENVIRONMENT)
        return environment

    def write_environment(self, environment: Mapping[str, Any]) -> None:
        write_text(self.environment_file, json.dumps(environment, indent=2) + "\n")

    def metrics(self) -> dict[str, Any]:
        if not self.metrics_file.is_file():
            return {}
        metrics = read_json(self.metrics_file)
        entries = {f"{s}.{key}": kind for s in metrics for key, kind in _SPLIT_METRICS.items()}
        check_entries(self.metrics_file, metrics, entries)
        return metrics

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        write_text(self.metrics_file, json.dumps(metrics, indent=2, allow_nan=False) + "\n")

    def write_baselines(self, baselines: Mapping[str, Any]) -> None:
        write_text(self.baselines_file, json.dumps(baselines, indent=2, allow_nan=False) + "\n")

    def history(self) -> list[dict[str, float]]:
        """The rows of history.csv, an epoch each; epochs and steps are whole floats."""
        if not self.history_file.is_file():
            return []
        with self.history_file.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            try:
                history = [
                    {name: float(text) for name, text in row.items() if text} for row in rows
                ]
            # A row with more values than there are names has a list of them.
            except (ValueError, TypeError, csv.Error) as error:
                raise RunError(
                    f"{self.history_file}: damaged, line {rows.line_num}: {error}"
                ) from error
        if any("epoch" not in row for row in history):
            raise RunError(f"{self.history_file}: damaged: a row has no epoch")
        return history

    def write_history(self, rows: Sequence[Mapping[str, float]]) -> None:
        text = io.StringIO()
        if rows:
            writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        write_text(self.history_file, text.getvalue())

    def remove_leftovers(self) -> None:
        """Removes the files that a training was writing when it was killed. Needs the lock."""
        for folder in (self.last.parent, self._probes):
            for temporary in folder.rglob(".*.tmp*"):
                temporary.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps a second training out. The kernel lets go of the lock even after a kill -9.

        Raises:
            RunError: another process trains in this directory.
        """
        with self._lock_file.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.seek(0)
                owner = file.read().strip() or "unknown"
                raise RunError(
                    f"{self.directory}: another training (process {owner}) runs in this "
                    "directory. Wait for it, or name another with --run."
                ) from error
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    @contextmanager
    def removed_unless_begun(self) -> Iterator[None]:
        """Takes the directory away again where a training fails before it begins. Needs the lock.

        It holds nothing then but the reason, which was said; and it would pass for the newest run.
        """
        try:
            yield
        except BaseException:
            if not self.environment_file.is_file():
                self._remove_empty()
            raise

    def _remove_empty(self) -> None:
        """Removes the directory, and `runs/<name>/` above it, if nothing else is in them."""
        ours = {self.log_file, self._lock_file}
        if set(self.directory.iterdir()) - ours:
            return
        for path in ours:
            path.unlink(missing_ok=True)
        self.directory.rmdir()
        if _NUMBER.fullmatch(self.directory.name):
            with suppress(OSError):  # Another run is there, or something of the user's.
                self.directory.parent.rmdir()
                self.directory.parent.parent.rmdir()


def new_run(name: str, directory: Path | None = None, root: Path = Path("runs")) -> Run:
    """Makes a run directory: `directory`, else `root/name/<next number>`.

    Raises:
        RunError: `directory` exists already, or `root/name` would be a run and its runs' folder.
    """
    parent = root / name
    if directory is not None:
        if directory.resolve() == parent.resolve():
            raise RunError(
                f"{directory}: stands for the newest of the numbered runs in it. Name another, "
                f"such as {directory / 'mine'}, or leave --run out."
            )
        refuse_existing(directory)
        directory.mkdir(parents=True)
        return Run(directory)
    if Run(parent).config_file.is_file():
        raise RunError(
            f"{parent}: is itself a run, and would hide the numbered runs in it. Move it "
            "elsewhere, or name a directory with --run."
        )
    parent.mkdir(parents=True, exist_ok=True)
    number = max((int(path.name) for path in _numbered(parent)), default=0)
    while True:  # Two trainings that start at once each get a number of their own.
        number += 1
        try:
            (parent / f"{number:03d}").mkdir()
            return Run(parent / f"{number:03d}")
        except FileExistsError:
            continue


def refuse_existing(directory: Path) -> None:
    """Raises a RunError if there is something where a new run should go."""
    for path in (directory, *directory.parents):
        if path.is_file():
            raise RunError(
                f"{path}: is a file, not a {'run directory' if path == directory else 'folder'}. "
                "Name another --run."
            )
    if directory.exists() or directory.is_symlink():
        raise RunError(
            f"{directory}: exists already. Go on with it by --resume, or name another --run."
        )


def newest_run(name: str, root: Path = Path("runs")) -> Run | None:
    """The newest run of an experiment, if there is one."""
    runs = runs_of(name, root)
    return runs[-1] if runs else None


def runs_of(name: str, root: Path = Path("runs")) -> list[Run]:
    """The numbered runs of an experiment, the oldest first."""
    return [Run(path) for path in sorted(_numbered(root / name), key=lambda path: int(path.name))]


def open_run(path: Path) -> tuple[Run, Path | None]:
    """The run that a user named, and the weights file if that is what they named.

    Args:
        path: a run directory, `runs/<name>` for its newest, or a file inside a run.

    Raises:
        RunError: there is no run there.
    """
    if path.is_file():
        here = Path.cwd()
        for parent in Path(os.path.abspath(path)).parents:
            if Run(parent).config_file.is_file():
                named_from_here = not path.is_absolute() and parent.is_relative_to(here)
                return Run(parent.relative_to(here) if named_from_here else parent), path
        raise RunError(f"{path}: not inside a run directory: no config.yaml above it")
    if Run(path).config_file.is_file():
        return Run(path), None
    if numbered := _numbered(path):
        return open_run(max(numbered, key=lambda found: int(found.name)))
    if path.is_dir():
        raise RunError(f"{path}: not a run directory: it has no config.yaml")
    if Path("runs", path).is_dir() and not path.is_absolute():
        near = f"; did you mean '{Path('runs', path)}'?"
    else:
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = did_you_mean(path.name, beside)
    raise RunError(
        f"{path}: there is no such run{near or '.'} `mmzoo list runs` shows those there are."
    )


def all_runs(root: Path = Path("runs")) -> list[Run]:
    """Every run in `root` or one folder below, by name and number."""
    found = [path.parent for level in ("*", "*/*") for path in root.glob(f"{level}/config.yaml")]
    return [Run(path) for path in sorted(found, key=_by_name_and_number)]


def _by_name_and_number(path: Path) -> tuple[Path, int]:
    numbered = _NUMBER.fullmatch(path.name)
    return (path.parent, int(path.name)) if numbered else (path, 0)


def _numbered(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return [path for path in parent.iterdir() if path.is_dir() and _NUMBER.fullmatch(path.name)]
