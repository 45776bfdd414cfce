"""What a training puts into TensorBoard besides curves: its config, inputs, mistakes, hparams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mmzoo.evaluation.evaluate import Evaluation
from mmzoo.evaluation.mistakes import mistakes_grid
from mmzoo.evaluation.shown_mistakes import shown_mistakes
from mmzoo.spec import dump_yaml
from mmzoo.training.session import Session, first_training_batch

_INPUTS_SHOWN = 16


def log_start(session: Session) -> None:
    """The config as text, and the first batch as the model sees it: augmented, mixed."""
    config, log = session.config, session.log
    log.text("config", 0, f"```yaml\n{dump_yaml(config)}```")
    for name, values in first_training_batch(session).items():
        pictures = [config.inputs[name].picture(value) for value in values[:_INPUTS_SHOWN]]
        log.images("train", 0, f"inputs/{name}", np.stack(pictures))
    log.flush()


def log_end(session: Session, evaluation: Evaluation) -> None:
    """The worst mistakes of each head, and the run's line in the table of hyperparameters."""
    config, step = session.config, session.step
    for head in config.heads:
        pictures, captions = shown_mistakes(head, config, session.data, evaluation)
        if pictures:
            grid = mistakes_grid(pictures, captions)
            session.log.images("validation", step, f"{head}/worst_mistakes", grid)
    figures = {
        f"{evaluation.split}/{head}/{name}": float(value)
        for head, metrics in evaluation.metrics.items()
        for name, value in metrics.items()
        if isinstance(value, int | float)
    }
    session.log.hparams(hyperparameters(config.model_dump()), figures, step)
    session.log.close()


def hyperparameters(tree: Mapping[str, Any], prefix: str = "") -> dict[str, bool | float | str]:
    """The settings of a config as flat values by dotted path, without those that are not set."""
    flat: dict[str, bool | float | str] = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat |= hyperparameters(value, f"{path}.")
        elif isinstance(value, bool | int | float | str):
            flat[path] = value
        elif value is not None and key != "class_names":
            flat[path] = str(list(value))
    return flat
