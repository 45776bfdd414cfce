"""Heads without labels: defined here and added to the family, they train and are evaluated."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from click.testing import CliRunner
from pydantic import Field

from mmzoo import train
from mmzoo.cli.main_command import cli
from mmzoo.config import Config, load_config
from mmzoo.errors import ConfigError, RunError
from mmzoo.heads import (
    BaseHead,
    Binary,
    Classification,
    HeadInputs,
    Multilabel,
    Regression,
)
from mmzoo.lazy import keras, tf
from mmzoo.model import build_network
from mmzoo.prediction import predict
from mmzoo.runs import Run
from mmzoo.spec import Problem, Spec
from mmzoo.training.frozen_features import inputs_to_cache

COLOURS = ("red", "green", "blue")
ROWS = 96


class PairLoss(keras.losses.Loss):
    """The squared distance of two vectors of each example, `[batch, 2, width]`; labels unused."""

    def call(self, true: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.square(predicted[:, 0] - predicted[:, 1]), axis=-1)


class DistanceError(keras.metrics.Mean):
    """The mean distance of such pairs."""

    def update_state(self, true: Any, predicted: Any, sample_weight: Any = None) -> None:
        super().update_state(tf.norm(predicted[:, 0] - predicted[:, 1], axis=-1))


class Scatter(keras.layers.Layer):
    """Passes vectors through and adds a loss if they are all equal."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        self.add_loss(0.1 * tf.exp(-tf.reduce_mean(tf.math.reduce_variance(x, axis=0))))
        return x


class Rebuild(BaseHead):
    """Predicts the direction of one input's vector from the fused one; the loss needs no target."""

    metric_names = ("distance_error",)

    type: Literal["rebuild"] = "rebuild"
    input: str

    def input_rules(self, inputs: Mapping[str, Spec]) -> Iterator[Problem]:
        if self.input not in inputs:
            yield Problem(("input",), f"expected one of {', '.join(inputs)}")

    def build(self, given: HeadInputs, name: str) -> keras.KerasTensor:
        required = given.inputs[self.input].vector
        rebuilt = keras.layers.Dense(required.shape[-1], name=f"fusion_{name}_dense")(
            given.fused.vector
        )
        direction = keras.ops.normalize(keras.ops.stop_gradient(required))
        pair = keras.ops.stack([rebuilt, direction], axis=1)
        return keras.layers.Activation("linear", dtype="float32", name=name)(pair)

    def compile_loss(self, soft: bool) -> keras.losses.Loss:
        return PairLoss()

    def compile_metrics(self, soft: bool) -> list[keras.metrics.Metric]:
        return [DistanceError(name="distance_error")]


class Pull(BaseHead):
    """Pulls the vectors of two inputs together; a layer of its own adds a loss. No metrics."""

    type: Literal["pull"] = "pull"

    def build(self, given: HeadInputs, name: str) -> keras.KerasTensor:
        vectors = [
            keras.layers.Dense(4, name=f"fusion_{name}_{one}")(features.vector)
            for one, features in given.inputs.items()
        ]
        pair = keras.ops.stack([Scatter()(vector) for vector in vectors], axis=1)
        return keras.layers.Activation("linear", dtype="float32", name=name)(pair)

    def compile_loss(self, soft: bool) -> keras.losses.Loss:
        return PairLoss()


class Count(BaseHead):
    """Predicts how many words an input has: the target comes from the batch, predictions are
    written, and one metric is computed from the whole split."""

    type: Literal["count"] = "count"
    input: str

    def reads_values(self, name: str, inputs: Collection[str]) -> bool:
        return name == self.input

    def build(self, given: HeadInputs, name: str) -> keras.KerasTensor:
        return keras.layers.Dense(1, dtype="float32", name=name)(given.fused.vector)

    def target_from_inputs(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        return tf.cast(tf.math.count_nonzero(inputs[self.input], axis=1), tf.float32)[:, None]

    def compile_loss(self, soft: bool) -> keras.losses.Loss:
        return keras.losses.MeanSquaredError()

    def evaluate(self, labels: None, predicted: np.ndarray) -> dict[str, Any]:
        assert labels is None
        return {"rows": len(predicted), "largest": float(predicted.max())}

    def decode(self, predicted: np.ndarray, name: str, top: int = 0) -> dict[str, list[Any]]:
        return {name: predicted[:, 0].tolist()}


FAMILY = Annotated[
    Classification | Binary | Multilabel | Regression | Rebuild | Pull | Count,
    Field(discriminator="type"),
]


@pytest.fixture(autouse=True, scope="module")
def family() -> Iterator[None]:
    """Adds the heads of this module to those that a config may have."""
    heads = Config.model_fields["heads"]
    before = heads.annotation
    names, _ = before.__args__
    heads.annotation = dict[names, FAMILY]
    Config.model_rebuild(force=True)
    yield
    heads.annotation = before
    Config.model_rebuild(force=True)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two texts that name the same colour, in one to three words, and the colour."""
    path = tmp_path_factory.mktemp("data") / "pairs.csv"
    random = np.random.RandomState(0)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["left", "right", "colour"])
        for row in range(ROWS):
            colour = COLOURS[row % 3]
            times = 1 + random.randint(3)
            rows.writerow([" ".join([colour] * times), f"{colour} thing", colour])
    return path


def config(table: Path, heads: dict[str, Any], **changes: Any) -> dict[str, Any]:
    text = {"type": "text", "length": 3, "encoder": {"type": "embedding", "dim": 6}}
    return {
        "name": "toy",
        "source": {"type": "table", "path": str(table), "split": {"validation": 0.2, "test": 0.2}},
        "inputs": {"left": text, "right": text},
        "fusion": {"type": "concat", "units": [8]},
        "heads": heads,
        "train": {
            "epochs": 8,
            "batch_size": 16,
            "optimizer": {"type": "adam", "learning_rate": 0.03},
        },
        **changes,
    }


@pytest.fixture(scope="module")
def rebuilt(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of a head without labels, metrics to write or anything else."""
    heads = {"again": {"type": "rebuild", "input": "left"}}
    return train(config(table, heads), run=tmp_path_factory.mktemp("runs") / "001", device="cpu")


@pytest.fixture(scope="module")
def together(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of heads with and without labels, also by auxiliary losses."""
    heads = {
        "colour": {"type": "classification"},
        "near": {"type": "pull", "weight": 0.5},
        "words": {"type": "count", "input": "left", "weight": 0.1},
    }
    fusion = {"type": "concat", "units": [8], "auxiliary_loss": 0.1}
    found = config(table, heads, fusion=fusion)
    return train(found, run=tmp_path_factory.mktemp("runs") / "001", device="cpu")


def evaluated(run: Run, *arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(cli, ["eval", str(run.directory), *arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_head_without_labels_learns(rebuilt: Run) -> None:
    history = rebuilt.history()
    assert history[-1]["validation_loss"] < history[0]["validation_loss"] / 2
    errors = [row["validation_again_distance_error"] for row in history]
    assert errors[-1] < errors[0]
    assert rebuilt.config().monitor() == "validation_again_distance_error"


def test_evaluation_has_its_loss_and_metrics(rebuilt: Run) -> None:
    found = evaluated(rebuilt)
    assert found == found | rebuilt.metrics()
    test = rebuilt.metrics()["test"]
    assert test["again"].keys() == {"loss", "distance_error"}
    assert test["again"]["loss"] == pytest.approx(test["loss"], rel=1e-5)
    folder = rebuilt.evaluation("test")
    assert "distance error" in (folder / "report.html").read_text(encoding="utf-8")
    assert not (folder / "predictions.csv").exists()


def test_other_data_need_no_labels(rebuilt: Run, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("left,right\nred,red thing\nblue blue,blue thing\n")
    evaluated(rebuilt, "--data", str(path))
    [metrics] = json.loads((rebuilt.evaluation("data_other") / "metrics.json").read_text()).values()
    assert metrics["examples"] == 2
    assert np.isfinite(metrics["again"]["loss"])


def test_a_head_can_have_no_predictions(rebuilt: Run, table: Path) -> None:
    with pytest.raises(
        RunError, match=r"none of its heads can write predictions: again \(rebuild\)"
    ):
        predict(rebuilt, data=table, device="cpu")


def test_a_resume_is_exact(rebuilt: Run, table: Path, tmp_path: Path) -> None:
    heads = {"again": {"type": "rebuild", "input": "left"}}
    short = config(table, heads)
    short["train"] = {**short["train"], "epochs": 2}
    train(short, run=tmp_path / "001", device="cpu")
    resumed = train(config(table, heads), run=tmp_path / "001", resume=True, device="cpu")
    assert resumed.history() == rebuilt.history()
    assert resumed.best_weights.read_bytes() == rebuilt.best_weights.read_bytes()
    assert resumed.metrics() == rebuilt.metrics()


def test_heads_with_and_without_labels_learn_together(together: Run) -> None:
    first, *_, last = together.history()
    for name in ("colour_loss", "near_loss", "words_loss"):
        assert last[f"validation_{name}"] < first[f"validation_{name}"]
    test = together.metrics()["test"]
    assert test["colour"]["accuracy"] > 0.5
    assert test["near"].keys() == {"loss"}
    assert test["words"].keys() == {"loss", "rows", "largest"}
    parts = test["colour"]["cross_entropy"] + 0.5 * test["near"]["loss"]
    parts += 0.1 * test["words"]["loss"]
    # What the layers of `near` add, each at most 0.1.
    assert 0 < test["loss"] - parts < 0.2


@pytest.mark.slow
def test_only_heads_with_predictions_write_them(together: Run, table: Path) -> None:
    evaluated(together)
    with (together.evaluation("test") / "predictions.csv").open() as file:
        [first, *_] = csv.DictReader(file)
    assert first.keys() == {"row", "colour_true", "colour", "colour_probability", "words"}
    columns = predict(together, data=table, device="cpu")
    assert {"colour", "colour_probability", "words"} <= columns.keys()
    assert "near" not in columns
    assert len(columns["words"]) == ROWS


@pytest.mark.parametrize(
    ("weights", "share"),
    [("given", False), pytest.param("uncertainty", True, marks=pytest.mark.slow)],
)
@pytest.mark.slow
def test_heads_without_labels_support_every_option(table, tmp_path, weights, share) -> None:
    heads = {
        "near": {"type": "pull"},
        "again": {"type": "rebuild", "input": "right"},
        "colour": {"type": "binary", "positive": ["red"], "missing": "ignore"},
    }
    found = config(table, heads, share=share, objective={"type": "supervised", "weights": weights})
    found["train"] = {**found["train"], "epochs": 1}
    test = train(found, run=tmp_path / "001", device="cpu").metrics()["test"]
    assert np.isfinite([test["loss"], test["near"]["loss"], test["again"]["loss"]]).all()


def test_decision_fusion_requires_heads_with_labels(table: Path) -> None:
    with pytest.raises(ConfigError, match=r"fusion.type: expected a fusion of features.*near"):
        load_config(config(table, {"near": {"type": "pull"}}, fusion={"type": "decision"}))


def test_inputs_used_as_targets_are_not_cached() -> None:
    image = {
        "type": "image",
        "shape": [32, 32, 3],
        "encoder": {"type": "squeezenet", "weights": "none"},
    }
    found = load_config(
        {
            "name": "frozen",
            "source": {"type": "synthetic"},
            "inputs": {"front": image, "back": image},
            "heads": {"words": {"type": "count", "input": "back"}},
        }
    )
    assert inputs_to_cache(build_network(found), found) == ["front"]


def test_a_head_can_refuse_inputs(table: Path) -> None:
    with pytest.raises(ConfigError, match=r"heads.again.*input: expected one of left, right"):
        load_config(config(table, {"again": {"type": "rebuild", "input": "middle"}}))
