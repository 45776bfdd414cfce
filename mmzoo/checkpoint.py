"""Exact checkpoints: all that the next step depends on, in one file, there whole or not at all.

That is every variable of the model (weights and the seeds of dropout: no saver of Keras or
TensorFlow keeps those), of the optimizer and of the metrics, and a few numbers. The place in the
data needs no saving: it is a function of the step.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.errors import RunError
from mmzoo.files import replacing

if TYPE_CHECKING:
    import keras

_KEPT = 2  # The one before the newest serves if the newest turns out to be damaged.
_STATE = "state"


def save_checkpoint(
    folder: Path, step: int, variables: Sequence[keras.Variable], state: dict[str, Any]
) -> Path:
    """Writes the checkpoint of a step and removes all but the newest ones.

    Args:
        folder: the run's folder of checkpoints.
        step: steps done.
        variables: all variables, in an order that a rebuilt training has too.
        state: numbers beside them; must be JSON.
    """
    path = folder / f"{step:012d}.npz"
    arrays = {f"{index:06d}": np.asarray(v.numpy()) for index, v in enumerate(variables)}
    arrays[_STATE] = np.frombuffer(json.dumps({"step": step, **state}).encode(), np.uint8)
    with replacing(path, suffix=".npz") as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)
    for old in sorted(folder.glob("*.npz"))[:-_KEPT]:
        old.unlink()
    return path


def restore_checkpoint(
    folder: Path, variables: Sequence[keras.Variable], tell: Callable[[str], None]
) -> dict[str, Any] | None:
    """Puts the newest good checkpoint into the variables and returns its state.

    A damaged one is said, and the one before it taken. None if there is none at all.

    Raises:
        RunError: there are checkpoints, and none of them can be used.
    """
    paths = sorted(folder.glob("*.npz"), reverse=True)
    for path in paths:
        try:
            arrays, state = read_checkpoint(path)
        except RunError as error:
            tell(str(error))
            continue
        put_arrays(arrays, variables, path)
        return state
    if paths:
        raise RunError(f"{folder}: none of its {len(paths)} checkpoints can be read")
    return None


def read_checkpoint(path: Path) -> tuple[list[np.ndarray], dict[str, Any]]:
    """The arrays of a checkpoint in their order, and its state.

    Raises:
        RunError: the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:  # Every member's CRC is checked.
            arrays = [file[name] for name in sorted(file.files) if name != _STATE]
            state = json.loads(file[_STATE].tobytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RunError(f"{path}: damaged, it cannot be used ({error})") from error
    return arrays, state


def put_arrays(
    arrays: Sequence[np.ndarray], variables: Sequence[keras.Variable], path: Path
) -> None:
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
        shape = tuple(variable.shape)
        if array.shape != shape:
            raise RunError(
                f"{path}: of another training: {variable.path} is {list(array.shape)}, "
                f"expected {list(shape)}"
            )
    for array, variable in zip(arrays, variables, strict=True):
        variable.assign(array)
