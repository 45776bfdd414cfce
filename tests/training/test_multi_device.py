"""Several devices train what one device trains, and resume as exactly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trainings import (
    FROZEN_IMAGE,
    REGRESSION,
    STEPS_PER_EPOCH,
    config,
    differences,
    finite,
    merged,
    read_scalars,
    weights,
)

from mmzoo.checkpoint import checkpoints, read_checkpoint
from mmzoo.evaluation.evaluate_run import evaluate
from mmzoo.model import build_model
from mmzoo.order import epoch_order
from mmzoo.runs import Run
from mmzoo.trained_model import load_trained
from mmzoo.training.train import train

SCRIPT = Path(__file__).with_name("train_on_devices.py")


def train_on(devices: int, jobs: dict[str, dict[str, Any]], folder: Path) -> dict[str, str | None]:
    """Runs all jobs in one process, each in the directory of its name; returns their errors."""
    for name, job in jobs.items():
        job["directory"] = str(folder / name)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(devices)],
        input=json.dumps(list(jobs.values())),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return dict(zip(jobs, json.loads(done.stdout), strict=True))


# Each example's loss alone decides a step: no batch norm, no dropout. Clipping and accumulation
# must see the gradient of the whole batch, and a step more than a device's share.
PLAIN = config(
    inputs={"image": {"encoder": {"batch_norm": False, "dropout": 0.0}}},
    train={
        "epochs": 2,
        "log_steps": 1,
        "accumulate": 2,
        "optimizer": {"type": "sgd", "learning_rate": 0.1, "clip_norm": 0.5},
    },
)
EVERYTHING = config(
    train={
        "ema": 0.9,
        "accumulate": 2,
        "non_finite": "skip",
        "mixing": {"type": "mixup"},
        "evaluation_batch_size": 30,  # 144 rows in ten parts, not all alike.
        "optimizer": {"type": "adamw", "schedule": {"type": "cosine"}},
    },
)
NUMBERS = {"type": "tabular", "missing": "learned", "modality_dropout": 0.3}
# Its negatives must be those of the whole batch, of which some lack an input.
CONTRASTIVE = {
    "name": "pairs",
    "source": {"type": "synthetic", "rows": 64},
    "inputs": {
        name: {**NUMBERS, "columns": {name: "number"}, "encoder": {"type": "mlp", "units": [4]}}
        for name in ("a", "b", "c")
    },
    "heads": {
        "pair": {"type": "contrastive", "inputs": ["a", "b", "c"], "dim": 3},
        "match": {"type": "contrastive", "inputs": ["a", "b"], "dim": 3, "loss": "sigmoid"},
        "same": {"type": "contrastive", "inputs": ["a", "c"], "dim": 3, "labels": "kind"},
        "kind": {"type": "classification"},
    },
    "train": {
        "epochs": 2,
        "batch_size": 8,
        "log_steps": 1,
        "optimizer": {"type": "sgd", "learning_rate": 0.1},
    },
}
SPOILT_ROW = int(epoch_order(0, 0, 44)[8 + 6])  # In the second device's part of the second step.
JOBS: dict[str, dict[str, Any]] = {
    "plain": {"values": PLAIN},
    "contrastive": {"values": CONTRASTIVE},
    "whole": {"values": EVERYTHING},
    "resumed": {"values": EVERYTHING, "crash": STEPS_PER_EPOCH + 5},
    "odd batch": {"values": merged(PLAIN, {"train": {"batch_size": 127}})},
    "xla": {"values": merged(PLAIN, {"train": {"xla": True}})},
}
RARE_JOBS: dict[str, dict[str, Any]] = {
    "odd rows": {"values": merged(PLAIN, {"source": {"validation": 0.101}})},
    "spoilt": {"values": REGRESSION, "spoilt": [SPOILT_ROW]},
    "skipped": {
        "values": merged(REGRESSION, {"train": {"non_finite": "skip"}}),
        "spoilt": [SPOILT_ROW],
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("devices")


@pytest.fixture(scope="module")
def errors(folder: Path) -> dict[str, str | None]:
    return train_on(2, JOBS, folder)


@pytest.fixture(scope="module")
def rare_errors(folder: Path) -> dict[str, str | None]:
    return train_on(2, RARE_JOBS, folder)


@pytest.mark.parametrize(
    ("name", "values"),
    [("plain", PLAIN), ("contrastive", CONTRASTIVE)],
    ids=["plain", "contrastive"],
)
def test_two_devices_match_one(name, values, errors, folder, tmp_path):
    assert errors[name] is None
    one, two = train(values, run=tmp_path / "one"), Run(folder / name)
    assert two.environment()["device"]["replicas"] == 2
    for tag in ("step/loss", "step/gradient_norm", "step/learning_rate"):
        curves = [read_scalars(run.logs / "train")[tag] for run in (one, two)]
        np.testing.assert_allclose(*curves, rtol=1e-4, atol=1e-5)
    for row_of_one, row_of_two in zip(one.history(), two.history(), strict=True):
        assert row_of_two == pytest.approx(row_of_one, rel=1e-4)
    for name, values in weights(one).items():
        np.testing.assert_allclose(weights(two)[name], values, rtol=1e-3, atol=1e-5)


def test_two_devices_resume_exactly(errors, folder):
    assert (errors["whole"], errors["resumed"]) == (None, None)
    assert differences(Run(folder / "whole"), Run(folder / "resumed")) == []


def test_weights_of_two_devices_work_on_one(errors, folder):
    """Batch norm statistics are the validated ones, not those of the first device."""
    run = Run(folder / "whole")
    best = max(run.history(), key=lambda row: row["validation_digit_accuracy"])
    here = evaluate(run, split="validation")
    assert here["loss"] == pytest.approx(best["validation_loss"], rel=3e-6)
    assert here["digit"]["accuracy"] == pytest.approx(best["validation_digit_accuracy"])


def test_last_weights_of_two_devices_are_the_validated_ones(errors, folder):
    run = Run(folder / "whole")
    last = run.history()[-1]
    here = evaluate(run, split="validation", checkpoint="last")
    assert here["loss"] == pytest.approx(last["validation_loss"], rel=3e-6)


def test_dropout_differs_by_device(errors, folder):
    arrays, _ = read_checkpoint(checkpoints(Run(folder / "whole").last)[-1])
    first, second = (a for a in arrays if a.dtype.kind in "iu" and a.shape == (2,))
    assert second[0] == first[0] + 1


@pytest.mark.slow
def test_rows_that_cannot_be_divided_equally_are_skipped(rare_errors, folder):
    assert rare_errors["odd rows"] is None
    run = Run(folder / "odd rows")
    rows = run.environment()["data"]["examples"]["train"]
    assert rows % 128 % 2 == 1
    assert run.history()[-1]["step"] == 2 * -(-rows // 128)
    left_out = f"Note: 1 of {rows:,} training examples are left out of each epoch"
    assert left_out in run.log_file.read_text()


def test_an_indivisible_batch_is_refused(errors):
    expected = "train.batch_size: expected a multiple of the 2 devices, got 127"
    assert errors["odd batch"] == expected


def test_xla_is_refused(errors):
    expected = "train.xla: expected false or auto on 2 devices, as XLA supports only one"
    assert errors["xla"] == expected


@pytest.mark.slow
def test_non_finite_values_on_one_device_count_for_all(rare_errors, folder):
    message = rare_errors["spoilt"]
    assert message is not None
    assert message.startswith("Step 2 (epoch 1, batch 2): the loss or a gradient is not a finite")
    assert str(SPOILT_ROW) in message
    assert finite(Run(folder / "spoilt"))
    assert rare_errors["skipped"] is None
    assert finite(Run(folder / "skipped"))
    assert "3 steps whose loss or gradient" in Run(folder / "skipped").log_file.read_text()


@pytest.mark.slow
def test_three_devices_match_one_and_resume_exactly(folder, tmp_path):
    changes = {"train": {"batch_size": 99}}
    jobs = {
        "plain": {"values": merged(PLAIN, changes)},
        "whole": {"values": merged(EVERYTHING, changes)},
        "resumed": {"values": merged(EVERYTHING, changes), "crash": STEPS_PER_EPOCH + 5},
    }
    assert train_on(3, jobs, tmp_path) == dict.fromkeys(jobs)
    assert differences(Run(tmp_path / "whole"), Run(tmp_path / "resumed")) == []
    one, three = train(merged(PLAIN, changes), run=tmp_path / "one"), Run(tmp_path / "plain")
    # The last batch of an epoch has a row less.
    curves = [read_scalars(run.logs / "train")["step/loss"][:13] for run in (one, three)]
    np.testing.assert_allclose(*curves, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_devices_divide_texts_of_any_length(tmp_path):
    """The number of slices in an embedding's gradient differs between devices."""
    texts = {
        "name": "texts",
        "source": {"type": "synthetic", "rows": 80},
        "inputs": {"t": {"type": "text", "length": 12, "encoder": {"type": "embedding", "dim": 4}}},
        "heads": {"y": {"type": "binary"}},
        "train": {
            "epochs": 2,
            "batch_size": 6,
            "log_steps": 1,
            "optimizer": {"type": "sgd", "learning_rate": 0.5},
        },
    }
    assert train_on(2, {"two": {"values": texts}}, tmp_path) == {"two": None}
    one, two = train(texts, run=tmp_path / "one"), Run(tmp_path / "two")
    curves = [read_scalars(run.logs / "train")["step/loss"] for run in (one, two)]
    np.testing.assert_allclose(*curves, rtol=1e-4, atol=1e-5)
    for name, values in weights(one).items():
        np.testing.assert_allclose(weights(two)[name], values, rtol=1e-3, atol=1e-5)


STAGED = {
    "name": "staged",
    "source": {"type": "dataset", "name": "digits"},
    "inputs": {"image": FROZEN_IMAGE},
    "heads": {"digit": {"type": "classification"}},
    "train": {
        "epochs": 1,
        "batch_size": 258,
        "checkpoint_seconds": 0,
        "fine_tune": {"epochs": 1, "learning_rate": 1e-3, "layers": 2},
        "frozen_features": {"keep": "off"},
    },
}


@pytest.mark.slow
def test_frozen_layers_are_unchanged_on_three_devices(tmp_path):
    """The mean of two equal values is exact; that of three may differ in the last bit."""
    jobs: dict[str, dict[str, Any]] = {
        "staged": {"values": STAGED},
        "resumed": {"values": STAGED, "crash": 8},
        "kept": {"values": merged(STAGED, {"train": {"frozen_features": {"keep": "memory"}}})},
    }
    for name, job in jobs.items():  # Apart: TensorFlow warns of many stages in one process.
        assert train_on(3, {name: job}, tmp_path) == {name: None}
    staged, resumed, kept = (Run(tmp_path / name) for name in jobs)
    assert differences(staged, resumed) == []
    before = build_model(staged.config()).get_layer("image_encoder")
    for run in (staged, kept):
        after = load_trained(run, "last")[0].get_layer("image_encoder")
        changed = [
            was.path
            for was, now in zip(before.weights, after.weights, strict=True)
            if (was.numpy() != now.numpy()).any()
        ]
        assert {path.split("/")[-2] for path in changed} == {"fire9_expand1x1", "fire9_expand3x3"}
