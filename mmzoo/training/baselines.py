"""Unimodal baselines: a model trained on each input alone, compared with the multimodal model."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmzoo.config import Config, load_config
from mmzoo.devices import Kind
from mmzoo.errors import DataError, Interrupted, RunError
from mmzoo.evaluation.baseline_comparison import (
    PairedScores,
    compare_baselines,
    paired_scores,
    run_scores,
)
from mmzoo.evaluation.comparison import Comparison
from mmzoo.find_runs import open_run
from mmzoo.lazy import keras
from mmzoo.reused_encoders import reuse_encoders
from mmzoo.runs import Run
from mmzoo.training.train import train
from mmzoo.training.unimodal_config import require_multimodal, unimodal_config

logger = logging.getLogger(__name__)

_SPLIT = "test"


def train_baselines(
    run: Run | Path | str, config: Config | Mapping[str, Any] | Path | str, *, device: Kind = "auto"
) -> Comparison:
    """Trains a model on each input alone, in `baselines/` of the multimodal run, and compares them.

    Finished baselines are not trained again, and an interrupted one is resumed.

    Args:
        run: the finished multimodal run, its directory, or `runs/<name>` for its newest.
        config: the config that the run was trained with, as an object, a mapping or a YAML file.
        device: "auto", "cpu" or "gpu".

    Returns:
        The comparison, which is also written to `baselines.json`.

    Raises:
        ConfigError: there is only one input.
        RunError: the run is not finished, or its environment.json has no training facts.
        Interrupted: a signal stopped a training; everything is saved.
        MmzooError: a training failed; finished ones are saved.
    """
    if not isinstance(run, Run):
        run, _ = open_run(Path(run))
    if not isinstance(config, Config):
        config = load_config(config)
    require_multimodal(config)
    training_facts(run)
    config = reuse_encoders(config, run).with_columns()
    experiments = {name: unimodal_config(config, name) for name in config.inputs}
    for number, (name, experiment) in enumerate(experiments.items(), start=1):
        baseline = run.baseline(name)
        of = f"{name} alone, {number} of {len(experiments)}"
        if _finished(baseline, experiment):
            training_facts(baseline)
            logger.info(f"{of}: already finished, in {baseline.directory}")
            continue
        logger.info(f"{of}:")
        _forget_models()
        try:
            started = baseline.directory.is_dir()
            train(experiment, run=baseline.directory, resume=started, device=device)
        except Interrupted as error:
            raise Interrupted(
                f"Stopped while training {name} alone; everything is saved. Continue with the same "
                f"command and --resume --run {run.directory}.",
                error.exit_code - 128,
            ) from error
    baselines = {name: run.baseline(name) for name in experiments}
    for note in _other_rows(run, baselines):
        logger.info(f"Note: {note}.")
    comparison = compare_runs(run, baselines)
    run.write_baselines(comparison.as_json())
    return comparison


def compare_runs(fusion: Run, baselines: Mapping[str, Run]) -> Comparison:
    """Compares a finished multimodal run with its unimodal baselines, on the test split.

    Args:
        fusion: the multimodal run.
        baselines: input -> the run of the model trained on it alone.
    """
    _forget_models()
    whole = run_scores(fusion, _SPLIT)
    pairs: dict[str, dict[str, PairedScores]] = {head: {} for head in whole.scores}
    for name, baseline in baselines.items():
        _forget_models()
        single = run_scores(baseline, _SPLIT)
        for head, of_head in pairs.items():
            try:
                of_head[name] = paired_scores(whole, single, head)
            except DataError as error:
                logger.info(f"Note: {error}.")
    root = fusion.directory
    runs = {
        name: {
            "run": str(run.directory.relative_to(root)),
            **training_facts(run),
            "metrics": run.metrics()[_SPLIT],
        }
        for name, run in {" + ".join(baselines): fusion, **baselines}.items()
    }
    return compare_baselines(pairs, runs, _SPLIT, seed=fusion.config().train.seed)


def _finished(run: Run, config: Config) -> bool:
    """Whether a run is finished and was trained with these settings, such as as many epochs."""
    return _SPLIT in run.metrics() and run.config().train == config.train


def _other_rows(run: Run, baselines: Mapping[str, Run]) -> Iterator[str]:
    """Yields a clause for each baseline that was trained on more or fewer rows than the fusion."""
    rows = run.environment()["data"]["examples"]["train"]
    for name, baseline in baselines.items():
        its = baseline.environment()["data"]["examples"]["train"]
        if its != rows:
            yield f"{name} alone was trained on {its:,} rows, and the fusion on {rows:,}"


def _forget_models() -> None:
    """Frees the graphs of previous trainings, which would otherwise stay in memory."""
    keras.utils.clear_session()
    gc.collect()


def training_facts(run: Run) -> dict[str, Any]:
    """The number of `parameters` of a finished run's model and the `seconds` of its training.

    Raises:
        RunError: the run is not finished, or from an older version of mmzoo.
    """
    found = run.environment().get("trained")
    if not isinstance(found, dict) or not {"parameters", "seconds"} <= found.keys():
        raise RunError(
            f"{run.environment_file}: the number of parameters and the duration of the training "
            "are missing: the run is not finished, or from an older version of mmzoo. Finish it "
            "with --resume, or train again."
        )
    return {name: found[name] for name in ("parameters", "seconds")}
