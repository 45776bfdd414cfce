"""Copies of the encoders that a run starts from, so that it does not need the other runs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from mmzoo.config import Config
from mmzoo.find_runs import open_run
from mmzoo.modalities.run_encoder import RunEncoder
from mmzoo.model_graph import encoder_of
from mmzoo.runs import Run
from mmzoo.trained_model import load_trained
from mmzoo.weights import copy_weights, save_weights

logger = logging.getLogger(__name__)


def copy_encoders(config: Config, run: Run) -> Config:
    """Copies the weights of encoders of other runs into a run, unless it has them already.

    Args:
        config: from `reuse_encoders`.
        run: the run that starts from them.

    Returns:
        The config with the encoders of the copies.

    Raises:
        RunError: weights do not exist, are damaged, or belong to another model.
    """
    inputs = {
        name: spec.replace(encoder=_copied(spec.encoder, name, run))
        for name, spec in config.inputs.items()
        if isinstance(spec.encoder, RunEncoder)
    }
    return config.replace(inputs={**config.inputs, **inputs}) if inputs else config


def _copied(encoder: RunEncoder[Any], name: str, run: Run) -> RunEncoder[Any]:
    target = run.encoder_weights(name)
    checksum = encoder.sha256
    if checksum is None or not target.is_file():
        origin, file = open_run(Path(encoder.path).expanduser())
        if file is not None and file.parent.name == target.parent.name:
            checksum = copy_weights(file, target)
        else:
            model, _ = load_trained(origin, file or "best", "float32")
            checksum = save_weights(encoder_of(model, encoder.input), target)
        logger.info(
            f"{name}: starts from the encoder of inputs.{encoder.input} of {origin.directory}."
        )
    return encoder.replace(path=str(target), input=name, sha256=checksum)
