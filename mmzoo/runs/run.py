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
from mmzoo.spec import dump_yaml

NUMBER = re.compile(r"\d{3,}")
"""What the numbered runs of an experiment are called."""

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
_BASELINES = {"split": str, "fusion": dict, "inputs": dict, "heads": dict}
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

    def baselines(self) -> dict[str, Any]:
        """What baselines.json says; nothing where the inputs were not trained alone."""
        if not self.baselines_file.is_file():
            return {}
        baselines = read_json(self.baselines_file)
        check_entries(self.baselines_file, baselines, _BASELINES)
        return baselines

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
        if NUMBER.fullmatch(self.directory.name):
            with suppress(OSError):  # Another run is there, or something of the user's.
                self.directory.parent.rmdir()
                self.directory.parent.parent.rmdir()
