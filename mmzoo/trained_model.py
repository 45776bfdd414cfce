"""Loading the model of a run: rebuilt from its config, with its weights."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.checkpoint import assign_arrays, newest_checkpoint, read_checkpoint
from mmzoo.config import Config, load_config, with_table
from mmzoo.data import InMemoryTable
from mmzoo.errors import RunError
from mmzoo.find_runs import open_run
from mmzoo.lazy import keras
from mmzoo.model import Network, build_network
from mmzoo.preprocessing import fit_config, load_frame
from mmzoo.reused_encoders import reuse_encoders
from mmzoo.runs import Run
from mmzoo.spec import did_you_mean
from mmzoo.weights import load_weights

logger = logging.getLogger(__name__)

_NAMED = ("best", "last")
"""Weights that have a name."""


def open_trained(run: Run | Path | str, checkpoint: str | Path) -> tuple[Run, str | Path]:
    """The run that a user named, and which of its weights: "best", "last" or a file.

    Args:
        run: the run, its directory, `runs/<name>` for its newest, or a weights file inside one.
        checkpoint: the weights; "best" if `run` is a weights file.

    Raises:
        RunError: there is no such run or weights file, or both name weights.
    """
    file = None
    if not isinstance(run, Run):
        run, file = open_run(Path(run))
    if file is not None:
        if checkpoint != "best":
            raise RunError(
                f"{file}: is a weights file, and --checkpoint {checkpoint} names weights too. "
                "Give a run directory, or leave --checkpoint out."
            )
        checkpoint = file
    if Path(checkpoint).resolve() == run.best_weights.resolve():
        return run, "best"
    if checkpoint not in _NAMED and not Path(checkpoint).is_file():
        meant = did_you_mean(str(checkpoint), _NAMED)
        raise RunError(f"{checkpoint}: there is no such weights file{meant}")
    return run, checkpoint


def load_model(run: Run | Path | str, checkpoint: str | Path = "best") -> keras.Model:
    """The trained Keras model of a run, compiled, to be used like any other Keras model.

    Its inputs are preprocessed batches by input name, and its outputs one tensor by head; those of
    a regression are standardized. `mmzoo.predict` and `Run.predict` do the preprocessing too, and
    decode the outputs.

    Args:
        run: the run, its directory, `runs/<name>` for its newest, or a weights file inside one.
        checkpoint: "best", "last", or a weights file.

    Raises:
        RunError: the run or its weights do not exist, or are damaged.

    Example:
        >>> model = mmzoo.load_model("runs/mnist_cnn")
        >>> model({"image": images})["digit"]  # uint8 [batch, 28, 28, 1] -> float32 [batch, 10]
    """
    opened, checkpoint = open_trained(run, checkpoint)
    model, _ = load_trained(opened, checkpoint)
    return model


def build_model(
    config: Config | Mapping[str, Any] | Path | str,
    data: InMemoryTable | None = None,
    *,
    overrides: Sequence[str] = (),
) -> keras.Model:
    """Builds the untrained Keras model of a config; its weights depend only on `train.seed`.

    If the shape of the model depends on the data, such as the number of classes, the data is read.

    Args:
        config: a config, or the mapping or YAML file of one.
        data: a table in memory in place of the config's source, as for `mmzoo.train`.
        overrides: `KEY=VALUE` texts applied to a mapping or file: "train.seed=1".

    Raises:
        MmzooError: the config is invalid, or its data cannot be read.
    """
    if data is not None:
        config = with_table(config, data, overrides)
    elif not isinstance(config, Config):
        config = load_config(config, overrides)
    config = reuse_encoders(config).with_columns()
    if not all(part.is_fitted for part in (*config.inputs.values(), *config.heads.values())):
        config, _ = fit_config(config, load_frame(config))
    return build_network(config).model


def load_trained(
    run: Run, checkpoint: str | Path = "best", precision: str | None = None
) -> tuple[keras.Model, Config]:
    """The model of a run, compiled, and its config.

    Args:
        run: the run.
        checkpoint: "best", "last", or a weights file of the same model. "last" and other exact
            checkpoints give the weights that were validated: the moving averages, if there are any.
        precision: Keras dtype policy of its layers; by default the global one.

    Raises:
        RunError: the weights do not exist, are damaged, or belong to another model.
    """
    network, config = load_network(run, checkpoint, precision)
    return network.model, config


def load_network(
    run: Run, checkpoint: str | Path = "best", precision: str | None = None
) -> tuple[Network, Config]:
    """Like `load_trained`, as a `Network` with the outputs of its encoders."""
    config = run.config()
    network = build_network(config, precision)
    model = network.model
    model.compile(**config.objective.compile_arguments(config.heads, config.soft_targets))
    if checkpoint == "last" or Path(checkpoint).suffix == ".npz":
        path, arrays, state = _exact(run, checkpoint)
        # A checkpoint begins with the model's own variables; the optimizer's come after them.
        own = _validated(path, arrays, state)[: len(model.variables)]
        assign_arrays(own, model.variables, path)
    else:
        _load_weights(model, run, checkpoint)
    return network, config


def load_best(model: keras.Model, run: Run, advice: str) -> str | None:
    """Loads a run's best weights, verified by their checksum.

    Args:
        model: the model, built.
        run: the run.
        advice: what to do if they are damaged, as the last sentence of the error.

    Returns:
        The checksum; None for a run of an older version, which stored none.

    Raises:
        RunError: the weights are damaged, or belong to another model.
    """
    path = run.best_weights
    try:
        checksum = load_weights(model, path)
    except RunError as error:
        raise RunError(f"{error}. {advice}") from error
    if checksum is None:
        if run.has_checksums:
            raise RunError(f"{path}: damaged: its checksum is missing. {advice}")
        logger.info(
            f"Note: {path} was written by an older version of mmzoo without a checksum, so damage "
            "to its values would not be noticed."
        )
    return checksum


def _load_weights(model: keras.Model, run: Run, checkpoint: str | Path) -> None:
    """Loads the best weights, or those of a file that was named."""
    if checkpoint != "best":
        load_weights(model, Path(checkpoint))
        return
    if not run.best_weights.is_file():
        raise RunError(
            f"{run.directory}: has no best weights, since no epoch of it was finished. "
            "Continue it with `mmzoo train --resume`, or use --checkpoint last."
        )
    load_best(model, run, "Use --checkpoint last, the weights of the last step, or train again.")


def _exact(run: Run, checkpoint: str | Path) -> tuple[Path, list[np.ndarray], dict[str, Any]]:
    """An exact checkpoint: its path, arrays and state."""
    if checkpoint != "last":
        return Path(checkpoint), *read_checkpoint(Path(checkpoint))
    found = newest_checkpoint(run.last, _validated)
    if found is None:
        raise RunError(f"{run.directory}: has no checkpoint; was it ever trained?")
    return found


def _validated(path: Path, arrays: Sequence[np.ndarray], state: dict[str, Any]) -> list[np.ndarray]:
    """The arrays, with the averages that were validated in place of weights that have them."""
    validated = list(arrays)
    try:
        for index, sources in state.get("validated", ()):
            first, *others = (arrays[source] for source in sources)
            validated[index] = sum(others, first) / len(sources) if others else first
    except (TypeError, ValueError, LookupError) as error:
        raise RunError(f"{path}: the file is damaged (validated: {error})") from error
    return validated
