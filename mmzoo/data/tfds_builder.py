"""Builders of TensorFlow Datasets: data sets prepared on disk, downloading them if necessary.

A prepared data set is described by its `features.json`, which names Python classes. As the package
would import any class, only descriptions with its own classes are accepted.
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
from mmzoo.spec.wording import describe, escape, shorten

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
    """Imports tensorflow_datasets.

    Raises:
        DataError: It is not installed.
    """
    _ = tf.__version__  # Our lazy import starts TensorFlow with fewer messages.
    try:
        import tensorflow_datasets
    except ImportError as error:
        raise DataError(
            "the source `tfds` needs the package tensorflow-datasets, which is an extra: run "
            f"`pip install 'mmzoo[tfds]'` ({error})."
        ) from error
    # It warns about deprecated names that only the package itself uses.
    logging.getLogger("absl").setLevel(logging.ERROR)
    return tensorflow_datasets


def set_name(name: str) -> str:
    """Validates a data set's name: `beans`, `beans:0.1.0` or `cifar10_corrupted/fog_1:1.0.0`.

    Raises:
        ValueError: It is another name, such as `huggingface:beans`, whose code would be downloaded
            and run.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            "expected a data set such as beans, beans:0.1.0 or cifar10_corrupted/fog_1; "
            f"got {describe(name)}"
        )
    return name


def split_name(name: str) -> str:
    """Validates the name of a split.

    Raises:
        ValueError: It is a slice, such as `train[:10%]`: two slices might overlap.
    """
    if not re.fullmatch(r"[A-Za-z0-9_.\-]+", name):
        raise ValueError(f"expected the name of a whole split; got {describe(name)}")
    return name


def load_builder(name: str, data_dir: str | None) -> DatasetBuilder:
    """The builder of a data set, which is downloaded and prepared if it is not on disk.

    Args:
        name: A name accepted by `set_name`.
        data_dir: The folder of prepared data sets; by default the package's own.

    Raises:
        DataError: The package is not installed, there is no such data set, or it cannot be
            prepared.
    """
    tfds = _package()
    given = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    folder = Path(given).expanduser().resolve()
    prepared = _find_prepared(folder, name) or _prepare(tfds, name, folder)
    _check_description(prepared / _DESCRIPTION)
    try:
        return tfds.builder_from_directory(prepared)
    except Exception as error:
        # A damaged description may raise any exception.
        raise DataError(
            f"{escape(str(prepared))}: not a prepared data set of TensorFlow Datasets, or damaged "
            f"({type(error).__name__}: {error}). Remove the folder and prepare it again."
        ) from error


def _find_prepared(folder: Path, name: str) -> Path | None:
    """The folder `<name>/<config>/<version>` on disk, by default of the newest version."""
    path, _, version = name.partition(":")
    versions = _versions(folder / path)
    if not versions and "/" not in path:
        configs = [
            config for config in _folders(folder / path) if _versions(folder / path / config)
        ]
        if len(configs) > 1:
            raise DataError(
                f"source.name: {escape(str(folder / path))} has several configurations. Choose "
                f"one: {', '.join(f'{path}/{escape(config)}' for config in sorted(configs))}."
            )
        versions = [found for config in configs for found in _versions(folder / path / config)]
    return next((found for found in versions if version in ("", found.name)), None)


def _versions(folder: Path) -> list[Path]:
    """The folders of prepared versions, the newest first."""
    names = [name for name in _folders(folder) if _VERSION.fullmatch(name)]
    names.sort(key=lambda name: [int(part) for part in name.split(".")], reverse=True)
    return [folder / name for name in names if (folder / name / _DESCRIPTION).is_file()]


def _folders(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir() if path.is_dir()]
    except OSError:
        return []


def _prepare(tfds: ModuleType, name: str, folder: Path) -> Path:
    not_here = f"data set {name} is not in {escape(str(folder))}"
    known = tfds.list_builders(with_community_datasets=False)
    own = re.split("[/:]", name)[0]
    if own not in known:
        near = difflib.get_close_matches(own, known, n=1)
        meant = f" Did you mean `{near[0]}`?" if near else ""
        raise DataError(
            f"source.name: {not_here}, and TensorFlow Datasets has no data set of that name."
            f"{meant} Set `source.data_dir` to the folder of a prepared one."
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
        # Every data set has its own code, which may need other packages, a login or a network.
        raise DataError(
            f"{not_here}, and TensorFlow Datasets cannot prepare it ({type(error).__name__}: "
            f"{error}). Prepare it on another machine with `tfds build {name}`, and set "
            "`source.data_dir` to the resulting folder."
        ) from error
    return Path(builder.data_dir)


def _check_description(path: Path) -> None:
    try:
        names = tuple(_class_names(json.loads(path.read_bytes())))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{escape(str(path))}: the file is damaged ({error}). Remove its folder and prepare "
            "the data set again."
        ) from error
    for name in names:
        if not name.startswith(_OWN_CLASSES):
            raise DataError(
                f"{escape(str(path))}: it names a Python class, {shorten(name)}, which is not "
                "one of TensorFlow Datasets. mmzoo runs no code that comes with data."
            )


def _class_names(description: Any) -> Iterator[str]:
    """Every Python class that a description names at any depth, including JSON within strings."""
    stack = [description]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            stack += value.values()
            named = (value.get(key) for key in ("pythonClassName", "python_class_name", "type"))
            yield from (name for name in named if isinstance(name, str))
        elif isinstance(value, list):
            stack += value
        elif isinstance(value, str) and value.lstrip().startswith(("{", "[")):
            stack.append(json.loads(value))
