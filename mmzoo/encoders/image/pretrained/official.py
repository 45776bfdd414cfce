"""Weights files as their authors published them: where they are, where they come from."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from mmzoo.directories import data_directories, data_directory
from mmzoo.download import DownloadError, algorithm_of, digest_of, download
from mmzoo.errors import DataError

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
