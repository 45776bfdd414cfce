"""Variational fusion: KL term and product of experts by hand, subsets of inputs, and whole runs."""

from __future__ import annotations

import os
import signal
from copy import deepcopy
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from pairs import PAIRS, ROWS, pairs

from mmzoo import layers, train
from mmzoo.config import load_config
from mmzoo.errors import ConfigError, Interrupted
from mmzoo.fusion import Variational
from mmzoo.heads import Regression
from mmzoo.lazy import keras, tf
from mmzoo.modalities.base_encoder import Features
from mmzoo.objectives import Supervised
from mmzoo.prediction import predict
from mmzoo.runs import Run
from mmzoo.training.loop import Loop

GRID = np.linspace(-12, 12, 24_001)
STEP = GRID[1] - GRID[0]


def normal(mean: float, variance: float) -> np.ndarray:
    """The density on the grid."""
    return np.exp(-((GRID - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


def test_the_divergence_is_that_of_the_densities() -> None:
    means, variances = np.array([[0.0, 1.5], [-0.3, 0.7]]), np.array([[1.0, 0.2], [3.0, 0.9]])
    found = layers.kl_divergence(tf.constant(means), tf.constant(np.log(variances)))
    prior = np.log(normal(0, 1) + 1e-300)
    expected = [
        sum(
            np.sum(density * (np.log(density + 1e-300) - prior)) * STEP
            for density in map(normal, *pair)
        )
        for pair in zip(means, variances, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("present", [(), (1, 1), (1, 0), (0, 0)])
def test_a_product_of_experts_is_the_product_of_the_densities(present) -> None:
    experts = [(2.0, 0.5), (-1.0, 0.25), (0.5, 2.0)]
    means, log_variances = (
        [tf.constant([[value]], tf.float32) for value in values]
        for values in (
            [mean for mean, _ in experts],
            [np.log(variance) for _, variance in experts],
        )
    )
    masks = [tf.constant([float(one)]) for one in present]
    mean, log_variance = layers.ProductOfExperts()(means, log_variances, masks)
    density = normal(0, 1)
    for index, expert in enumerate(experts):
        if index >= len(present) or present[index]:
            density = density * normal(*expert)
    density /= density.sum() * STEP
    expected = (density * GRID).sum() * STEP
    spread = (density * (GRID - expected) ** 2).sum() * STEP
    assert float(mean[0, 0]) == pytest.approx(expected, abs=1e-5)
    assert float(tf.exp(log_variance)[0, 0]) == pytest.approx(spread, rel=1e-4)


def test_the_code_is_a_sample_while_training_and_else_the_mean() -> None:
    keras.utils.set_random_seed(0)
    layer = layers.GaussianCode()
    mean = tf.constant([[1.0, -2.0]] * 20_000)
    log_variance = tf.constant([[np.log(4.0), np.log(0.25)]] * 20_000, tf.float32)
    np.testing.assert_array_equal(layer(mean, log_variance, training=False), mean)
    sample = layer(mean, log_variance, training=True).numpy()
    np.testing.assert_allclose(sample.mean(axis=0), [1.0, -2.0], atol=0.05)
    np.testing.assert_allclose(sample.std(axis=0), [2.0, 0.5], rtol=0.03)
    assert (layer(mean, log_variance, training=True).numpy() != sample).all()


def test_beta_grows_over_the_first_steps_of_training_only() -> None:
    layer, step = layers.GaussianCode(beta=2.0), tf.Variable(0, dtype=tf.int64)
    mean = tf.constant([[2.0]])
    divergence = float(layers.kl_divergence(mean, 0.0 * mean)[0])
    layer.warm_up(step, 4)
    for done, beta in enumerate([0.5, 1.0, 1.5, 2.0, 2.0]):
        step.assign(done)
        for training, expected in ((True, beta), (False, 2.0)):
            layer(mean, 0.0 * mean, training=training)
            [loss] = layer.losses
            assert float(loss) == pytest.approx(expected * divergence)
    assert float(layer.beta_at(earlier=3)) == 1.0


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("weights", ["given", "uncertainty"])
@pytest.mark.parametrize("auxiliary", [0.0, 0.5])
def test_the_divergence_counts_once_in_the_loss(weights, auxiliary, training) -> None:
    heads = {"price": Regression(dim=1, normalize=False), "size": Regression(dim=1)}
    keras.utils.set_random_seed(0)
    inputs = {name: keras.Input((2,), name=name) for name in "ab"}
    losses = []
    for beta in (0.0, 0.7):
        keras.utils.set_random_seed(0)
        fusion = Variational(dim=2, beta=beta, auxiliary_loss=auxiliary)
        outputs = fusion.head_outputs({n: Features(x) for n, x in inputs.items()}, heads)
        alone = {
            head: tuple(n for n in outputs if n.startswith(f"fusion_{head}.")) for head in heads
        }
        objective = Supervised(weights=weights)
        model = objective.build(
            inputs, outputs, "net", heads, alone if auxiliary else None, auxiliary
        )
        model.compile("sgd", **objective.compile_arguments(heads, soft=False))
        values = {name: np.array([[1.0, 2.0], [3.0, -1.0]], "float32") for name in "ab"}
        predicted = model(values, training=training)
        targets = dict.fromkeys(heads, np.zeros((2, 1), "float32"))
        losses.append(float(model.compute_loss(y=targets, y_pred=predicted, training=training)))
    divergence = float(model.get_layer("fusion_code").kl.result())
    assert losses[1] - losses[0] == pytest.approx(0.7 * divergence, rel=1e-4)


def test_the_code_of_one_input_is_variational_too() -> None:
    for combine in ("concat", "product_of_experts"):
        fused = Variational(dim=3, combine=combine).fuse({"a": Features(keras.Input((5,)))})
        assert fused.vector.shape == (None, 3)


def test_a_product_of_experts_leaves_out_missing_inputs() -> None:
    """The code is then that of the others alone, and without any input the prior's mean."""
    inputs = {name: keras.Input((3,), name=name) for name in "ab"}
    present = {name: keras.Input((), name=f"{name}_present") for name in "ab"}
    features = {name: Features(inputs[name], present=present[name]) for name in "ab"}
    fusion = Variational(dim=2, combine="product_of_experts")
    model = keras.Model([*inputs.values(), *present.values()], fusion.fuse(features).vector)
    random = np.random.RandomState(0)
    a, b, other = random.normal(size=(3, 4, 3)).astype("float32")
    yes, no = np.ones(4, "float32"), np.zeros(4, "float32")
    both, only_a = model([a, b, yes, yes]), model([a, b, yes, no])
    assert (np.abs(both - only_a) > 1e-6).all(axis=1).all()
    np.testing.assert_array_equal(only_a, model([a, other, yes, no]))
    np.testing.assert_array_equal(model([a, b, no, no]), np.zeros((4, 2)))


# Whole runs.


def test_the_history_has_the_parts_of_the_elbo(pairs_run: Run) -> None:
    history = pairs_run.history()
    assert history[-1]["validation_photo_again_loss"] < history[0]["validation_photo_again_loss"]
    betas = [min(1.0, epoch / 10) for epoch in range(1, 21)]
    assert [row["beta"] for row in history] == pytest.approx(betas)
    for row in history:
        parts = (
            row["validation_photo_again_loss"]
            + row["validation_cells_again_loss"]
            + 0.1 * row["validation_side_loss"]
        )
        total = parts + row["validation_kl"]
        assert row["validation_loss"] == pytest.approx(total, rel=1e-5)
        assert row["kl"] > 0
    events = b"".join(path.read_bytes() for path in pairs_run.logs.rglob("events*"))
    assert b"beta" in events
    assert events.count(b"kl") >= 8


@pytest.mark.slow
def test_a_resume_is_exact_in_the_middle_of_the_warm_up(
    pairs_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    killed, take = Run(tmp_path / "002"), Loop.train

    def train_steps(loop: Loop, batches: Any, steps: int) -> float:
        left = 7 - int(loop.updates.step.numpy())
        waited = take(loop, batches, min(steps, left))
        if steps >= left:
            os.kill(os.getpid(), signal.SIGINT)
        return waited

    with (
        patch.object(Loop, "train", train_steps),
        pytest.raises(Interrupted, match="step 7 of 100"),
    ):
        train(PAIRS, pairs(), run=killed.directory, device="cpu")
    resumed = train(PAIRS, pairs(), run=killed.directory, resume=True, device="cpu")
    assert resumed.history() == pairs_run.history()
    assert resumed.best_weights.read_bytes() == pairs_run.best_weights.read_bytes()
    assert resumed.metrics() == pairs_run.metrics()


def test_predictions_need_no_random_numbers(pairs_run: Run) -> None:
    first, again = (predict(pairs_run, data=pairs(), device="cpu") for _ in range(2))
    assert first == again
    assert len(first["side"]) == ROWS


def test_one_head_has_the_parts_too(tmp_path: Path) -> None:
    values = deepcopy(PAIRS) | {"source": {"type": "synthetic", "rows": 64}}
    values["inputs"] = {"photo": {**values["inputs"]["photo"], "modality_dropout": 0}}
    values["heads"] = {"photo_again": values["heads"]["photo_again"]}
    done = train(values, run=tmp_path / "001", smoke=True, device="cpu")
    [row] = done.history()
    assert row["validation_loss"] == pytest.approx(
        row["validation_photo_again_loss"] + row["validation_kl"], rel=1e-5
    )


def test_losses_that_are_means_are_noted() -> None:
    config = load_config(PAIRS)
    assert list(config.fusion.head_notes(config.heads)) == []
    values = deepcopy(PAIRS)
    del values["heads"]["photo_again"]["loss"]
    heads = load_config(values).heads
    [note] = config.fusion.head_notes(heads)
    assert "the loss of photo_again is a mean over values" in note
    assert list(config.fusion.replace(beta=0.0).head_notes(heads)) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"share": False}, "share: expected true: with the fusion variational all heads share one"),
        ({"fusion": {"type": "variational", "warmup": 1.5}}, "fusion.warmup"),
        (
            {"heads": {"fusion": {"type": "classification"}}},
            "heads.fusion: metrics.json has its own 'fusion': choose another name",
        ),
    ],
)
def test_errors_name_the_field(changes, message) -> None:
    with pytest.raises(ConfigError) as found:
        load_config({**PAIRS, **changes})
    assert message in str(found.value)
