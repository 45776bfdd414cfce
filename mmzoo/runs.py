"""A run directory: the files of a training.

    runs/<name>/<NNN>/      001, 002, ...; `runs/<name>` alone means its newest

This is the only module that knows the names of a run's files.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from mmzoo.config import Config, Preprocessing, load_config
from mmzoo.errors import RunError
from mmzoo.files import check_entries, read_json, write_text
from mmzoo.spec import dump_yaml

logger = logging.getLogger(__name__)

NUMBER = re.compile(r"\d{3,}")
"""Names of numbered runs."""

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
"""Entries of environment.json that are read, and their types."""
_BASELINES = {
    "kind": str,
    "title": str,
    "split": str,
    "examples": int,
    "rows": list,
    "reference": dict,
    "best": dict,
    "findings": dict,
}
_SPLIT_METRICS = {"examples": int, "data": str, "loss": float | None}
"""Entries of every split in metrics.json besides its heads."""


_TRAIN_AGAIN = "Restore it from a copy, or train again."


def preprocessing_checksums(preprocessing: Preprocessing) -> dict[str, str]:
    """The sha256 of each file, by its path in `preprocessing/`."""
    return {
        f"{name}/{file}": hashlib.sha256(text.encode()).hexdigest()
        for name, files in preprocessing.items()
        for file, text in files.items()
    }


@dataclass(unsafe_hash=True)
class Run:
    """One run directory and the paths of its files, which need not exist."""

    directory: Path

    def __post_init__(self) -> None:
        self.config_file = self.directory / "config.yaml"
        self.environment_file = self.directory / "environment.json"
        self.metrics_file = self.directory / "metrics.json"
        self.history_file = self.directory / "history.csv"
        self.log_file = self.directory / "train.log"
        self.skipped_file = self.directory / "skipped.csv"  # Rows that could not be read.
        self.baselines_file = self.directory / "baselines.json"
        self.best_weights = self.directory / "checkpoints" / "best.weights.h5"
        self.last = self.directory / "checkpoints" / "last"  # Exact checkpoints, to resume from.
        self.logs = self.directory / "logs"  # TensorBoard event files.
        self._preprocessing = self.directory / "preprocessing"  # A folder for each input.
        self._encoders = self.directory / "encoders"  # Copied from runs that this one starts from.
        self._probes = self.directory / "probes"
        self._lock = self.directory / ".lock"

    def predict(self, *arguments: Any, **options: Any) -> dict[str, list[Any]]:
        """`mmzoo.predict` with this run: files, texts or a table, with the run's preprocessing."""
        # Imported on use, like all of the public API, which stands above this module.
        prediction = import_module("mmzoo.prediction")
        rows: dict[str, list[Any]] = prediction.predict(self, *arguments, **options)
        return rows

    def encoder_weights(self, name: str) -> Path:
        """The weights that the encoder of an input started from, copied from another run."""
        return self._encoders / f"{name}.weights.h5"

    def embed(self, *arguments: Any, **options: Any) -> Any:
        """`mmzoo.embed` with this run: vectors of files, texts, a table or a split."""
        return import_module("mmzoo.retrieval.embedding").embed(self, *arguments, **options)

    def baseline(self, name: str) -> Run:
        """The run of the same training on one input alone."""
        return Run(self.directory / "baselines" / name)

    def probe(self, head: str, kind: str) -> Path:
        """The arrays of a head's fitted probe; missing if the training is not finished."""
        return self._probes / f"{head}_{kind}.npz"

    def probe_record(self, head: str, kind: str) -> Path:
        """The settings of that probe and its number of examples, as JSON."""
        return self._probes / f"{head}_{kind}.json"

    def remove_probes(self) -> None:
        """Removes all fitted probes. Needs the lock."""
        for file in self._probes.glob("*"):
            file.unlink()

    def evaluation(self, split: str) -> Path:
        """The folder of one split's evaluation."""
        return self.directory / "eval" / split

    @property
    def generated(self) -> Path:
        """The folder of the numbered folders that `mmzoo generate` writes."""
        return self.directory / "generated"

    def image_folder(self, kind: str) -> Path:
        """The folder of images that `mmzoo show` draws: "cam", "filters" or "maps"."""
        return self.directory / kind

    def config(self) -> Config:
        """The config of the training, fitted to the data."""
        if not self.config_file.is_file():
            raise RunError(f"{self.directory}: not a run directory: it has no config.yaml")
        return load_config(self.config_file)

    def write_config(self, config: Config) -> None:
        header = (
            f"The config of {config.name}, with all defaults and all values computed from the data."
        )
        write_text(self.config_file, dump_yaml(config, header))

    def preprocessing(self) -> dict[str, dict[str, str]]:
        """Vocabularies and statistics: text files by input and name.

        Raises:
            RunError: a file is missing, or is not as it was written.
        """
        try:
            files = {
                folder.name: {
                    # Not `read_text`, which normalizes line ends.
                    file.name: file.read_bytes().decode()
                    for file in sorted(folder.iterdir())
                }
                for folder in sorted(self._preprocessing.glob("*/"))
            }
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(
                f"{self._preprocessing}: cannot be read: {error}. {_TRAIN_AGAIN}"
            ) from error
        if not self.has_checksums:
            return files  # Of an older version.
        found, expected = preprocessing_checksums(files), self.environment()["checksums"]
        for name in sorted(found.keys() | expected.keys()):
            if found.get(name) != expected.get(name):
                problem = "is not as it was written" if name in found else "is missing"
                raise RunError(
                    f"{self._preprocessing / name}: damaged: it {problem}. {_TRAIN_AGAIN}"
                )
        return files

    @property
    def has_checksums(self) -> bool:
        """Whether weights and preprocessing have checksums; those of older versions have none."""
        return self.environment_file.is_file() and isinstance(
            self.environment().get("checksums"), dict
        )

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

    def baselines(self) -> dict[str, Any]:
        """The content of baselines.json; empty if there is none."""
        if not self.baselines_file.is_file():
            return {}
        baselines = read_json(self.baselines_file)
        if "inputs" in baselines and "rows" not in baselines:
            logger.info(
                f"Note: {self.baselines_file} was written by an older version of mmzoo and is not "
                "read. Write it again with `mmzoo train CONFIG --baselines --resume --run "
                f"{self.directory}`, which does not train again."
            )
            return {}
        check_entries(self.baselines_file, baselines, _BASELINES)
        return baselines

    def write_baselines(self, baselines: Mapping[str, Any]) -> None:
        write_text(self.baselines_file, json.dumps(baselines, indent=2, allow_nan=False) + "\n")

    def history(self) -> list[dict[str, float]]:
        """The rows of history.csv, one per epoch; epochs and steps are floats too."""
        if not self.history_file.is_file():
            return []
        with self.history_file.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            try:
                history = [
                    {name: float(text) for name, text in row.items() if text} for row in rows
                ]
            # In a row with too many values, the rest is a list.
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
        """Removes temporary files of a training that was killed. Needs the lock."""
        for folder in (self.last.parent, self._probes, self._encoders):
            for temporary in folder.rglob(".*.tmp*"):
                temporary.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Locks the run against other trainings. The kernel releases the lock even on kill -9.

        Raises:
            RunError: another process trains in this directory.
        """
        with self._lock.open("a+") as file:
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
    def removed_unless_started(self) -> Iterator[None]:
        """Removes the directory if a training fails before its first step. Needs the lock.

        It would hold nothing but the error, and would count as the newest run.
        """
        try:
            yield
        except BaseException:
            if not self.environment_file.is_file():
                self._remove_empty()
            raise

    def _remove_empty(self) -> None:
        """Removes the directory, and `runs/<name>/` above it, if nothing else is in them."""
        ours = {self.log_file, self._lock, self._encoders}
        if set(self.directory.iterdir()) - ours:
            return
        for path in (*self._encoders.glob("*"), self.log_file, self._lock):
            path.unlink(missing_ok=True)
        if self._encoders.is_dir():
            self._encoders.rmdir()
        self.directory.rmdir()
        if NUMBER.fullmatch(self.directory.name):
            with suppress(OSError):  # Another run is in it, or a file of the user's.
                self.directory.parent.rmdir()
                self.directory.parent.parent.rmdir()
