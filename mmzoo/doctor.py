"""`mmzoo doctor`: whether this machine can train, and what it trains on."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import time
from contextlib import redirect_stderr
from pathlib import Path
from typing import NamedTuple

from mmzoo.config import load_config
from mmzoo.devices import available_cores
from mmzoo.environment import machine, versions
from mmzoo.errors import MmzooError
from mmzoo.lazy import tf
from mmzoo.sources import catalogue, data_directories
from mmzoo.training.train import train

_LITTLE_SPACE = 1e9
_TINY = {
    "name": "doctor",
    "source": {"type": "dataset", "name": "digits"},
    "inputs": {
        "image": {
            "type": "image",
            "shape": [8, 8, 1],
            "encoder": {"type": "cnn", "filters": [16, 32], "padding": "same"},
        }
    },
    "heads": {"digit": {"type": "classification"}},
    "train": {"epochs": 5, "batch_size": 32, "optimizer": {"type": "adam", "learning_rate": 5e-3}},
}
_ENOUGH = 0.8  # The tiny net reaches about 0.95; a broken machine stays near 0.1.


class Finding(NamedTuple):
    """One thing that was looked at."""

    name: str
    ok: bool
    text: str


def examine() -> list[Finding]:
    """Looks at everything a training needs; the tiny training comes last."""
    return [
        Finding("versions", True, ", ".join(f"{name} {v}" for name, v in versions().items())),
        Finding("machine", True, f"{machine()['processor']}, {available_cores()} cores"),
        _devices(),
        _disk("run directory", Path.cwd()),
        _cache(),
        _training(),
    ]


def _devices() -> Finding:
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        return Finding("devices", True, ", ".join(str(d.get("device_name")) for d in details))
    built = "built with" if tf.test.is_built_with_cuda() else "built without"
    return Finding("devices", True, f"no GPU; TensorFlow is {built} CUDA")


def _disk(name: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    writable = os.access(folder, os.W_OK)
    text = f"{folder}: {free / 1e9:.1f} GB free{'' if writable else ', not writable'}"
    return Finding(name, writable and free > _LITTLE_SPACE, text)


def _cache() -> Finding:
    folders = ", ".join(str(folder) for folder in data_directories())
    here = [listing.name for listing in catalogue() if listing.bundled or listing.place]
    return Finding("data sets", True, f"{', '.join(here)} (looked in {folders})")


def _training() -> Finding:
    began = time.monotonic()
    try:
        with redirect_stderr(io.StringIO()):  # Its progress is not what was asked for.
            accuracy = _tiny_training()
    except MmzooError as error:
        return Finding("training", False, str(error))
    text = (
        f"a tiny net reads {100 * accuracy:.0f} % of digits after {time.monotonic() - began:.1f} s"
    )
    return Finding("training", accuracy >= _ENOUGH, text)


def _tiny_training() -> float:
    with tempfile.TemporaryDirectory() as folder:
        run = train(load_config(_TINY), run=Path(folder) / "run")
        return float(run.metrics()["test"]["digit"]["accuracy"])
