"""Exact checkpoints: all that the next step depends on, in one file, there whole or not at all.

That is every variable of the model (weights and the seeds of dropout: no saver of Keras or
TensorFlow keeps those), of the optimizer and of the metrics, and a few numbers. The place in the
data needs no saving: it is a function of the step.
"""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.errors import RunError, TrainingError
from mmzoo.files import replacing
from mmzoo.lazy import keras, tf

logger = logging.getLogger(__name__)

_KEPT = 2  # The one before the newest serves if the newest turns out to be damaged.
_STATE = "state"

Variables = Sequence["keras.Variable | tf.Variable"]


def save_checkpoint(folder: Path, step: int, variables: Variables, state: dict[str, Any]) -> Path:
    """Writes the checkpoint of a step and removes all but it and the one before.

    Args:
        folder: the run's folder of checkpoints.
        step: steps done.
        variables: all variables, in an order that a rebuilt training has too.
        state: numbers beside them; must be JSON.

    Raises:
        TrainingError: a value is not finite. What was saved before stays.
    """
    path = folder / f"{step:012d}.npz"
    arrays = {f"{index:06d}": np.asarray(v.numpy()) for index, v in enumerate(variables)}
    for array, variable in zip(arrays.values(), variables, strict=True):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise TrainingError(
                f"Step {step}: {_name(variable)} is no longer finite, so nothing of this step was "
                "saved. Try a smaller train.optimizer.learning_rate."
            )
    arrays[_STATE] = np.frombuffer(json.dumps({"step": step, **state}).encode(), np.uint8)
    with replacing(path, suffix=".npz") as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)
    saved = checkpoints(folder)
    # What is newer than this one was found damaged, or this step would not have been trained again.
    kept = [old for old in saved if old <= path][-_KEPT:]
    for other in set(saved) - set(kept):
        other.unlink()
    return path


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in a folder, oldest first."""
    return sorted(folder.glob("[0-9]*.npz"))


def restore_checkpoint(folder: Path, variables: Variables) -> dict[str, Any] | None:
    """Puts the newest good checkpoint into the variables and returns its state.

    None if there is none at all.

    Raises:
        RunError: there are checkpoints, and none of them can be used.
    """
    found = newest_checkpoint(folder)
    if found is None:
        return None
    path, arrays, state = found
    put_arrays(arrays, variables, path)
    return state


def newest_checkpoint(folder: Path) -> tuple[Path, list[np.ndarray], dict[str, Any]] | None:
    """The newest good checkpoint: its path, arrays and state.

    A damaged one is said, and the one before it taken. None if there is none at all.

    Raises:
        RunError: there are checkpoints, and none of them can be read.
    """
    paths = checkpoints(folder)
    for path in reversed(paths):
        try:
            return path, *read_checkpoint(path)
        except RunError as error:
            logger.info(str(error))
    if paths:
        raise RunError(
            f"{folder}: none of its checkpoints can be read. Start a new run without --resume."
        )
    return None


def read_checkpoint(path: Path) -> tuple[list[np.ndarray], dict[str, Any]]:
    """The arrays of a checkpoint in their order, and its state.

    Raises:
        RunError: the file is damaged.
    """
    try:
        with zipfile.ZipFile(path) as file:
            # All of it: numpy reads no further than an array's header tells it to.
            if damaged := file.testzip():
                raise zipfile.BadZipFile(f"{damaged} has another checksum than it was written with")
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[name] for name in sorted(file.files) if name != _STATE]
            state = json.loads(file[_STATE].tobytes())
    except Exception as error:  # A damaged archive makes its readers raise almost anything.
        raise RunError(f"{path}: damaged, it cannot be used ({error})") from error
    return arrays, state


def put_arrays(arrays: Sequence[np.ndarray], variables: Variables, path: Path) -> None:
    """Assigns the arrays to the variables, all of them or none.

    They are matched by order, shape and dtype: names count up within a process.

    Raises:
        RunError: the arrays are of another model.
    """
    if len(arrays) != len(variables):
        raise RunError(
            f"{path}: of another training: it has {len(arrays)} variables, "
            f"expected {len(variables)}"
        )
    for array, variable in zip(arrays, variables, strict=True):
        found = f"{list(array.shape)} {array.dtype}"
        expected = f"{list(variable.shape)} {_dtype(variable)}"
        if found != expected:
            raise RunError(
                f"{path}: of another training: {_name(variable)} is {found}, expected {expected}"
            )
    for array, variable in zip(arrays, variables, strict=True):
        variable.assign(array)


def _name(variable: keras.Variable | tf.Variable) -> str:
    return getattr(variable, "path", variable.name)


def _dtype(variable: keras.Variable | tf.Variable) -> str:
    return getattr(variable.dtype, "name", variable.dtype)  # Keras has it as a word.
