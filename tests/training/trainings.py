"""A small training with everything in it that a resume could lose, and the comparison of two runs.

It has dropout, batch norm, random augmentation, and a checkpoint after every few steps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any
from unittest.mock import patch

import h5py
import numpy as np

from mmzoo.checkpoint import checkpoints, read_checkpoint
from mmzoo.data.frame import Frame, table_of
from mmzoo.preprocessing import scan
from mmzoo.runs import Run
from mmzoo.training.loop import Loop
from mmzoo.training.tensorboard_log import EVENT_FILES, read_events
from mmzoo.training.train import train

CONFIG = {
    "name": "small",
    "source": {"type": "dataset", "name": "digits"},
    "inputs": {
        "image": {
            "type": "image",
            "shape": [8, 8, 1],
            "augment": [{"type": "rotation", "degrees": 10}],
            "encoder": {"type": "cnn", "filters": [4], "batch_norm": True, "dropout": 0.2},
        }
    },
    "heads": {"digit": {"type": "classification"}},
    "train": {
        "epochs": 3,
        "batch_size": 128,
        "log_steps": 3,
        "checkpoint_seconds": 0,
        "optimizer": {"type": "adam", "learning_rate": 1e-2},
    },
}
FROZEN_IMAGE = {
    "type": "image",
    "shape": [32, 32, 3],
    "encoder": {"type": "squeezenet", "weights": "none"},
}
"""An input with the smallest frozen encoder."""
STEPS_PER_EPOCH = 11  # 1,294 examples; the last batch is smaller.
TIMED = {"step/examples_per_second", "step/waiting_for_data", "seconds"}


class Crash(BaseException):
    """Ends a training like a lost process: no error handler catches it."""


def config(**changes: Any) -> dict[str, Any]:
    """CONFIG with other values: `train={"epochs": 2}` changes only the epochs."""
    return merged(CONFIG, changes)


def merged(tree: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    tree = deepcopy(tree)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(tree.get(key), dict)
        # Another type has other fields.
        complete = both and value.get("type", tree[key].get("type")) == tree[key].get("type")
        tree[key] = merged(tree[key], value) if complete else value
    return tree


@contextmanager
def crash_after_step(step: int) -> Iterator[None]:
    """Context in which a training crashes after so many steps."""
    take = Loop.train

    def train_steps(loop: Loop, batches: Any, steps: int) -> float:
        left = step - int(loop.updates.step.numpy())
        waited = take(loop, batches, min(steps, left))
        if steps >= left:
            raise Crash
        return waited

    with patch.object(Loop, "train", train_steps):
        yield


def train_with_crash(values: dict[str, Any], directory: Path, step: int) -> Run:
    """Trains, crashes after `step`, and resumes to the end."""
    try:
        with crash_after_step(step):
            train(values, run=directory)
    except Crash:
        return train(values, run=directory, resume=True)
    raise AssertionError("the training ended before it could crash")


def kept(run: Run) -> dict[str, Any]:
    """Everything that must be bit-identical after an uninterrupted and a resumed training."""
    arrays, state = read_checkpoint(checkpoints(run.last)[-1])
    found = {f"variable {index}": array.tobytes() for index, array in enumerate(arrays)}
    found |= {f"best {name}": values.tobytes() for name, values in weights(run).items()}
    found |= {f"state {name}": value for name, value in state.items() if name not in TIMED}
    found["history.csv"] = run.history_file.read_text()
    found["metrics.json"] = run.metrics_file.read_text()
    for split in ("train", "validation"):
        for tag, curve in read_scalars(run.logs / split).items():
            steps = [step for step, _ in curve]
            found[f"{split} {tag}"] = steps if tag in TIMED else repr(curve)  # As NaN is not NaN.
            assert steps == sorted(set(steps)), f"{split} {tag} runs back: {steps}"
    found["event tags"] = sorted(
        (str(path.parent.relative_to(run.logs)), value.tag, event.step)
        for path in run.logs.rglob(EVENT_FILES)
        for event in read_events(path)
        for value in event.summary.value
    )
    found["leftovers"] = [path.name for path in run.last.parent.rglob(".*")]
    return found


def read_scalars(directory: Path) -> dict[str, list[tuple[int, float]]]:
    """The curves in one split's directory, as TensorBoard draws them.

    Returns:
        Tag -> steps and values, in file order.
    """
    curves = defaultdict(list)
    for path in sorted(directory.glob(EVENT_FILES)):
        for event in read_events(path):
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    curves[value.tag].append((event.step, value.simple_value))
    return dict(curves)


def weights(run: Run) -> dict[str, np.ndarray]:
    """Every array of best.weights.h5, by its path."""
    found: dict[str, np.ndarray] = {}

    def take(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with h5py.File(run.best_weights) as file:
        file.visititems(take)
    assert found
    return found


def differences(run: Run, other: Run) -> list[str]:
    """Differences between two runs; empty if they are equal."""
    one, two = kept(run), kept(other)
    return sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))


def finite(run: Run) -> bool:
    """Whether everything that the run saved is finite."""
    saved = [array for path in checkpoints(run.last) for array in read_checkpoint(path)[0]]
    saved += weights(run).values() if run.best_weights.is_file() else []
    return all(np.isfinite(array).all() for array in saved)


REGRESSION = {
    "name": "numbers",
    "source": {"type": "synthetic"},
    "inputs": {
        "image": {
            "type": "image",
            "shape": [4, 4, 1],
            "encoder": {"type": "cnn", "filters": [2], "batch_norm": True},
        }
    },
    "heads": {"number": {"type": "regression", "dim": 1, "normalize": False}},
    "train": {"epochs": 3, "batch_size": 8, "log_steps": 1, "checkpoint_seconds": 0},
}
TOO_LARGE = 3e38  # A finite float32 whose square, and whose sum with its like, is infinite.


@contextmanager
def corrupt_rows(**rows: list[int]) -> Iterator[None]:
    """Trains on 44 rows. The given rows have labels of plus and minus TOO_LARGE."""
    random = np.random.RandomState(0)
    splits = {
        split: {
            "image": random.randint(0, 256, (count, 4, 4, 1)).astype("uint8"),
            "number": random.normal(size=(count, 1)),
        }
        for split, count in (("train", 44), ("validation", 16), ("test", 16))
    }
    for split, bad in rows.items():
        splits[split]["number"][bad, 0] = TOO_LARGE * (-1.0) ** np.arange(len(bad))
    frame = Frame(table_of(splits), "numbers", "0" * 64)
    with patch("mmzoo.training.train.load_frame", lambda config: scan(config, frame)):
        yield
