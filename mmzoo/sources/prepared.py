"""Data sets as TensorFlow Datasets prepares them: found on the disk, or prepared there first.

What is on the disk is read by its description, `features.json`. That names Python classes, which
the package would import from anywhere, so only descriptions of its own classes are let through.
"""

from __future__ import annotations

import difflib
import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mmzoo.errors import DataError
from mmzoo.lazy import tf
from mmzoo.spec.wording import describe, printable, shorten

if TYPE_CHECKING:
    from tensorflow_datasets.core import DatasetBuilder

logger = logging.getLogger(__name__)

_NAME = re.compile(
    r"[a-z][a-z0-9_]*(/[A-Za-z0-9][A-Za-z0-9_.+\-]*)?(:[0-9]+\.[0-9]+\.[0-9]+)?", re.ASCII
)

_OWN_CLASSES = "tensorflow_datasets.core.features."
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
_DESCRIPTION = "features.json"


def _package() -> ModuleType:
    """The package tensorflow_datasets.

    Raises:
        DataError: It is not installed; says how to.
    """
    _ = tf.__version__  # Ours starts TensorFlow more quietly than the package does.
    try:
        import tensorflow_datasets
    except ImportError as error:
        raise DataError(
            "the source `tfds` needs the package tensorflow-datasets, which is an extra: run "
            f"`pip install 'mmzoo[tfds]'` ({error})."
        ) from error
    # It warns of old names that nobody but itself uses.
    logging.getLogger("absl").setLevel(logging.ERROR)
    return tensorflow_datasets


def set_name(name: str) -> str:
    """A data set's name: `beans`, `beans:0.1.0` or `cifar10_corrupted/fog_1:1.0.0`.

    Raises:
        ValueError: It is another, such as `huggingface:beans`, whose code would be fetched and run.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            "expected a data set such as beans, beans:0.1.0 or cifar10_corrupted/fog_1; "
            f"got {describe(name)}"
        )
    return name


def split_name(name: str) -> str:
    """The name of a split.

    Raises:
        ValueError: It is a part of one, such as `train[:10%]`: two of those might overlap.
    """
    if not re.fullmatch(r"[A-Za-z0-9_.\-]+", name):
        raise ValueError(f"expected the name of a whole split; got {describe(name)}")
    return name


def builder_of(name: str, data_dir: str | None) -> DatasetBuilder:
    """What reads a data set, which is downloaded and prepared if it is not on the disk.

    Args:
        name: As `set_name` has it.
        data_dir: The folder of prepared data sets; None is the package's own.

    Raises:
        DataError: The package is not installed, there is no such data set, or it cannot be had.
    """
    tfds = _package()
    given = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    folder = Path(given).expanduser().resolve()
    place = _place(folder, name) or _prepare(tfds, name, folder)
    _check_description(place / _DESCRIPTION)
    try:
        return tfds.builder_from_directory(place)
    except Exception as error:
        # A damaged description raises whatever its reader stumbles over.
        raise DataError(
            f"{printable(str(place))}: not a data set that TensorFlow Datasets has prepared, or a "
            f"damaged one ({type(error).__name__}: {error}). Remove the folder and prepare it anew."
        ) from error


def _place(folder: Path, name: str) -> Path | None:
    """The folder `<name>/<config>/<version>` on the disk, of the newest version if none is said."""
    path, _, version = name.partition(":")
    versions = _versions(folder / path)
    if not versions and "/" not in path:
        configs = [
            config for config in _folders(folder / path) if _versions(folder / path / config)
        ]
        if len(configs) > 1:
            raise DataError(
                f"source.name: {printable(str(folder / path))} has several configurations. Choose "
                f"one: {', '.join(f'{path}/{printable(config)}' for config in sorted(configs))}."
            )
        versions = [found for config in configs for found in _versions(folder / path / config)]
    return next((found for found in versions if version in ("", found.name)), None)


def _versions(folder: Path) -> list[Path]:
    """Newest first."""
    names = [name for name in _folders(folder) if _VERSION.fullmatch(name)]
    names.sort(key=lambda name: [int(part) for part in name.split(".")], reverse=True)
    return [folder / name for name in names if (folder / name / _DESCRIPTION).is_file()]


def _folders(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return []


def _prepare(tfds: ModuleType, name: str, folder: Path) -> Path:
    not_here = f"data set {name} is not in {printable(str(folder))}"
    known = tfds.list_builders(with_community_datasets=False)
    own = re.split("[/:]", name)[0]
    if own not in known:
        near = difflib.get_close_matches(own, known, n=1)
        meant = f" Did you mean `{near[0]}`?" if near else ""
        raise DataError(
            f"source.name: {not_here}, and TensorFlow Datasets has none of that name.{meant} "
            "`source.data_dir` may say where a prepared one is."
        )
    if os.environ.get("MMZOO_OFFLINE", "0") not in ("", "0"):
        raise DataError(f"{not_here}, and MMZOO_OFFLINE is set, so nothing is downloaded.")
    logger.info(f"{not_here}: TensorFlow Datasets downloads and prepares it there")
    try:
        with redirect_stdout(sys.stderr):  # It prints its progress.
            builder = tfds.builder(name, data_dir=folder, try_gcs=False)
            builder.download_and_prepare(
                download_config=tfds.download.DownloadConfig(try_download_gcs=False)
            )
    except Exception as error:
        # Each data set has code of its own, which may need other packages, a login, a network.
        raise DataError(
            f"{not_here}, and TensorFlow Datasets cannot prepare it ({type(error).__name__}: "
            f"{error}). Prepare it where that can be done, by `tfds build {name}`, and set "
            "`source.data_dir` to the folder that it is in then."
        ) from error
    return Path(builder.data_dir)


def _check_description(path: Path) -> None:
    try:
        names = tuple(_class_names(json.loads(path.read_bytes())))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{printable(str(path))}: the file is damaged ({error}). Remove its folder and prepare "
            "the data set anew."
        ) from error
    for name in names:
        if not name.startswith(_OWN_CLASSES):
            raise DataError(
                f"{printable(str(path))}: it names a Python class, {shorten(name)}, which is not "
                "one of TensorFlow Datasets. mmzoo runs no code that comes with data."
            )


def _class_names(description: Any) -> Iterator[str]:
    """Every Python class that a description names, however deep: also in texts that are JSON."""
    waiting = [description]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
            named = (value.get(key) for key in ("pythonClassName", "python_class_name", "type"))
            yield from (name for name in named if isinstance(name, str))
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and value.lstrip().startswith(("{", "[")):
            waiting.append(json.loads(value))
