"""Exact checkpoints: the full training state, written atomically.

A checkpoint holds every variable of the model (including the seeds of dropout, which Keras and
TensorFlow do not save), of the optimizer and of the metrics, and a small JSON state. The position
in the data is not saved: it is a function of the step. Frozen weights are in a file of their own,
which is written once and named by all checkpoints of a stage. Each file ends with its checksum.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.errors import RunError, TrainingError
from mmzoo.files import replacing
from mmzoo.lazy import keras, tf

logger = logging.getLogger(__name__)

_MAX_TO_KEEP = 2  # The older one is the fallback if the newer one is damaged.
_STATE, _FROZEN = "state", "frozen"
_CHECKSUM = 64
"""Length of the checksum at the end of a file, which is the comment of the zip archive."""

Variables = Sequence["keras.Variable | tf.Variable"]


@dataclass(frozen=True)
class FrozenFile:
    """A file of the variables that a stage of a training does not change."""

    name: str
    checksum: str
    indices: frozenset[int]
    """Which of all variables they are."""


def save_frozen(
    folder: Path, name: str, variables: Variables, indices: frozenset[int]
) -> FrozenFile:
    """Saves those of all variables that a stage does not change, for its checkpoints.

    Args:
        folder: the run's checkpoint folder.
        name: of the file.
        variables: all variables, as for `save_checkpoint`.
        indices: which of them to save.

    Raises:
        TrainingError: a value is not finite.
    """
    checksum = _write(folder / name, _arrays(variables, indices, "The frozen weights"))
    return FrozenFile(name, checksum, indices)


def save_checkpoint(
    folder: Path,
    step: int,
    variables: Variables,
    state: Mapping[str, Any],
    frozen: FrozenFile | None = None,
) -> Path:
    """Saves a checkpoint and deletes all but this one and the previous one.

    Args:
        folder: the run's checkpoint folder.
        step: number of completed steps.
        variables: all variables, in an order that a restarted training reproduces.
        state: further state; must be JSON-serializable.
        frozen: a file in the folder with some of the variables, which are left out here.

    Returns:
        The path of the checkpoint.

    Raises:
        TrainingError: a value is not finite. Earlier checkpoints stay.
    """
    path = folder / f"{step:012d}.npz"
    content: dict[str, Any] = {"step": step, **state}
    indices = set(range(len(variables)))
    if frozen is not None:
        indices -= frozen.indices
        content[_FROZEN] = {"file": frozen.name, "checksum": frozen.checksum}
    arrays = _arrays(variables, indices, f"Step {step}")
    arrays[_STATE] = np.frombuffer(json.dumps(content).encode(), np.uint8)
    _write(path, arrays)
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
        entries = _read(path)
        state = json.loads(entries.pop(_STATE).tobytes())
        if not isinstance(state, dict):
            raise TypeError(f"{_STATE} is no JSON object")
        if _FROZEN in state:
            frozen = state.pop(_FROZEN)
            entries |= _read(path.with_name(frozen["file"]), frozen["checksum"])
    except Exception as error:  # Damaged archives raise many types of errors.
        raise RunError(f"{path}: the file is damaged ({error})") from error
    return [entries[name] for name in sorted(entries)], state


def _arrays(variables: Variables, indices: Collection[int], where: str) -> dict[str, np.ndarray]:
    """The values of some variables, by their index with leading zeros."""
    arrays = {}
    for index in sorted(indices):
        array = np.asarray(variables[index].numpy())
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise TrainingError(
                f"{where}: {_name(variables[index])} is no longer finite, so this step was not "
                "saved. Try a smaller train.optimizer.learning_rate."
            )
        arrays[f"{index:06d}"] = array
    return arrays


def _write(path: Path, arrays: Mapping[str, np.ndarray]) -> str:
    """Writes an NPZ file that ends with the checksum of all bytes before it; returns that."""
    with replacing(path, suffix=".npz") as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.comment = bytes(_CHECKSUM)
        content = np.memmap(temporary, np.uint8, "r+")
        checksum = hashlib.sha256(content[:-_CHECKSUM].data).hexdigest()
        content[-_CHECKSUM:] = np.frombuffer(checksum.encode(), np.uint8)
        content.flush()
    return checksum


def _read(path: Path, expected: str | None = None) -> dict[str, np.ndarray]:
    """The arrays of a file, after all of its bytes are verified; may raise any exception.

    Args:
        path: the file.
        expected: its checksum; by default the one at its end.
    """
    content = np.memmap(path, np.uint8, "r")
    stored = content[-_CHECKSUM:].tobytes().decode("ascii", "replace")
    checksum = hashlib.sha256(content[:-_CHECKSUM].data).hexdigest()
    if checksum != stored or expected not in (None, checksum):
        raise ValueError(f"{path.name} has a wrong checksum")
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    if any(a.dtype.kind == "f" and not np.isfinite(a).all() for a in arrays.values()):
        raise ValueError("it has values that are not finite numbers")
    return arrays


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
