"""ImageNet weights: downloaded from their official address, checked, read into a network."""

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
from mmzoo.lazy import keras
from mmzoo.weights import DAMAGE, check_tree, load_weights

if TYPE_CHECKING:
    import h5py

logger = logging.getLogger(__name__)


KERAS_STORE = "https://storage.googleapis.com"
"""Where keras.applications has its weights."""


@dataclass(frozen=True)
class OfficialWeights:
    """A published weights file, of a network without its classifier."""

    name: str
    """The file's name wherever it is kept; for keras.applications, that in Keras' own cache."""
    address: str
    """A path below `KERAS_STORE`, or a whole address."""
    digest: str | None
    """Its sha256 or md5, whichever was published with it, if one was."""

    @property
    def url(self) -> str:
        is_whole = self.address.startswith("https://")
        return self.address if is_whole else f"{KERAS_STORE}/{self.address}"


def in_keras_store(folder: str, name: str, digest: str | None) -> OfficialWeights:
    """A file that is kept under the name that it is published by."""
    return OfficialWeights(name, f"tensorflow/keras-applications/{folder}/{name}", digest)


def obtain(official: OfficialWeights, network: str) -> Path:
    """The file's path, wherever it is; downloaded if it is nowhere.

    It is looked for in `MMZOO_DATA_DIR`, in mmzoo's cache and in Keras' own. Files that are not
    the published one are passed over.

    Args:
        official: the file.
        network: whose weights it has, for the messages.

    Raises:
        DataError: it is nowhere here and cannot be downloaded.
    """
    path = found(official)
    if path is not None:
        return path
    target = data_directory() / "weights" / official.name
    try:
        download([official.url], target, None, official.digest)
    except DownloadError as error:
        raise _unobtainable(official, network, _folders(), target, error) from error
    return target


def found(official: OfficialWeights) -> Path | None:
    """The file's path, if it is on this machine. Arguments are those of `obtain`."""
    for folder in _folders():
        path = folder / official.name
        if not os.path.isfile(path):  # False too where a folder may not be entered.
            continue
        problem = _problem(path, official.digest)
        if problem is None:
            return path
        logger.info(f"{path} is passed over: {problem}")
    return None


def _folders() -> list[Path]:
    return [*(folder / "weights" for folder in data_directories()), _keras_cache()]


def _keras_cache() -> Path:
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path("~/.keras").expanduser()) / "models"


def _problem(path: Path, digest: str | None) -> str | None:
    if digest is None:
        return None
    algorithm = algorithm_of(digest)
    try:
        found = digest_of(path, algorithm)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None if found == digest else f"its {algorithm} is {found}, expected {digest}"


def _unobtainable(
    official: OfficialWeights,
    network: str,
    folders: list[Path],
    target: Path,
    error: DownloadError,
) -> DataError:
    tried = "\n".join(f"  {reason}" for reason in error.reasons)
    return DataError(
        f"the ImageNet weights of {network} cannot be had: {official.name} is not in "
        f"{' nor in '.join(map(str, folders))}, and no download of it succeeded:\n{tried}\n"
        "To mend it, one of:\n"
        f"  put {official.name} into {target.parent}; it is at {official.url}\n"
        "  give the path of a weights file to the encoder: `weights: FILE`\n"
        "  begin with random weights: `weights: none`, and `trainable: true` with them"
    )


_MOST_NAMES = 10_000
_MOST_DIFFERENCES = 3


def load_weights_file(path: Path, model: keras.Model, network: str) -> None:
    """Puts the weights of a file into a network.

    The file may have a classifier too, which the network lacks. Nothing is read before the file's
    tree is known to hold plain arrays only, and all that are wanted in their right shapes.

    Args:
        path: the file, in either layout.
        model: the network without its classifier, and perhaps with layers that have no weights.
        network: what the network is called, for the messages.

    Raises:
        DataError: there is no such file, it is damaged, or it is of another network.
    """
    import h5py

    if not path.is_file():
        raise DataError(
            f"weights: {path}: there is no such file; the path is relative to {Path.cwd()}"
        )
    try:
        with h5py.File(path, "r") as file:
            check_tree(file, path)
            # A whole model, saved in one file, has its weights in a group of this name.
            group = file.get("model_weights", file)
            if not _has_names(group, "layer_names"):
                load_weights(model, path, more=True)
                return
            found = _layers_with_weights(group)
            if differences := _differences(model, found):
                raise DataError(f"{path}: not weights of {network}: {differences}")
            for layer, (_, arrays) in zip(_weighted(model), found, strict=False):
                for variable, array in zip(layer.weights, arrays, strict=True):
                    variable.assign(array[()])
    except RunError as error:
        raise DataError(str(error)) from error
    except DAMAGE as error:
        raise DataError(f"{path}: not a weights file, or a damaged one ({error})") from error


def _weighted(model: keras.Model) -> list[keras.Layer]:
    return [layer for layer in model.layers if layer.weights]


def _layers_with_weights(group: h5py.Group) -> list[tuple[str, list[h5py.Dataset]]]:
    """The name and the arrays of each layer that has any, in the order of the model."""
    layers = []
    for name in _names(group, "layer_names"):
        layer = group[name]
        if arrays := [layer[weight] for weight in _names(layer, "weight_names")]:
            layers.append((name, arrays))
    return layers


def _has_names(group: h5py.Group, attribute: str) -> bool:
    return attribute in group.attrs or f"{attribute}0" in group.attrs


def _names(group: h5py.Group, attribute: str) -> list[str]:
    """A list of names, which Keras spreads over several attributes where it is long."""
    names: list[str] = []
    parts = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs and attribute not in parts:
        parts.append(f"{attribute}{len(parts)}")
    for part in parts:
        if prod(group.attrs.get_id(part).shape) > _MOST_NAMES:
            raise ValueError(f"{part} has more names than any network has layers")
        values = group.attrs[part]
        names += [value.decode() if isinstance(value, bytes) else str(value) for value in values]
    return names


def _differences(model: keras.Model, found: list[tuple[str, list[h5py.Dataset]]]) -> str:
    """The first of what the file has otherwise; nothing where it fits."""
    expected = _weighted(model)
    differences = []
    if len(found) < len(expected):
        differences.append(
            f"it has {len(found)} layers with weights, expected {len(expected)} or more"
        )
    for place, (layer, (name, arrays)) in enumerate(zip(expected, found, strict=False), 1):
        shapes = [(array.shape, array.dtype.kind) for array in arrays]
        wanted = [(tuple(weight.shape), _kind(weight.dtype)) for weight in layer.weights]
        if shapes != wanted:
            differences.append(
                f"layer {place}, {name}, is {_words(shapes)}, expected {_words(wanted)} as "
                f"{layer.name} has"
            )
    more = len(differences) - _MOST_DIFFERENCES
    shown = "; ".join(differences[:_MOST_DIFFERENCES])
    return f"{shown}; and {more} more" if more > 0 else shown


def _kind(dtype: str) -> str:
    """numpy's letter for floats and for integers, whose width does not matter."""
    return "i" if dtype.startswith("int") else "f"


def _words(shapes: list[tuple[tuple[int, ...], str]]) -> str:
    kinds = {"f": "", "i": " of integers"}
    return ", ".join(f"{list(shape)}{kinds.get(kind, ' of no numbers')}" for shape, kind in shapes)
