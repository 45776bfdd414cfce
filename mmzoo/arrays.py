"""Named arrays in files: NPZ archives that mmzoo wrote, read again with care."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from mmzoo.errors import RunError
from mmzoo.files import replacing
from mmzoo.lazy import np


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes an NPZ file, whole or not at all; equal arrays are equal files."""

    with replacing(path, suffix=".npz") as temporary:
        np.savez(temporary, allow_pickle=False, **dict(sorted(arrays.items())))


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file, by name; finite numbers all of them.

    Raises:
        RunError: there is no such file, or it is damaged.
    """

    if not path.is_file():
        raise RunError(f"{path}: there is no such file; the run was cut off early")
    try:
        with zipfile.ZipFile(path) as file:
            # All of it: numpy reads no further than an array's header tells it to.
            if damaged := file.testzip():
                raise zipfile.BadZipFile(f"{damaged} has another checksum than it was written with")
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:  # A damaged archive makes its readers raise almost anything.
        raise RunError(f"{path}: damaged, it cannot be used ({error})") from error
    for name, values in arrays.items():
        if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
            raise RunError(f"{path}: damaged: {name} does not hold finite numbers alone")
    return arrays
