"""A run with two inputs: one determines every target, the other is noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars
import pytest

from mmzoo import train
from mmzoo.evaluation.evaluate_run import Evaluated, evaluate_run
from mmzoo.runs import Run

COLOURS = ("red", "green", "blue")
ENCODER = {"type": "embedding", "dim": 8}
GUESS = {
    "name": "guess",
    "inputs": {
        name: {
            "type": "text",
            "length": 2,
            "missing": "learned",
            "modality_dropout": 0.3,
            "encoder": ENCODER,
        }
        for name in ("clue", "noise")
    },
    "heads": {
        "colour": {"type": "classification"},
        "warm": {"type": "binary"},
        "tags": {"type": "multilabel"},
        "price": {"type": "regression"},
    },
    "train": {
        "epochs": 12,
        "batch_size": 32,
        "optimizer": {"type": "adam", "learning_rate": 0.03},
    },
}
"""A head of each type; the clue determines every target, the noise none."""


def table(path: Path, rows: int = 400) -> Path:
    random = np.random.RandomState(0)
    colour = random.randint(0, 3, rows)
    clue = [f"{COLOURS[one]} {random.choice(['thing', 'one'])}" for one in colour]
    columns = {
        "clue": clue,
        "noise": [f"word{one}" for one in random.randint(0, 5, rows)],
        "colour": [COLOURS[one] for one in colour],
        "warm": [("no", "yes")[int(one == 0)] for one in colour],
        "tags": [("a", "a|b", "b")[one] for one in colour],
        "price": (10.0 * colour + random.rand(rows)).round(3).tolist(),
    }
    polars.DataFrame(columns).write_csv(path)
    return path


@pytest.fixture(scope="session")
def clue_run(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("guess")
    source = {"type": "table", "path": str(table(folder / "guess.csv")), "split": {"test": 0.4}}
    return train({**GUESS, "source": source}, run=folder / "run")


@pytest.fixture(scope="session")
def compared_run(clue_run) -> Evaluated:
    """All comparisons of its inputs."""
    return evaluate_run(
        clue_run,
        split="test",
        checkpoint="best",
        device="cpu",
        modalities=True,
        robustness=True,
    )
