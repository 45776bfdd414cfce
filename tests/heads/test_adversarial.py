"""Adversarial heads: gradient reversal by hand, missing inputs, the figures, and whole runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mmzoo import layers, train
from mmzoo.batches import training_batches
from mmzoo.cli.main_command import cli
from mmzoo.config import Config, load_config
from mmzoo.errors import ConfigError, RunError
from mmzoo.heads import Adversarial
from mmzoo.lazy import keras, tf
from mmzoo.model import build_model
from mmzoo.order import TrainingOrder
from mmzoo.prediction import predict
from mmzoo.preprocessing import fit_config, load_frame, transform
from mmzoo.runs import Run

ROWS = 48
OPTIONAL = {"missing": "learned", "modality_dropout": 0.4}
PHOTO = {
    "type": "image",
    "shape": [6, 6, 1],
    **OPTIONAL,
    "encoder": {"type": "cnn", "filters": [4], "padding": "same", "units": [5]},
}
CELLS = {
    "type": "tabular",
    "columns": {"size": "number", "other": "number"},
    **OPTIONAL,
    "encoder": {"type": "mlp", "units": [6, 5]},
}
SIDE = {"type": "classification", "classes": 2}


def experiment(**head: Any) -> dict[str, Any]:
    aligned = {"type": "adversarial", "inputs": ["photo", "cells"], "units": [7], **head}
    return {
        "name": "aligned",
        "source": {"type": "synthetic", "rows": ROWS},
        "inputs": {"photo": PHOTO, "cells": CELLS},
        "heads": {"side": SIDE, "aligned": aligned},
        "train": {
            "epochs": 2,
            "batch_size": 8,
            "checkpoint_seconds": 0,
            "monitor": "validation_side_accuracy",
            "optimizer": {"type": "adam", "learning_rate": 0.01},
        },
    }


@pytest.fixture(scope="module")
def fitted() -> tuple[Config, Any]:
    """A config with a discriminator of constant strength, and its data."""
    config = load_config(experiment(strength=0.5, schedule="constant")).with_columns()
    frame = load_frame(config)
    config, preprocessing = fit_config(config, frame)
    return config, transform(config, frame, preprocessing)


def first_batch(config: Config, data: Any) -> Any:
    order = TrainingOrder(0, len(data.frame.rows["train"]), 8)
    return next(iter(training_batches(config, data.splits["train"], order, 0, 1)))


def test_the_gradient_is_reversed() -> None:
    x = tf.Variable([1.0, -2.0])
    layer = layers.GradientReversal(0.25)
    with tf.GradientTape() as tape:
        y = layer(x)
        loss = tf.reduce_sum(y**3)
    np.testing.assert_array_equal(y, [1, -2])
    np.testing.assert_allclose(tape.gradient(loss, x), [-0.25 * 3 * 1, -0.25 * 3 * 4])


def test_the_strength_rises_as_in_the_paper() -> None:
    layer = layers.GradientReversal(2.0)
    assert float(layer.strength_at()) == 2
    step = tf.Variable(0, dtype=tf.int64)
    layer.rise(step, 40)
    found = []
    for done in (0, 10, 40, 50):
        step.assign(done)
        found.append(float(layer.strength_at()))
    shares = np.array([0, 0.25, 1, 1])
    np.testing.assert_allclose(found, 2 * (2 / (1 + np.exp(-10 * shares)) - 1), rtol=1e-5)


def numpy_cross_entropy(logits: np.ndarray, there: np.ndarray) -> np.ndarray:
    shares = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    of_own = np.log(shares[:, range(logits.shape[1]), range(logits.shape[1])])
    return -(of_own * there).sum(1) / logits.shape[1]


def test_encoders_learn_the_opposite_of_the_discriminator(fitted) -> None:
    """The gradients are those of a plain discriminator, times `-strength` in the encoders."""
    config, data = fitted
    model = build_model(config)
    inputs, targets, *_ = first_batch(config, data)
    head: Any = config.heads["aligned"]
    loss = head.compile_loss(soft=False)
    everything = model.trainable_variables
    own = [one for one in everything if "fusion_aligned" in one.path]
    encoders = [one for one in everything if "side" not in one.path and "fusion_" not in one.path]

    def gradients(reversal: float) -> tuple[list[Any], list[Any]]:
        model.get_layer("fusion_aligned_reversal").strength = reversal
        with tf.GradientTape() as tape:
            value = loss(targets["aligned"], model(inputs, training=True)["aligned"])
        found = tape.gradient(value, [one.value for one in (*own, *encoders)])
        return found[: len(own)], found[len(own) :]

    discriminator, reversed_ones = gradients(0.5)
    same, plain = gradients(-1.0)
    for one, other in zip(discriminator, same, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
        assert np.any(one)
    moved = 0
    for one, other in zip(reversed_ones, plain, strict=True):
        if one is not None:
            np.testing.assert_allclose(one, -0.5 * other, rtol=1e-4, atol=1e-7)
            moved += bool(np.any(one))
    assert moved >= 6


def test_every_variable_learns_and_the_loss_is_that_of_numpy(fitted) -> None:
    config, data = fitted
    model = build_model(config)
    model.compile("adam", **config.objective.compile_arguments(config.heads, soft=False))
    inputs, targets, *weights = first_batch(config, data)
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=True)
        total = model.compute_loss(inputs, targets, outputs, *weights)
    gradients = tape.gradient(total, [one.value for one in model.trainable_variables])
    unused = [
        variable.path
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True)
        if gradient is None or not np.any(tf.convert_to_tensor(gradient))
    ]
    # Synthetic rows have no missing cell to impute.
    assert unused == ["missing/value"]
    there = np.stack([inputs["photo_present"], inputs["cells_present"]], axis=1)
    assert 0 < there.mean() < 1
    output = outputs["aligned"].numpy()
    np.testing.assert_array_equal(np.isnan(output[:, :, 0]), there == 0)
    expected = numpy_cross_entropy(np.nan_to_num(output[:, :, :2]), there)
    head = config.heads["aligned"]
    found = float(head.compile_loss(soft=False)(targets["aligned"], outputs["aligned"]))
    assert found == pytest.approx(expected.mean(), rel=1e-5)
    [metric] = head.compile_metrics(soft=False)
    metric.update_state(targets["aligned"], outputs["aligned"])
    told = np.nan_to_num(output[:, :, :2]).argmax(2) == [0, 1]
    assert float(metric.result()) == pytest.approx(told[there > 0].mean())


def outputs_of(vectors: np.ndarray, missing: float = 0.0) -> np.ndarray:
    """The output of a discriminator that always says the first input."""
    logits = np.zeros((*vectors.shape[:2], 2))
    logits[:, :, 0] = 1
    found = np.concatenate([logits, vectors], axis=2).astype("float32")
    found[np.random.RandomState(1).uniform(size=found.shape[:2]) < missing] = np.nan
    return found


def test_a_new_discriminator_tells_what_an_outrun_one_does_not() -> None:
    head = Adversarial(inputs=("a", "b"))
    vectors = np.random.RandomState(0).normal(size=(400, 2, 3))
    alike = head.evaluate(None, outputs_of(vectors))
    assert alike["discriminator_accuracy"] == alike["chance"] == 0.5
    assert alike["new_discriminator_accuracy"] == pytest.approx(0.5, abs=0.06)
    low, high = alike["discriminator_accuracy_ci95"]
    assert [low, high] == pytest.approx([0.451, 0.549], abs=0.001)
    vectors[:, 1] += [4, 0, 0]
    apart = head.evaluate(None, outputs_of(vectors))
    assert apart["discriminator_accuracy"] == 0.5
    # Two normal distributions whose means are 4 apart: 97.7 %.
    assert apart["new_discriminator_accuracy"] == pytest.approx(0.977, abs=0.02)
    # Each number has the same distribution in both, so that no linear classifier tells them apart.
    vectors = np.random.RandomState(0).normal(size=(400, 2, 2))
    vectors[:, :, 1] = abs(vectors[:, :, 1]) * np.sign(vectors[:, :, 0]) * [1, -1]
    assert head.evaluate(None, outputs_of(vectors))["new_discriminator_accuracy"] > 0.9


def test_missing_inputs_do_not_count_in_the_figures() -> None:
    head = Adversarial(inputs=("a", "b"))
    found = outputs_of(np.random.RandomState(0).normal(size=(50, 2, 3)))
    found[10:, 1] = np.nan
    metrics = head.evaluate(None, found)
    assert metrics["chance"] == metrics["discriminator_accuracy"] == pytest.approx(50 / 60)
    assert metrics["examples"] == 50
    found[:, 1] = np.nan
    assert head.evaluate(None, found)["new_discriminator_accuracy"] is None
    assert head.evaluate(None, np.full_like(found, np.nan)) == {"examples": 0}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"inputs": ["photo"]}, "heads.aligned.inputs: expected a list of 2 or more texts"),
        ({"inputs": ["photo", "photo"]}, "heads.aligned.inputs: expected each input once"),
        (
            {"inputs": ["photo", "sells"]},
            "heads.aligned.inputs.1: unknown input 'sells'; did you mean 'cells'? There are:",
        ),
        ({"strength": -1}, "heads.aligned.strength"),
    ],
)
def test_errors_name_the_field(fields, message) -> None:
    with pytest.raises(ConfigError) as found:
        load_config(experiment(**fields))
    assert message in str(found.value)


def test_it_needs_another_head_and_a_metric_to_choose_by() -> None:
    config = experiment()
    for monitor in (None, "validation_loss", "validation_aligned_discriminator_accuracy"):
        with pytest.raises(
            ConfigError, match=r"^train.monitor: .*validation_side_accuracy, to cho"
        ):
            load_config({**config, "train": {"monitor": monitor}})
    with pytest.raises(ConfigError, match=r"^share: expected true"):
        load_config({**config, "share": False})
    del config["heads"]["side"]
    with pytest.raises(ConfigError, match=r"^heads.aligned: expected another head beside it"):
        load_config({**config, "train": {}})
    with pytest.raises(ConfigError, match=r"^fusion.type: expected a fusion of features"):
        load_config({**experiment(), "fusion": {"type": "decision"}})


def test_vectors_of_different_widths_need_a_common_one() -> None:
    config = experiment()
    config["inputs"] = {**config["inputs"], "cells": {**CELLS, "encoder": {"type": "mlp"}}}
    config["inputs"]["cells"]["category_sizes"] = {}
    with pytest.raises(ConfigError, match=r"^heads.aligned: .*\(photo 5, cells 64\)"):
        build_model(load_config(config).with_columns())
    config["heads"]["aligned"]["dim"] = 3
    model = build_model(load_config(config).with_columns())
    assert model.output["aligned"].shape[1:] == (2, 2 + 3)


def test_a_fusion_may_normalize_what_it_and_the_discriminator_get(fitted) -> None:
    config, data = fitted
    config = config.replace(fusion=config.fusion.replace(normalize=True))
    model = build_model(config)
    inputs, *_ = first_batch(config, data)
    vectors = model(inputs, training=True)["aligned"].numpy()[:, :, 2:]
    raw = [model.get_layer(f"{name}_missing").output for name in ("photo", "cells")]
    raw = keras.Model(model.input, [keras.tree.flatten(one)[0] for one in raw])(inputs)
    raw = np.stack(raw, axis=1)
    expected = (raw - raw.mean(0)) / np.sqrt(raw.var(0) + 1e-3)
    there = np.stack([inputs["photo_present"], inputs["cells_present"]], axis=1) > 0
    np.testing.assert_allclose(vectors[there], expected[there], rtol=1e-4, atol=1e-5)
    norm = model.get_layer("fusion_photo_norm").output
    assert any(one is norm for one in model.get_layer("concat").input)


# Whole runs.


def pairs() -> dict[str, Any]:
    """Images with a bright half and numbers that tell it too; some rows have no numbers."""
    random = np.random.RandomState(0)
    side = np.arange(ROWS) % 2
    images = random.randint(0, 60, (ROWS, 6, 6, 1)).astype(np.uint8)
    images[side == 0, :, :3] += 180
    sizes = np.where(np.arange(ROWS) % 5, side + random.normal(0, 0.1, ROWS), np.nan)
    names = np.array(["l", "r"])[side]
    return {"photo": images, "size": sizes, "other": -sizes, "side": names}


def table_experiment() -> dict[str, Any]:
    split = {"validation": 0.2, "test": 0.2}
    config = experiment()
    return {**config, "source": {"type": "table", "path": "set by train", "split": split}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("runs")
        patch.chdir(path)
        yield path


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return train(table_experiment(), pairs(), run=folder / "001", device="cpu")


def test_a_run_records_the_accuracy_and_the_strength(run: Run) -> None:
    first, last = run.history()
    steps, done = last["step"], [first["step"] - 1, last["step"] - 1]
    expected = 2 / (1 + np.exp(-10 * np.array(done) / steps)) - 1
    found = [row["aligned_strength"] for row in (first, last)]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert 0 <= last["validation_aligned_discriminator_accuracy"] <= 1
    test = run.metrics()["test"]["aligned"]
    assert {"loss", "discriminator_accuracy", "new_discriminator_accuracy", "chance"} <= test.keys()
    assert test["examples"] == run.metrics()["test"]["examples"]
    events = b"".join(path.read_bytes() for path in run.logs.rglob("events*"))
    assert b"aligned/discriminator_accuracy" in events


@pytest.mark.slow
def test_a_resume_is_exact(run: Run, folder: Path) -> None:
    """From the last checkpoint but one, as if the run had been killed after it."""
    killed = Run(folder / "002")
    shutil.copytree(run.directory, killed.directory)
    sorted(killed.last.glob("*.npz"))[-1].unlink()
    resumed = train(table_experiment(), pairs(), run=killed.directory, resume=True, device="cpu")
    assert resumed.history() == run.history()
    assert resumed.best_weights.read_bytes() == run.best_weights.read_bytes()
    assert resumed.metrics() == run.metrics()
    longer = table_experiment()
    longer["train"]["epochs"] = 3  # Which would have changed the strength of the first steps.
    with pytest.raises(RunError, match=r"train.epochs was 2, is 3"):
        train(longer, pairs(), run=killed.directory, resume=True, device="cpu")


def test_eval_and_predict_know_it(run: Run) -> None:
    result = CliRunner().invoke(cli, ["eval", str(run.directory)])
    assert result.exit_code == 0, result.output
    assert "aligned: discriminator accuracy" in result.output
    assert "chance: " in result.output
    assert "new discriminator accuracy" in result.output
    written = json.loads((run.evaluation("test") / "metrics.json").read_text())
    found, expected = written["test"]["aligned"], run.metrics()["test"]["aligned"]
    assert found.keys() == expected.keys()
    for name in ("loss", "discriminator_accuracy", "new_discriminator_accuracy"):
        assert found[name] == pytest.approx(expected[name], rel=1e-5)
    columns = predict(run, data=pairs(), device="cpu")
    assert "side" in columns
    assert not [name for name in columns if name.startswith("aligned")]
