"""Official ImageNet weights: download, verification and loading into a network."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from mmzoo.directories import data_directories, data_directory
from mmzoo.download import DownloadError, algorithm_of, digest_of, download
from mmzoo.errors import DataError, RunError
from mmzoo.lazy import keras, np
from mmzoo.weights import HDF5_ERRORS, load_weights, read_tree

if TYPE_CHECKING:
    import h5py

logger = logging.getLogger(__name__)


KERAS_STORE = "https://storage.googleapis.com"
"""Base URL of the weights of keras.applications."""


@dataclass(frozen=True)
class OfficialWeights:
    """Published weights file of a network without its classifier."""

    name: str
    """File name in every cache; for keras.applications, the name in Keras' own cache."""
    address: str
    """URL, or path below `KERAS_STORE`."""
    digest: str | None
    """Published SHA-256 or MD5 of the file, if any."""

    @property
    def url(self) -> str:
        is_url = self.address.startswith("https://")
        return self.address if is_url else f"{KERAS_STORE}/{self.address}"


def keras_storage_file(folder: str, name: str, digest: str | None) -> OfficialWeights:
    """Weights file of keras.applications that is cached under its published name."""
    return OfficialWeights(name, f"tensorflow/keras-applications/{folder}/{name}", digest)


def get_weights_file(official: OfficialWeights, network: str) -> Path:
    """Path of a weights file, downloaded if it is not on this machine.

    The file is looked up in `MMZOO_DATA_DIR`, in mmzoo's cache and in Keras' cache. Files with the
    wrong checksum are skipped.

    Args:
        official: the file.
        network: name of the network, for messages.

    Raises:
        DataError: the file is not on this machine and cannot be downloaded.
    """
    path = find_weights_file(official)
    if path is not None:
        return path
    target = data_directory() / "weights" / official.name
    try:
        download([official.url], target, None, official.digest)
    except DownloadError as error:
        raise _download_failure(official, network, _search_folders(), target, error) from error
    return target


def find_weights_file(official: OfficialWeights) -> Path | None:
    """Path of a weights file if it is on this machine, else None."""
    for folder in _search_folders():
        path = folder / official.name
        if not os.path.isfile(path):  # Also False if the folder is not accessible.
            continue
        problem = _digest_problem(path, official.digest)
        if problem is None:
            return path
        logger.info(f"{path} is skipped: {problem}")
    return None


def _search_folders() -> list[Path]:
    return [*(folder / "weights" for folder in data_directories()), _keras_cache()]


def _keras_cache() -> Path:
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path("~/.keras").expanduser()) / "models"


def _digest_problem(path: Path, digest: str | None) -> str | None:
    if digest is None:
        return None
    algorithm = algorithm_of(digest)
    try:
        found = digest_of(path, algorithm)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None if found == digest else f"its {algorithm} is {found}, expected {digest}"


def _download_failure(
    official: OfficialWeights,
    network: str,
    folders: list[Path],
    target: Path,
    error: DownloadError,
) -> DataError:
    tried = "\n".join(f"  {reason}" for reason in error.reasons)
    return DataError(
        f"cannot get the ImageNet weights of {network}: {official.name} is not in "
        f"{' nor in '.join(map(str, folders))}, and all downloads failed:\n{tried}\n"
        "To fix this, do one of the following:\n"
        f"  download {official.url} to {target.parent}\n"
        "  set the encoder's weights to the path of a weights file: `weights: FILE`\n"
        "  start from random weights: `weights: none` and `trainable: true`"
    )


_MAX_NAMES = 10_000
_MAX_DIFFERENCES = 3


def load_weights_file(path: Path, model: keras.Model, network: str) -> None:
    """Loads the weights of a file into a network.

    The file may include a classifier, which is ignored. No array is read before the structure of
    the file is verified: plain arrays only, with the expected shapes.

    Args:
        path: HDF5 file, in the legacy layout of Keras 2 or the layout of Keras 3.
        model: network without its classifier; layers without weights are skipped.
        network: name of the network, for messages.

    Raises:
        DataError: the file is missing or damaged, or belongs to another network.
    """
    import h5py

    if not path.is_file():
        raise DataError(
            f"weights: {path}: there is no such file; relative paths start at {Path.cwd()}"
        )
    try:
        with h5py.File(path, "r") as file:
            read_tree(file, path)
            # A complete model saved in one file has its weights in this group.
            group = file.get("model_weights", file)
            if not _has_names(group, "layer_names"):
                load_weights(model, path, more=True)
                return
            found = _layers_with_weights(group)
            if differences := _structure_differences(model, found):
                raise DataError(f"{path}: not weights of {network}: {differences}")
            for layer, (_, arrays) in zip(_layers_with_variables(model), found, strict=False):
                for variable, array in zip(layer.weights, arrays, strict=True):
                    values = array[()]
                    if not np.isfinite(values).all():
                        raise DataError(
                            f"{path}: damaged: {array.name} has values that are not finite numbers"
                        )
                    variable.assign(values)
    except RunError as error:
        raise DataError(str(error)) from error
    except HDF5_ERRORS as error:
        raise DataError(f"{path}: not a weights file, or a damaged one ({error})") from error


def _layers_with_variables(model: keras.Model) -> list[keras.Layer]:
    return [layer for layer in model.layers if layer.weights]


def _layers_with_weights(group: h5py.Group) -> list[tuple[str, list[h5py.Dataset]]]:
    """Name and arrays of each layer that has arrays, in the order of the model."""
    layers = []
    for name in _read_names(group, "layer_names"):
        layer = group[name]
        if arrays := [layer[weight] for weight in _read_names(layer, "weight_names")]:
            layers.append((name, arrays))
    return layers


def _has_names(group: h5py.Group, attribute: str) -> bool:
    return attribute in group.attrs or f"{attribute}0" in group.attrs


def _read_names(group: h5py.Group, attribute: str) -> list[str]:
    """A list of names, which Keras splits over several attributes if it is long."""
    names: list[str] = []
    parts = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs and attribute not in parts:
        parts.append(f"{attribute}{len(parts)}")
    for part in parts:
        if prod(group.attrs.get_id(part).shape) > _MAX_NAMES:
            raise ValueError(f"{part} has more names than a network can have layers")
        values = group.attrs[part]
        names += [value.decode() if isinstance(value, bytes) else str(value) for value in values]
    return names


def _structure_differences(model: keras.Model, found: list[tuple[str, list[h5py.Dataset]]]) -> str:
    """The first differences between the file and the model; an empty string if there are none."""
    expected = _layers_with_variables(model)
    differences = []
    if len(found) < len(expected):
        differences.append(
            f"it has {len(found)} layers with weights, expected {len(expected)} or more"
        )
    for index, (layer, (name, arrays)) in enumerate(zip(expected, found, strict=False), 1):
        shapes = [(array.shape, array.dtype.kind) for array in arrays]
        expected_shapes = [
            (tuple(weight.shape), _dtype_kind(weight.dtype)) for weight in layer.weights
        ]
        if shapes != expected_shapes:
            differences.append(
                f"layer {index}, {name}, is {_describe_shapes(shapes)}, expected "
                f"{_describe_shapes(expected_shapes)} as {layer.name} has"
            )
    more = len(differences) - _MAX_DIFFERENCES
    shown = "; ".join(differences[:_MAX_DIFFERENCES])
    return f"{shown}; and {more} more" if more > 0 else shown


def _dtype_kind(dtype: str) -> str:
    """Kind of a dtype as in numpy, `i` or `f`; its width does not matter."""
    return "i" if dtype.startswith("int") else "f"


def _describe_shapes(shapes: list[tuple[tuple[int, ...], str]]) -> str:
    kinds = {"f": "", "i": " of integers"}
    return ", ".join(
        f"{list(shape)}{kinds.get(kind, ' of another type')}" for shape, kind in shapes
    )
