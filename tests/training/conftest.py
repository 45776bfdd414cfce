"""A training that tests interrupt in processes of its own, and how it ends uninterrupted."""

from __future__ import annotations

import subprocess
import sys

import pytest
from trainings import config

from mmzoo.config import load_config
from mmzoo.runs import Run
from mmzoo.spec import dump_yaml
from mmzoo.training.train import train

TRAIN = {
    "epochs": 5,
    "batch_size": 64,
    "ema": 0.9,
    "early_stopping": {"patience": 4},
    "optimizer": {"schedule": {"type": "cosine", "warmup": 0.1}, "learning_rate": 3e-3},
}


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command line that trains, started or resumed; the run directory comes last."""
    path = tmp_path_factory.mktemp("config") / "small.yaml"
    path.write_text(dump_yaml(load_config(config(train=TRAIN))))
    return [sys.executable, "-m", "mmzoo", "train", str(path), "--resume", "--run"]


@pytest.fixture(scope="session")
def uninterrupted(command: list[str], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The uninterrupted run of `command`."""
    run = Run(tmp_path_factory.mktemp("uninterrupted") / "run")
    subprocess.run([*command, str(run.directory)], check=True, capture_output=True)
    return run


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The finished run of `trainings.CONFIG`, which tests must not change."""
    return train(config(), run=tmp_path_factory.mktemp("small") / "run")
