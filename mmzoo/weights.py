"""Weights files: written whole or not at all, and looked at before they are read.

A `.weights.h5` file can name other files, declare terabytes or hold the tree of another model. So
its tree is compared with the model's own before a byte of it is read.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mmzoo.errors import RunError, TrainingError
from mmzoo.files import replacing
from mmzoo.lazy import keras, np

if TYPE_CHECKING:
    import h5py

_OVERHEAD = 100_000  # Bytes of HDF5's own, for a model of a few dozen layers.
_MOST_LEVELS = 40
DAMAGE = (OSError, KeyError, RuntimeError, TypeError, ValueError)
"""What h5py raises for a file that is not as it was written."""
_MOST_DIFFERENCES = 3  # More of them would bury the message.

Tree = dict[str, tuple[tuple[int, ...], str]]
"""Each array's path in the file, with its shape and dtype."""


def save_weights(model: keras.Model, path: Path) -> None:
    """Writes the model's weights.

    Raises:
        TrainingError: a weight is not a finite number; the file stays as it was.
    """

    size = _OVERHEAD
    for variable in model.weights:
        values = np.asarray(variable.numpy())
        size += values.nbytes
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise TrainingError(f"{path}: not written, since {variable.path} is not finite")
    with replacing(path, suffix=".weights.h5") as temporary:
        _check_room(temporary, size)
        _bare(model).save_weights(temporary)


def _check_room(path: Path, size: int) -> None:
    """Raises an OSError where `size` bytes do not fit on the disk.

    HDF5 would find that out in the middle of the file, and complain of every object in it.
    """
    if not hasattr(os, "posix_fallocate"):
        return  # As on macOS.
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)


def load_weights(model: keras.Model, path: Path, *, more: bool = False) -> None:
    """Puts the weights of a file into a built model of the same shape.

    Args:
        model: the model.
        path: the file.
        more: whether the file may hold layers that the model has not.

    Raises:
        RunError: there is no such file, it is damaged, or it is not of this model.
    """
    import h5py

    if not path.is_file():
        raise RunError(f"{path}: there is no such weights file")
    expected = _expected_tree(model)
    try:
        with h5py.File(path, "r") as file:
            found = check_tree(file, path)
        if more:
            found = {place: array for place, array in found.items() if place in expected}
        if found == expected:
            _bare(model).load_weights(path)
    except DAMAGE as error:
        raise RunError(f"{path}: not a weights file, or a damaged one ({error})") from error
    if found != expected:
        raise RunError(f"{path}: not weights of this model: {_difference(expected, found)}")


def _bare(model: keras.Model) -> keras.Model:
    """The same layers without the optimizer, which Keras would write into the file too."""
    return keras.Model(model.inputs, model.outputs, name=model.name)


def _expected_tree(model: keras.Model) -> Tree:
    """The tree of a file that the model itself writes; kept in memory, not on the disk."""
    import io
    import tempfile

    import h5py

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        _bare(model).save_weights(path)
        content = path.read_bytes()
    with h5py.File(io.BytesIO(content), "r") as file:
        return check_tree(file, path)


def check_tree(file: h5py.File, path: Path) -> Tree:
    """The arrays of a file, none of which is read.

    Raises:
        RunError: the file holds something besides plain arrays in groups.
    """
    import h5py

    tree: Tree = {}
    seen = set()

    def walk(group: h5py.Group, prefix: str, level: int) -> None:
        if level > _MOST_LEVELS:
            raise RunError(f"{path}: refused, its groups are nested too deep")
        for name in group:
            place = f"{prefix}/{name}"
            if type(group.get(name, getlink=True)) is not h5py.HardLink:
                raise RunError(f"{path}: refused, {place} links to somewhere else")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:  # A few groups within one another may hold endless ways.
                raise RunError(f"{path}: refused, {place} has a second name")
            seen.add(address)
            if isinstance(item, h5py.Group):
                walk(item, place, level + 1)
            else:
                if problem := _storage_problem(item):
                    raise RunError(f"{path}: refused, {place} {problem}")
                tree[place] = (tuple(item.shape), item.dtype.str)

    walk(file, "", 0)
    return tree


def _storage_problem(item: h5py.Dataset | h5py.Datatype) -> str | None:
    """What makes reading an array's bytes do more than that."""
    import h5py

    if not isinstance(item, h5py.Dataset):
        return "is no array"
    if item.external or item.is_virtual:
        return "keeps its values in another file"
    # A chunk can be larger than its array: gigabytes of zeros, packed into a few kB.
    return None if item.chunks is None else "keeps its values in chunks"


def _difference(expected: Tree, found: Tree) -> str:
    missing = [f"{place} is missing" for place in expected.keys() - found.keys()]
    unknown = [f"{place} is not in the model" for place in found.keys() - expected.keys()]
    changed = [
        f"{place} is {list(found[place][0])} {found[place][1]}, "
        f"expected {list(expected[place][0])} {expected[place][1]}"
        for place in expected.keys() & found.keys()
        if expected[place] != found[place]
    ]
    all_of_them = sorted(missing) + sorted(unknown) + sorted(changed)
    more = len(all_of_them) - _MOST_DIFFERENCES
    shown = "; ".join(all_of_them[:_MOST_DIFFERENCES])
    return f"{shown}; and {more} more" if more > 0 else shown
