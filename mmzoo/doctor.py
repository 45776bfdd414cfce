"""`mmzoo doctor`: checks that this machine can train."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path
from typing import NamedTuple

from mmzoo.config import load_config
from mmzoo.data import catalogue, data_directories, data_directory
from mmzoo.devices import available_cores
from mmzoo.environment import machine, versions
from mmzoo.lazy import tf
from mmzoo.training.train import train

_LITTLE_SPACE = 1e9
_TINY = Path(__file__).with_suffix(".yaml")
_ENOUGH = 0.8  # The tiny network reaches about 0.95, chance 0.1.
_NVIDIA_DEVICE = Path("/dev/nvidia0")


class Finding(NamedTuple):
    """The result of one check."""

    name: str
    ok: bool
    text: str
    fix: str = ""
    """What to do about a problem; empty if there is none."""


def examine() -> Iterator[Finding]:
    """Checks everything that a training needs; the last check trains."""
    yield _versions()
    yield Finding("machine", True, f"{machine()['processor']}, {available_cores()} cores")
    yield _devices()
    yield _run_directory(Path.cwd())
    yield _data_sets()
    yield _training()


def _versions() -> Finding:
    found = versions()
    text = ", ".join(f"{name} {version}" for name, version in found.items())
    missing = [name for name, version in found.items() if version == "not installed"]
    fix = f"pip install {' '.join(missing)}" if missing else ""
    return Finding("versions", not missing, text, fix)


def _devices() -> Finding:
    try:
        gpus = tf.config.list_physical_devices("GPU")
    except ImportError as error:
        fix = "pip install --force-reinstall tensorflow"
        return Finding("devices", False, f"TensorFlow cannot be imported: {error}", fix)
    if gpus:
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        return Finding("devices", True, ", ".join(str(d.get("device_name")) for d in details))
    if _NVIDIA_DEVICE.exists():
        fix = "pip install 'mmzoo[gpu]' installs CUDA; `nvidia-smi` shows whether the driver works"
        return Finding("devices", False, "there is an NVIDIA GPU, but TensorFlow finds none", fix)
    built = "with" if tf.test.is_built_with_cuda() else "without"
    return Finding("devices", True, f"no GPU; TensorFlow is built {built} CUDA")


def _run_directory(folder: Path) -> Finding:
    """Whether runs can be created in the current folder."""
    space, problem = _space(folder)
    fix = f"{problem}, or train from another folder" if problem else ""
    return Finding("run directory", not problem, f"{folder}: {space}", fix)


def _data_sets() -> Finding:
    """Which data sets are available, and whether others can be downloaded."""
    here = [listing.name for listing in catalogue() if listing.bundled or listing.place]
    looked_in = ", ".join(str(folder) for folder in data_directories())
    target = data_directory()
    existing = next(folder for folder in (target, *target.parents) if folder.is_dir())
    space, problem = _space(existing)
    text = f"{', '.join(here)} (searched {looked_in}); downloads go to {target}: {space}"
    fix = f"{problem}, or set MMZOO_DATA_DIR to another folder" if problem else ""
    return Finding("data sets", not problem, text, fix)


def _space(folder: Path) -> tuple[str, str]:
    """A description of a folder to write to, and how to fix it if it is unusable."""
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{text}, not writable", f"make {folder} writable"
    return text, "free some space" if free < _LITTLE_SPACE else ""


def _training() -> Finding:
    began = time.monotonic()
    try:
        with redirect_stderr(io.StringIO()):  # Its progress is of no interest here.
            accuracy = _tiny_training()
    except Exception as error:  # Whatever it is, other checks may explain it.
        lines = str(error).splitlines() or [""]
        fix = "the other problems first; then `mmzoo train configs/digits_cnn.yaml --device cpu`"
        return Finding("training", False, f"{type(error).__name__}: {lines[0]}", fix)
    seconds = time.monotonic() - began
    text = f"a tiny network reaches {100 * accuracy:.0f} % accuracy on digits in {seconds:.1f} s"
    if accuracy < _ENOUGH:
        fix = "arithmetic is wrong: try --device cpu, and other versions of TensorFlow"
        return Finding("training", False, text, fix)
    return Finding("training", True, text)


def _tiny_training() -> float:
    with tempfile.TemporaryDirectory() as folder:
        run = train(load_config(_TINY), run=Path(folder) / "run")
        return float(run.metrics()["test"]["digit"]["accuracy"])
