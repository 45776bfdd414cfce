"""Weights files (`.weights.h5`): written atomically, and validated before they are read.

An HDF5 file can link to other files, declare terabytes of data or belong to a different model. So
its structure is compared with that of the model before any values are read. A checksum of all
values is stored with them, since HDF5 itself notices no damage there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from mmzoo.errors import RunError, TrainingError
from mmzoo.files import replacing
from mmzoo.lazy import keras, np

if TYPE_CHECKING:
    import h5py

_OVERHEAD = 100_000  # Bytes of HDF5 metadata for a model of a few dozen layers.
_MAX_DEPTH = 40
_MAX_OBJECTS = 10_000
"""Groups and arrays in a file; MobileNetV3, with many small layers, has fewer than 1,000."""
_CHECKSUM = "sha256"
"""The attribute of the file with the checksum of its values."""
HDF5_ERRORS = (OSError, KeyError, RuntimeError, TypeError, ValueError)
"""Exceptions that h5py raises for damaged files."""
_MAX_DIFFERENCES = 3  # In an error message.

Tree = dict[str, tuple[tuple[int, ...], str]]
"""Path of an array in the file -> its shape and dtype."""


def save_weights(model: keras.Model, path: Path) -> str:
    """Saves the model's weights.

    Returns:
        The checksum that is stored with them.

    Raises:
        TrainingError: a weight is not finite. An existing file stays as it is.
    """
    import h5py

    size = _OVERHEAD
    for variable in model.weights:
        values = np.asarray(variable.numpy())
        size += values.nbytes
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise TrainingError(f"{path}: not written, as {variable.path} is not finite")
    with replacing(path, suffix=".weights.h5") as temporary:
        _reserve_space(temporary, size)
        _without_optimizer(model).save_weights(temporary)
        with h5py.File(temporary, "r+") as file:
            checksum = _verified_checksum(file, read_tree(file, path), path)
            file.attrs[_CHECKSUM] = checksum
    return checksum


def copy_weights(source: Path, target: Path) -> str:
    """Copies a file that `save_weights` wrote, after its checksum is verified.

    Returns:
        The checksum.

    Raises:
        RunError: there is no such file, or it is damaged.
    """
    import h5py

    if not source.is_file():
        raise RunError(f"{source}: there is no such weights file")
    try:
        with h5py.File(source, "r") as file:
            checksum = _verified_checksum(file, read_tree(file, source), source)
            if file.attrs.get(_CHECKSUM) != checksum:
                raise RunError(f"{source}: damaged: its values differ from those that were saved")
    except HDF5_ERRORS as error:
        raise RunError(f"{source}: not a weights file, or a damaged one ({error})") from error
    with replacing(target, suffix=".weights.h5") as temporary:
        shutil.copyfile(source, temporary)
    return checksum


def _reserve_space(path: Path, size: int) -> None:
    """Raises an OSError if `size` bytes do not fit on the disk.

    HDF5 would notice it in the middle of the file and print errors for every object.
    """
    if not hasattr(os, "posix_fallocate"):
        return  # macOS and Windows.
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)


def load_weights(model: keras.Model, path: Path, *, more: bool = False) -> str | None:
    """Loads the weights of a file into a built model, which stays as it is if they are refused.

    Args:
        model: the model.
        path: the file.
        more: whether the file may contain layers that the model does not have.

    Returns:
        The checksum that was stored with the weights; None if the file was not written by
        `save_weights`, or by that of an older version.

    Raises:
        RunError: the file does not exist, is damaged, or is from a different model.
    """
    import h5py

    if not path.is_file():
        raise RunError(f"{path}: there is no such weights file")
    expected = _expected_tree(model)
    try:
        with h5py.File(path, "r") as file:
            everything = read_tree(file, path)
            found = everything
            if more:
                found = {key: array for key, array in everything.items() if key in expected}
            if found == expected:
                stored = file.attrs.get(_CHECKSUM)
                if stored not in (None, _verified_checksum(file, everything, path)):
                    raise RunError(f"{path}: damaged: its values differ from those that were saved")
        if found == expected:
            _without_optimizer(model).load_weights(path)
    except HDF5_ERRORS as error:
        raise RunError(f"{path}: not a weights file, or a damaged one ({error})") from error
    if found != expected:
        raise RunError(f"{path}: weights of a different model: {_difference(expected, found)}")
    return stored


def _verified_checksum(file: h5py.File, tree: Tree, path: Path) -> str:
    """The sha256 of the names, shapes, dtypes and values of all arrays.

    Raises:
        RunError: a value is not finite.
    """
    digest = hashlib.sha256()
    for name, (shape, dtype) in sorted(tree.items()):
        if file[name].id.get_storage_size() != file[name].nbytes:
            # HDF5 would read what is not in the file as zeros, terabytes of them.
            raise RunError(f"{path}: damaged: {name} is incomplete")
        values = np.ascontiguousarray(file[name][()])
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise RunError(f"{path}: damaged: {name} has values that are not finite numbers")
        digest.update(f"{name} {shape} {dtype} ".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def _without_optimizer(model: keras.Model) -> keras.Model:
    """The same model uncompiled, as Keras would save the optimizer too.

    A model with networks that its outputs do not need has all of them as `whole`.
    """
    whole = getattr(model, "whole", model)
    return keras.Model(whole.inputs, whole.outputs, name=model.name)


def _expected_tree(model: keras.Model) -> Tree:
    """The structure of a weights file of the model."""
    import io
    import tempfile

    import h5py

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        _without_optimizer(model).save_weights(path)
        content = path.read_bytes()
    with h5py.File(io.BytesIO(content), "r") as file:
        return read_tree(file, path)


def read_tree(file: h5py.File, path: Path) -> Tree:
    """The structure of a file, without reading values.

    Raises:
        RunError: the file contains anything but plain arrays in groups.
    """
    import h5py

    tree: Tree = {}
    seen: set[int] = set()

    def walk(group: h5py.Group, prefix: str, level: int) -> None:
        if level > _MAX_DEPTH:
            raise RunError(f"{path}: refused, its groups are nested too deeply")
        for name in group:
            key = f"{prefix}/{name}"
            if type(group.get(name, getlink=True)) is not h5py.HardLink:
                raise RunError(f"{path}: refused, {key} links to somewhere else")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if len(seen) > _MAX_OBJECTS:
                raise RunError(f"{path}: refused, it has more than {_MAX_OBJECTS:,} parts")
            if address in seen:  # Hard links can form cycles, with infinitely many paths.
                raise RunError(f"{path}: refused, {key} has a second name")
            seen.add(address)
            if isinstance(item, h5py.Group):
                walk(item, key, level + 1)
            else:
                if problem := _storage_problem(item):
                    raise RunError(f"{path}: refused, {key} {problem}")
                tree[key] = (tuple(item.shape), item.dtype.str)

    walk(file, "", 0)
    return tree


def _storage_problem(item: h5py.Dataset | h5py.Datatype) -> str | None:
    """Why reading the object would do more than read an array; None if it would not."""
    import h5py

    if not isinstance(item, h5py.Dataset):
        return "is not an array"
    if item.external or item.is_virtual:
        return "stores its values in another file"
    # A chunk can be larger than its array: gigabytes of zeros, compressed to a few kB.
    return None if item.chunks is None else "stores its values in chunks"


def _difference(expected: Tree, found: Tree) -> str:
    missing = [f"{key} is missing" for key in expected.keys() - found.keys()]
    unknown = [f"{key} is not in the model" for key in found.keys() - expected.keys()]
    changed = [
        f"{key} is {list(found[key][0])} {found[key][1]}, "
        f"expected {list(expected[key][0])} {expected[key][1]}"
        for key in expected.keys() & found.keys()
        if expected[key] != found[key]
    ]
    differences = sorted(missing) + sorted(unknown) + sorted(changed)
    more = len(differences) - _MAX_DIFFERENCES
    shown = "; ".join(differences[:_MAX_DIFFERENCES])
    return f"{shown}; and {more} more" if more > 0 else shown
