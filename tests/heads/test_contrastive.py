"""Contrastive heads: rules, targets, training of every variable, evaluation, and whole runs."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mmzoo import train
from mmzoo.batches import evaluation_batches, training_batches
from mmzoo.cli.main_command import cli
from mmzoo.config import Config, load_config
from mmzoo.errors import ConfigError
from mmzoo.lazy import tf
from mmzoo.model import build_model
from mmzoo.order import TrainingOrder
from mmzoo.prediction import predict
from mmzoo.preprocessing import fit_config, load_frame, transform
from mmzoo.runs import Run
from mmzoo.trained_model import load_model

ROWS = 48
IMAGE = {
    "type": "image",
    "shape": [6, 6, 1],
    "encoder": {"type": "cnn", "filters": [4, 6], "padding": "same"},
}
TEXT = {"type": "text", "length": 3, "encoder": {"type": "embedding", "dim": 6}}
TABLE = {
    "type": "tabular",
    "columns": {"size": "number"},
    "encoder": {"type": "mlp", "units": [8]},
}
INPUTS = {"photo": IMAGE, "words": TEXT, "cells": TABLE}
OPTIONAL = {"missing": "learned", "modality_dropout": 0.3}
PAIR = {"type": "contrastive", "inputs": ["photo", "words"], "dim": 5}


def loaded(heads: dict[str, Any], inputs: dict[str, Any] = INPUTS, **changes: Any) -> Config:
    """A config on synthetic data."""
    return load_config(
        {
            "name": "pairs",
            "source": {"type": "synthetic", "rows": ROWS},
            "inputs": inputs,
            "heads": heads,
            "train": {"batch_size": 8},
            **changes,
        }
    ).with_columns()


KIND = {"type": "classification", "classes": 3}
HEADS = {
    "pair": PAIR,
    "all": {**PAIR, "inputs": [*INPUTS], "loss": "sigmoid"},
    "same": {**PAIR, "labels": "kind"},
    "kind": KIND,
    "photo_again": {"type": "reconstruction", "input": "photo"},
}
"""Heads of all three kinds, and all losses."""


@pytest.fixture(scope="module")
def fitted() -> tuple[Config, Any]:
    config = loaded(HEADS, {name: {**spec, **OPTIONAL} for name, spec in INPUTS.items()})
    frame = load_frame(config)
    config, preprocessing = fit_config(config, frame)
    return config, transform(config, frame, preprocessing)


def test_all_heads_learn_together_and_every_variable_does(fitted) -> None:
    config, data = fitted
    model = build_model(config)
    model.compile("adam", **config.objective.compile_arguments(config.heads, soft=False))
    order = TrainingOrder(0, len(data.frame.rows["train"]), 16)
    inputs, targets, weights = next(
        iter(training_batches(config, data.splits["train"], order, 0, 1))
    )
    losses = []
    for _ in range(4):
        with tf.GradientTape() as tape:
            outputs = model(inputs, training=True)
            loss = model.compute_loss(inputs, targets, outputs, weights)
        losses.append(float(loss))
        gradients = tape.gradient(loss, model.trainable_variables)
        model.optimizer.apply(gradients, model.trainable_variables)
    assert losses == sorted(losses, reverse=True)
    unused = [
        variable.path
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True)
        if gradient is None or not np.any(tf.convert_to_tensor(gradient))
    ]
    assert unused == ["missing/value"]  # Synthetic rows have no missing cell to impute.
    found = outputs["all"].numpy()
    assert found.shape == (16, 3, 7)
    present = np.stack([inputs[f"{name}_present"] for name in INPUTS], axis=1)
    assert 0 < present.mean() < 1
    np.testing.assert_array_equal(np.isnan(found[..., 0]), present == 0)
    lengths = np.linalg.norm(found[..., :-2], axis=-1)
    np.testing.assert_allclose(lengths[present > 0], 1, rtol=1e-5)


@pytest.mark.parametrize(
    "kind",
    [
        KIND,
        {**KIND, "one_hot": True},
        {**KIND, "missing": "ignore"},
        {**KIND, "one_hot": True, "missing": "ignore"},
        {"type": "binary"},
        {"type": "binary", "missing": "ignore"},
    ],
)
def test_the_target_of_the_supervised_loss_is_the_class(kind) -> None:
    config = loaded({"same": {**PAIR, "labels": "kind"}, "kind": kind})
    frame = load_frame(config)
    config, preprocessing = fit_config(config, frame)
    columns = dict(transform(config, frame, preprocessing).splits["test"])
    labels = columns["kind"].copy()
    if kind.get("missing"):
        labels[::3] = -1
        columns["kind"] = labels
    _, targets, *_ = next(iter(evaluation_batches(config, columns)))
    np.testing.assert_array_equal(targets["same"], labels[: len(targets["same"])])


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        (
            {"pair": {**PAIR, "inputs": ["photo"]}},
            "heads.pair.inputs: expected two or more inputs, got only photo: there is nothing to "
            "compare it with",
        ),
        (
            {"pair": {**PAIR, "inputs": ["photo", "word"]}},
            "heads.pair.inputs.1: unknown input 'word'; did you mean 'words'? There are: photo, "
            "words, cells",
        ),
        (
            {"pair": {**PAIR, "inputs": ["photo", "photo"]}},
            "heads.pair.inputs: expected unique names",
        ),
        (
            {"pair": {**PAIR, "labels": "kinds"}, "kind": KIND},
            "heads.pair.labels: unknown head 'kinds'; did you mean 'kind'? There are: kind that "
            "predicts classes",
        ),
        (
            {"pair": {**PAIR, "labels": "size"}, "size": {"type": "regression"}},
            "heads.pair.labels: heads.size is regression, which predicts no classes. There is none",
        ),
        (
            {"pair": {**PAIR, "labels": "kind", "loss": "sigmoid"}, "kind": KIND},
            "heads.pair.loss: expected softmax, the only loss with `labels`, got sigmoid",
        ),
    ],
)
def test_errors_name_the_field_and_the_fix(heads, message) -> None:
    with pytest.raises(ConfigError) as found:
        loaded(heads)
    assert message in str(found.value)


def test_mixed_examples_have_no_class_to_learn_from() -> None:
    mixed = {"batch_size": 8, "mixing": {"type": "mixup"}}
    photos = {"photo": IMAGE, "back": IMAGE}
    heads = {"pair": {**PAIR, "inputs": [*photos], "labels": "kind"}, "kind": KIND}
    with pytest.raises(ConfigError, match=r"train\.mixing: cannot be combined with heads\.pair"):
        loaded(heads, photos, train=mixed)


def test_a_head_that_stops_gradients_trains_only_its_own_layer() -> None:
    config = loaded({"kind": {**KIND, "stop_gradient": True}}, {"photo": IMAGE})
    model = build_model(config)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model({"photo": np.ones((2, 6, 6, 1), "uint8")})["kind"][:, 0])
    gradients = tape.gradient(loss, model.trainable_variables)
    moved = [
        variable.path
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True)
        if gradient is not None
    ]
    assert moved == ["kind/kernel", "kind/bias"]


# Whole runs.

SIDES = ("left", "right", "top", "bottom")


def pairs() -> dict[str, Any]:
    """Images with a bright side, and the name of the side, which some rows lack."""
    rows = 2 * ROWS
    random = np.random.RandomState(0)
    side = np.arange(rows) % 4
    images = random.randint(0, 60, (rows, 6, 6, 1)).astype(np.uint8)
    for row, one in enumerate(side):
        half = [np.s_[:, :3], np.s_[:, 3:], np.s_[:3], np.s_[3:]][one]
        images[row][half] += 180
    words = [SIDES[one] if row % 5 else None for row, one in enumerate(side)]
    return {"photo": images, "words": words, "side": np.array(SIDES)[side]}


def experiment() -> dict[str, Any]:
    return {
        "name": "sides",
        "source": {
            "type": "table",
            "path": "set by train",
            "split": {"validation": 0.2, "test": 0.3},
        },
        "inputs": {"photo": IMAGE, "words": {**TEXT, "missing": "learned"}},
        "heads": {"pair": PAIR, "side": {"type": "classification", "stop_gradient": True}},
        "train": {
            "epochs": 10,
            "batch_size": 16,
            "checkpoint_seconds": 0.01,
            "optimizer": {"type": "adam", "learning_rate": 0.05},
        },
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working directory, where the table in memory is written."""
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("runs")
        patch.chdir(path)
        yield path


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return train(experiment(), pairs(), run=folder / "001", device="cpu")


def test_a_run_learns_to_find_the_other_input(run: Run) -> None:
    first, *_, last = run.history()
    assert last["validation_pair_loss"] < first["validation_pair_loss"]
    found = run.metrics()["test"]["pair"]
    assert found["class_at_1"] > 0.7 > 2 * found["chance_class_at_1"]
    assert found["recall_at_1"] > found["chance_recall_at_1"]
    assert found["examples"] < run.metrics()["test"]["examples"]
    assert 0.01 <= found["temperature"] < 0.1


@pytest.mark.slow
def test_a_resume_is_exact(run: Run, folder: Path) -> None:
    """From the last checkpoint but one, as if the run had been killed after it."""
    killed = Run(folder / "002")
    shutil.copytree(run.directory, killed.directory)
    [*_, before, last] = sorted(killed.last.glob("*.npz"))
    last.unlink()
    assert before.name != last.name
    for path in (killed.best_weights, killed.metrics_file):
        path.unlink()
    resumed = train(experiment(), pairs(), run=killed.directory, resume=True, device="cpu")
    assert resumed.history() == run.history()
    assert resumed.best_weights.read_bytes() == run.best_weights.read_bytes()
    assert resumed.metrics() == run.metrics()


def test_eval_reports_both_directions(run: Run) -> None:
    result = CliRunner().invoke(cli, ["eval", str(run.directory), "--modalities"])
    assert result.exit_code == 0, result.output
    assert "words to photo recall at 1" in result.output
    assert "pair: recall at 1" in result.output
    folder = run.evaluation("test")
    assert "photo to words median rank" in (folder / "report.html").read_text(encoding="utf-8")
    compared = {row["head"] for row in json.loads((folder / "modalities.json").read_text())["rows"]}
    assert compared == {"side"}
    with (folder / "predictions.csv").open() as file:
        cosines = [row["pair_similarity"] for row in csv.DictReader(file)]
    there = run.metrics()["test"]["pair"]["examples"]
    assert sum(cosine != "" for cosine in cosines) == there


def test_predict_gives_the_similarity_of_the_inputs(run: Run) -> None:
    data = pairs()
    columns = predict(run, data=data, device="cpu")
    found = columns["pair_similarity"]
    assert [one is None for one in found] == [word is None for word in data["words"]]
    data["words"] = [word and SIDES[SIDES.index(word) - 2] for word in data["words"]]
    swapped = predict(run, data=data, device="cpu")["pair_similarity"]
    means = [np.mean([one for one in column if one is not None]) for column in (found, swapped)]
    assert means[0] > means[1] + 0.3


def test_the_model_gives_unit_vectors(run: Run) -> None:
    model = load_model(run)
    inputs = {
        "photo": pairs()["photo"][:2],
        "words": np.array([[2, 0, 0], [3, 0, 0]], "int32"),
        "words_present": np.array([1, 0], "float32"),
    }
    vectors = model(inputs)["pair"].numpy()[..., :-2]
    np.testing.assert_allclose(np.linalg.norm(vectors[:, 0], axis=1), 1, rtol=1e-5)
    assert np.isnan(vectors[1, 1]).all()
