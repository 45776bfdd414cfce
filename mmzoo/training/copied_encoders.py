"""Copies of the encoders that a run starts from, so that it does not need the other runs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from mmzoo.config import Config
from mmzoo.errors import RunError
from mmzoo.find_runs import open_run
from mmzoo.lazy import keras
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
    source = _Source()
    inputs = {
        name: spec.replace(encoder=_copied(spec.encoder, name, run, source))
        for name, spec in config.inputs.items()
        if isinstance(spec.encoder, RunEncoder)
    }
    return config.replace(inputs={**config.inputs, **inputs}) if inputs else config


class _Source:
    """Encoders of finished runs; the model of a run is loaded once for all of its inputs."""

    def __init__(self) -> None:
        self._loaded: tuple[Any, keras.Model | None] = (None, None)

    def save(self, encoder: RunEncoder[Any], target: Path) -> tuple[Run, str]:
        """Saves the weights of an encoder; the run that it is of, and their checksum."""
        origin, file = open_run(Path(encoder.path).expanduser())
        if file is not None and file.parent.name == target.parent.name:
            return origin, copy_weights(file, target)
        wanted = (origin, file or "best")
        loaded, model = self._loaded
        if loaded != wanted:
            model, _ = load_trained(*wanted, "float32")
            self._loaded = wanted, model
        return origin, save_weights(encoder_of(model, encoder.input), target)


def _copied(encoder: RunEncoder[Any], name: str, run: Run, source: _Source) -> RunEncoder[Any]:
    target, checksum = run.encoder_weights(name), encoder.sha256
    if checksum is None or not target.is_file():
        origin, checksum = source.save(encoder, target)
        if encoder.sha256 not in (None, checksum):
            raise RunError(
                f"{encoder.path}: has other weights than config.yaml says (inputs.{name}.encoder."
                "sha256). Restore it from a copy, or start from the original run."
            )
        logger.info(
            f"{name}: starts from the encoder of inputs.{encoder.input} of {origin.directory}."
        )
    return encoder.replace(path=str(target), input=name, sha256=checksum)
