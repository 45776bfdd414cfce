"""Exact checkpoints: the full training state in one file, written atomically.

A checkpoint holds every variable of the model (including the seeds of dropout, which Keras and
TensorFlow do not save), of the optimizer and of the metrics, and a small JSON state. The position
in the data is not saved: it is a function of the step.
"""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.errors import RunError, TrainingError
from mmzoo.files import replacing
from mmzoo.lazy import keras, tf

logger = logging.getLogger(__name__)

_MAX_TO_KEEP = 2  # The older one is the fallback if the newer one is damaged.
_STATE = "state"

Variables = Sequence["keras.Variable | tf.Variable"]


def save_checkpoint(folder: Path, step: int, variables: Variables, state: dict[str, Any]) -> Path:
    """Saves a checkpoint and deletes all but this one and the previous one.

    Args:
        folder: the run's checkpoint folder.
        step: number of completed steps.
        variables: all variables, in an order that a restarted training reproduces.
        state: further state; must be JSON-serializable.

    Returns:
        The path of the checkpoint.

    Raises:
        TrainingError: a value is not finite. Earlier checkpoints stay.
    """
    path = folder / f"{step:012d}.npz"
    arrays = {f"{index:06d}": np.asarray(v.numpy()) for index, v in enumerate(variables)}
    for array, variable in zip(arrays.values(), variables, strict=True):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise TrainingError(
                f"Step {step}: {_name(variable)} is no longer finite, so this step was not "
                "saved. Try a smaller train.optimizer.learning_rate."
            )
    arrays[_STATE] = np.frombuffer(json.dumps({"step": step, **state}).encode(), np.uint8)
    with replacing(path, suffix=".npz") as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)
    saved = checkpoints(folder)
    # Newer checkpoints are damaged ones that a resumed training skipped.
    kept = [old for old in saved if old <= path][-_MAX_TO_KEEP:]
    for other in set(saved) - set(kept):
        other.unlink()
    return path


def checkpoints(folder: Path) -> list[Path]:
    """Paths of the checkpoints in a folder, oldest first."""
    return sorted(folder.glob("[0-9]*.npz"))


def newest_checkpoint(
    folder: Path, check: Callable[[Path, list[np.ndarray], dict[str, Any]], object] | None = None
) -> tuple[Path, list[np.ndarray], dict[str, Any]] | None:
    """Path, arrays and state of the newest readable checkpoint; None if there are no checkpoints.

    A damaged checkpoint is logged, and the previous one is used.

    Args:
        folder: the run's checkpoint folder.
        check: raises a RunError if what was read cannot be used.

    Raises:
        RunError: there are checkpoints, but none of them can be read.
    """
    paths = checkpoints(folder)
    for path in reversed(paths):
        try:
            arrays, state = read_checkpoint(path)
            if check is not None:
                check(path, arrays, state)
            return path, arrays, state
        except RunError as error:
            logger.info(str(error))
    if paths:
        raise RunError(
            f"{folder}: none of its checkpoints can be read. Use the best weights, or train again "
            "without --resume."
        )
    return None


def read_checkpoint(path: Path) -> tuple[list[np.ndarray], dict[str, Any]]:
    """The arrays of a checkpoint, in the order of the variables, and its state.

    Raises:
        RunError: the file is damaged.
    """
    try:
        with zipfile.ZipFile(path) as file:
            # Checks all bytes: numpy reads no further than an array's header says.
            if damaged := file.testzip():
                raise zipfile.BadZipFile(f"wrong checksum of {damaged}")
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[name] for name in sorted(file.files) if name != _STATE]
            state = json.loads(file[_STATE].tobytes())
        if not isinstance(state, dict):
            raise TypeError(f"{_STATE} is no JSON object")
        if any(a.dtype.kind == "f" and not np.isfinite(a).all() for a in arrays):
            raise ValueError("it has values that are not finite numbers")
    except Exception as error:  # Damaged archives raise many types of errors.
        raise RunError(f"{path}: the file is damaged ({error})") from error
    return arrays, state


def assign_arrays(arrays: Sequence[np.ndarray], variables: Variables, path: Path) -> None:
    """Assigns arrays to variables; if one does not match, none is assigned.

    They are matched by order, shape and dtype, as Keras numbers names within a process.

    Raises:
        RunError: the arrays are from a different model.
    """
    if len(arrays) != len(variables):
        raise RunError(
            f"{path}: from a different model: {len(arrays)} variables, expected {len(variables)}"
        )
    for array, variable in zip(arrays, variables, strict=True):
        found = f"{list(array.shape)} {array.dtype}"
        expected = f"{list(variable.shape)} {_dtype(variable)}"
        if found != expected:
            raise RunError(
                f"{path}: from a different model: {_name(variable)} is {found}, expected {expected}"
            )
    for array, variable in zip(arrays, variables, strict=True):
        variable.assign(array)


def _name(variable: keras.Variable | tf.Variable) -> str:
    return getattr(variable, "path", variable.name)


def _dtype(variable: keras.Variable | tf.Variable) -> str:
    return getattr(variable.dtype, "name", variable.dtype)  # A string in Keras.
