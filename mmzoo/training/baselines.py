"""Baselines: each input of an experiment alone, trained like the whole, and what fusion adds."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmzoo.config import Config, load_config
from mmzoo.devices import Kind
from mmzoo.errors import DataError, Interrupted, RunError
from mmzoo.evaluation.gains import HeadGains, gains_of
from mmzoo.evaluation.run_scores import PairedScores, paired_scores, run_scores
from mmzoo.evaluation.scale import scale_of
from mmzoo.lazy import keras
from mmzoo.runs import Run, open_run
from mmzoo.training.alone import alone, refuse_one_input
from mmzoo.training.train import train

logger = logging.getLogger(__name__)

_SPLIT = "test"


@dataclass(frozen=True)
class Baselines:
    """A fusion beside its inputs alone.

    Attributes:
        fusion: the run of all inputs.
        alone: the run of each input alone, by its name.
        heads: what the fusion is worth to each head.
    """

    fusion: Run
    alone: Mapping[str, Run]
    heads: tuple[HeadGains, ...]

    @property
    def seed(self) -> int:
        """What all were trained with."""
        return self.fusion.config().train.seed

    @property
    def note(self) -> str:
        """What the intervals do not hold."""
        return (
            f"Each is one training (train.seed {self.seed}): the interval is of the test examples "
            "alone, and another seed may say otherwise. See by running it again with "
            f"`--set train.seed={self.seed + 1}`."
        )

    def as_dict(self) -> dict[str, Any]:
        """What baselines.json holds; directories are seen from that of the fusion's run."""
        root = self.fusion.directory
        return {
            "split": _SPLIT,
            "seed": self.seed,
            "fusion": _told(self.fusion),
            "inputs": {
                name: {"run": str(run.directory.relative_to(root)), **_told(run)}
                for name, run in self.alone.items()
            },
            "heads": {
                head.name: {
                    "metric": head.scale.metric,
                    "best_input": head.best,
                    "gains": {name: gain.as_dict() for name, gain in head.gains.items()},
                    "sentence": head.sentence,
                }
                for head in self.heads
            },
            "note": self.note,
        }


def train_baselines(
    run: Run | Path | str, config: Config | Mapping[str, Any] | Path | str, *, device: Kind = "auto"
) -> Baselines:
    """Trains each input alone, below the run of all of them, and compares.

    Inputs that are trained already stay as they are, and one that was interrupted is gone on with.

    Args:
        run: the finished run of all inputs, its directory, or `runs/<name>` for its newest.
        config: the experiment, as the run was trained; or the mapping or the YAML file of it.
        device: "auto", "cpu" or "gpu".

    Raises:
        ConfigError: there is one input only.
        RunError: the run is not finished, or does not say what its training came to.
        Interrupted: a signal stopped a training; all of it is saved.
        MmzooError: of the first training that fails; those before it stay.
    """
    if not isinstance(run, Run):
        run, _ = open_run(Path(run))
    if not isinstance(config, Config):
        config = load_config(config)
    refuse_one_input(config)
    trained(run)
    config = config.with_columns()
    experiments = {name: alone(config, name) for name in config.inputs}
    for number, (name, experiment) in enumerate(experiments.items(), start=1):
        baseline = run.baseline(name)
        of = f"{name} alone, {number} of {len(experiments)}"
        if _finished(baseline, experiment):
            trained(baseline)
            logger.info(f"{of}: finished already, in {baseline.directory}")
            continue
        logger.info(f"{of}:")
        _forget_models()
        try:
            begun = baseline.directory.is_dir()
            train(experiment, run=baseline.directory, resume=begun, device=device)
        except Interrupted as error:
            raise Interrupted(
                f"Stopped while {name} was trained alone; all of it is saved. Go on with the same "
                f"command and --resume --run {run.directory}.",
                error.exit_code - 128,
            ) from error
    baselines = {name: run.baseline(name) for name in experiments}
    for note in _other_rows(run, baselines):
        logger.info(f"Note: {note}.")
    found = compared(run, baselines)
    run.write_baselines(found.as_dict())
    return found


def compared(run: Run, baselines: Mapping[str, Run]) -> Baselines:
    """A finished run beside those of its inputs alone, example by example of the test split."""
    _forget_models()
    whole = run_scores(run, _SPLIT)
    pairs: dict[str, dict[str, PairedScores]] = {head: {} for head in whole.scores}
    for name, baseline in baselines.items():
        _forget_models()
        single = run_scores(baseline, _SPLIT)
        for head, of_head in pairs.items():
            try:
                of_head[name] = paired_scores(whole, single, head)
            except DataError as error:
                logger.info(f"Note: {error}.")
    metrics = run.metrics()[_SPLIT]
    heads = []
    for head, found in pairs.items():
        if metrics[head].get("labelled") == 0:
            logger.info(
                f"Note: no row of the {_SPLIT} split has a label of {head}: it is not compared."
            )
        else:
            scale = scale_of(metrics[head])
            heads.append(HeadGains(head, scale, gains_of(found, scale)))
    return Baselines(run, dict(baselines), tuple(heads))


def _finished(run: Run, config: Config) -> bool:
    """Whether it is trained to its end, which more epochs move."""
    return _SPLIT in run.metrics() and run.config().train == config.train


def _other_rows(run: Run, baselines: Mapping[str, Run]) -> Iterator[str]:
    """Yields a clause for each input that was trained on more or fewer rows than the whole."""
    rows = run.environment()["data"]["examples"]["train"]
    for name, baseline in baselines.items():
        its = baseline.environment()["data"]["examples"]["train"]
        if its != rows:
            yield f"{name} alone was trained on {its:,} rows, and the fusion on {rows:,}"


def _forget_models() -> None:
    """Else the graphs of each training would stay in memory beside those of the next."""
    keras.utils.clear_session()
    gc.collect()


def trained(run: Run) -> dict[str, Any]:
    """What a finished training came to: its `parameters`, and the `seconds` it took.

    Raises:
        RunError: the run does not say, since it is not finished, or of an older version of mmzoo.
    """
    found = run.environment().get("trained")
    if not isinstance(found, dict) or not {"parameters", "seconds"} <= found.keys():
        raise RunError(
            f"{run.environment_file}: does not say how many parameters were trained for how long: "
            "the training is not finished, or is of an older version of mmzoo. Finish it by "
            "--resume, or train anew."
        )
    return {name: found[name] for name in ("parameters", "seconds")}


def _told(run: Run) -> dict[str, Any]:
    return {**trained(run), "metrics": run.metrics()[_SPLIT]}
