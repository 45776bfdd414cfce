"""A failed write ends the training with a clear message and loses nothing saved."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from trainings import config, differences

from mmzoo.checkpoint import checkpoints, read_checkpoint
from mmzoo.errors import DataError, TrainingError
from mmzoo.runs import Run
from mmzoo.training.train import train

VALUES = config(train={"epochs": 2, "log_steps": 4})


@pytest.mark.slow
def test_a_real_limit_on_the_size_of_files(command, tmp_path):
    """The kernel itself refuses the bytes, in the middle of a checkpoint."""
    run = Run(tmp_path / "run")
    wide = ["--set", "inputs.image.encoder.filters=[512]", "--set", "train.epochs=2"]
    whole_command = [*command, str(run.directory), *wide]
    process = subprocess.Popen(
        whole_command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    while len(checkpoints(run.last)) < 2 and process.poll() is None:
        time.sleep(0.005)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (300_000, 300_000))
    _, said = process.communicate()
    assert process.returncode == 1
    last = said.splitlines()[-1]
    assert last.startswith(f"Error: {run.last}/")
    assert last.endswith(
        ".npz: cannot be written: File too large. Earlier checkpoints are unchanged. Free some "
        "space or fix the permissions, then continue with the same command and --resume "
        f"--run {run.directory}."
    )
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert sorted(os.listdir(run.last)) == [path.name for path in checkpoints(run.last)]
    for path in checkpoints(run.last):
        read_checkpoint(path)


@pytest.mark.slow
def test_a_full_disk_is_found_before_weights_are_written(tmp_path):
    """HDF5 would print errors for each object itself, past every handler."""
    path = tmp_path / "model.weights.h5"
    code = f"""
import resource
from pathlib import Path
from mmzoo.lazy import keras
from mmzoo.weights import save_weights
model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(100)])
save_weights(model, Path({str(path)!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    save_weights(model, Path({str(path)!r}))
except OSError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"[Errno {errno.EFBIG}] File too large: '{path}'\n"
    assert done.stderr == ""
    assert os.listdir(tmp_path) == [path.name]


def test_data_that_cannot_be_read_is_not_a_full_disk(tmp_path):
    error = OSError(errno.EIO, os.strerror(errno.EIO), "digits.csv")
    with (
        patch("mmzoo.training.train.load_frame", side_effect=error),
        pytest.raises(DataError) as caught,
    ):
        train(VALUES, run=tmp_path / "run")
    assert str(caught.value) == "digits.csv: Input/output error, while the data was read"


@contextmanager
def failing(call: str, number: int, code: int) -> Iterator[None]:
    """Context in which call `number` of `os.fsync` or `os.replace` fails."""
    function, count = getattr(os, call), 0

    def counted(*arguments: Any) -> None:
        nonlocal count
        count += 1
        if count == number:
            raise OSError(code, os.strerror(code))
        function(*arguments)

    with patch(f"os.{call}", counted):
        yield


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(VALUES, run=tmp_path_factory.mktemp("whole") / "run")


def check_failure(uninterrupted: Run, directory: Path, call: str, number: int, code: int) -> None:
    run = Run(directory)
    with failing(call, number, code), pytest.raises(TrainingError) as caught:
        train(VALUES, run=directory)
    assert str(caught.value).startswith(f"{directory}/")
    assert os.strerror(code) in str(caught.value)
    assert f"--resume --run {directory}." in str(caught.value)
    for path in checkpoints(run.last):
        read_checkpoint(path)
    assert differences(uninterrupted, train(VALUES, run=directory, resume=True)) == []


@pytest.mark.parametrize(
    ("call", "number"),
    [
        ("fsync", 1),
        *(
            pytest.param(*one, marks=pytest.mark.slow)
            for one in (("replace", 3), ("replace", 7), ("fsync", 11))
        ),
    ],
)
def test_a_failed_write_loses_nothing(uninterrupted, tmp_path, call, number):
    check_failure(uninterrupted, tmp_path / "run", call, number, errno.ENOSPC)


@pytest.mark.slow
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_no_failed_write_loses_anything(uninterrupted, tmp_path, code):
    """Every write of a training: files, names and folders."""
    for call, most in (("fsync", 24), ("replace", 12)):
        for number in range(1, most + 1):
            check_failure(uninterrupted, tmp_path / f"{call}{number}", call, number, code)
