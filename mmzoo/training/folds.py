"""K-fold cross-validation: a training for each fold, and the mean and std of their metrics."""

from __future__ import annotations

import gc
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.config import Config, load_config
from mmzoo.devices import Kind
from mmzoo.errors import ConfigError
from mmzoo.find_runs import runs_of
from mmzoo.lazy import keras
from mmzoo.runs import Run
from mmzoo.training.resume import requested_config
from mmzoo.training.train import train

logger = logging.getLogger(__name__)

_FOLD = "source.fold.index"
_SPLIT = "test"


@dataclass(frozen=True)
class Spread:
    """One metric over the folds.

    Attributes:
        mean: over the folds.
        std: standard deviation between folds, with n - 1; None for a single fold.
        values: of each fold, in their order.
    """

    mean: float
    std: float | None
    values: tuple[float, ...]


@dataclass(frozen=True)
class FoldSummary:
    """The metrics of all finished folds.

    Attributes:
        name: the experiment's.
        of: number of folds.
        runs: the finished run of each fold, counted from 1.
        metrics: head -> metric -> its values on the test splits of those runs.
    """

    name: str
    of: int
    runs: dict[int, Path]
    metrics: dict[str, dict[str, Spread]]

    def as_dict(self) -> dict[str, Any]:
        """As a JSON document."""
        return {
            "name": self.name,
            "folds": self.of,
            "runs": {str(index): str(directory) for index, directory in self.runs.items()},
            "metrics": {
                head: {
                    metric: {
                        "mean": spread.mean,
                        "std": spread.std,
                        "values": list(spread.values),
                    }
                    for metric, spread in spreads.items()
                }
                for head, spreads in self.metrics.items()
            },
        }


def with_fold(config: Config, index: int, of: int) -> Config:
    """The experiment whose test split is one fold of its data.

    Args:
        config: the experiment.
        index: which fold, from 1.
        of: number of folds.

    Raises:
        ConfigError: the source does not support folds, or not so many.
    """
    if "fold" not in type(config.source).model_fields:
        raise ConfigError(
            f"source.type: `{config.source.type}` does not support folds; `table`, `folder` and "
            "`dataset` do"
        )
    values = config.model_dump(mode="json")
    loaded = load_config(values, [f"source.fold={{index: {index}, of: {of}}}"])
    return config.replace(source=loaded.source)  # Fields that the config left open stay open.


def train_fold(
    config: Config,
    index: int,
    of: int,
    *,
    run: Path | None = None,
    resume: bool = False,
    device: Kind = "auto",
) -> Run:
    """Trains on one fold.

    Args:
        config: the experiment.
        index: which fold, from 1.
        of: number of folds.
        run: the run directory to create; by default `runs/<name>/<next number>`.
        resume: continue `run`, or the newest run of this fold, if there is one.
        device: "auto", "cpu" or "gpu".
    """
    fold = with_fold(config, index, of).with_columns()
    if run is None and resume:
        before = _runs(fold).get(index)
        run, resume = (before.directory, True) if before else (None, False)
    return train(fold, run=run, resume=resume, device=device)


def train_folds(
    config: Config, of: int, *, resume: bool = False, device: Kind = "auto"
) -> FoldSummary:
    """Trains on every fold in turn, each in a run of its own.

    Args:
        config: the experiment.
        of: number of folds.
        resume: continue an interrupted fold, and skip those that are finished.
        device: "auto", "cpu" or "gpu".

    Raises:
        MmzooError: a training failed; the finished ones before it are kept.
    """
    for index in range(1, of + 1):
        before = _runs(with_fold(config, index, of).with_columns()).get(index) if resume else None
        if before is not None and _SPLIT in before.metrics():
            logger.info(f"Fold {index} of {of}: finished already, in {before.directory}")
            continue
        logger.info(f"Fold {index} of {of}")
        # Else the graphs of earlier folds would stay in memory.
        keras.utils.clear_session()
        gc.collect()
        train_fold(config, index, of, resume=resume, device=device)
    summary = summarise_folds(with_fold(config, 1, of))
    assert summary is not None
    return summary


def summarise_folds(config: Config) -> FoldSummary | None:
    """The metrics of the finished folds of an experiment; None if there are none.

    Args:
        config: the experiment with any of its folds.
    """
    config = config.with_columns()
    finished = {index: run for index, run in _runs(config).items() if _SPLIT in run.metrics()}
    if not finished:
        return None
    entries = [run.metrics()[_SPLIT] for run in finished.values()]
    heads = {name: _common([entry[name] for entry in entries]) for name in config.heads}
    return FoldSummary(
        name=config.name,
        of=requested_config(config)["source.fold.of"],
        runs={index: run.directory for index, run in finished.items()},
        metrics={
            name: {metric: _spread(v) for metric, v in m.items()} for name, m in heads.items()
        },
    )


def _runs(config: Config) -> dict[int, Run]:
    """The newest run of each fold of an experiment, by the fold's number."""
    requested = requested_config(config)
    found = {}
    for run in runs_of(config.name):
        if not run.environment_file.is_file():
            continue
        its = run.environment().get("requested", {})
        if its.get(_FOLD) and its | {_FOLD: 0} == requested | {_FOLD: 0}:
            found[its[_FOLD]] = run
    return dict(sorted(found.items()))


def _common(entries: list[Mapping[str, Any]]) -> dict[str, list[float]]:
    """The metrics that are single numbers in every fold."""
    return {
        metric: [float(entry[metric]) for entry in entries]
        for metric in entries[0]
        if all(isinstance(entry.get(metric), int | float) for entry in entries)
    }


def _spread(values: list[float]) -> Spread:
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Spread(float(np.mean(values)), std, tuple(values))
