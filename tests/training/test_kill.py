"""`mmzoo train` is killed by SIGKILL and restarted by the same command."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from trainings import differences

from mmzoo.checkpoint import checkpoints
from mmzoo.runs import Run

SECONDS = 2.0  # From the first checkpoint to the end, on a busy machine.


def killed(command: list[str], run: Run, seconds: float) -> bool:
    """Kills a training seconds after its first checkpoint; returns whether it was still running."""
    process = subprocess.Popen(
        [*command, str(run.directory)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    before = checkpoints(run.last)
    while checkpoints(run.last) == before and process.poll() is None:
        time.sleep(0.002)
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    else:
        assert process.returncode == 0, said.decode()
    return process.returncode == -signal.SIGKILL


def check_kills(command: list[str], uninterrupted: Run, folder: Path, kills: int, seed: int) -> int:
    """Kills a training over and over at random moments; returns how often within a save."""
    chance, torn = random.Random(seed), 0
    run, done, trials = Run(folder / "0"), 0, 1
    while done < kills:
        if killed(command, run, chance.uniform(0, SECONDS / kills)):
            done += 1
            torn += bool([path for path in os.listdir(run.last) if path.startswith(".")])
        else:
            assert differences(uninterrupted, run) == []
            run, trials = Run(folder / str(trials)), trials + 1
    subprocess.run([*command, str(run.directory)], check=True, capture_output=True)
    assert differences(uninterrupted, run) == []
    return torn


@pytest.mark.slow
def test_a_kill_at_a_random_moment_changes_nothing(command, uninterrupted, tmp_path):
    """Several interruptions of one training: test_exact_resume.py."""
    check_kills(command, uninterrupted, tmp_path, kills=1, seed=1)


@pytest.mark.slow
def test_many_kills_also_during_saves_change_nothing(command, uninterrupted, tmp_path):
    assert check_kills(command, uninterrupted, tmp_path, kills=20, seed=2) > 0
