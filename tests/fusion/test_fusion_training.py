"""Trainings with fusions: messages, and what some can learn that others cannot."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmzoo.config import load_config
from mmzoo.errors import ConfigError
from mmzoo.fusion import (
    Attention,
    Average,
    BaseFusion,
    Bilinear,
    Concat,
    CrossAttentionFusion,
    FiLM,
    Gated,
    Tensor,
)
from mmzoo.heads import Binary
from mmzoo.lazy import keras, tf
from mmzoo.modalities.base_encoder import Features
from mmzoo.runs import Run


def values(fusion: dict[str, Any], **inputs: int) -> dict[str, Any]:
    """A config of small synthetic tables, from input name to width of its features."""
    return {
        "name": "fused",
        "source": {"type": "synthetic", "rows": 64},
        "inputs": {
            name: {
                "type": "tabular",
                "columns": {f"{name}{number}": "number" for number in range(2)},
                "encoder": {"type": "mlp", "units": [width]},
            }
            for name, width in inputs.items()
        },
        "fusion": fusion,
        "heads": {"kind": {"type": "classification", "classes": 2}},
        "train": {
            "epochs": 1,
            "batch_size": 4,
            "optimizer": {"type": "adam", "learning_rate": 0.1},
        },
    }


def test_training_logs_projections_and_learned_weights(tmp_path: Path):
    from mmzoo.training.train import train

    run = train(values({"type": "weighted", "dim": 3}, a=5, b=4), run=tmp_path / "run")
    log = run.log_file.read_text()
    assert "Note: the fusion weighted projects a (5 wide) and b (4 wide) to a width of 3." in log
    [learned] = re.findall(r"Learned fusion weights of the inputs: a ([\d.]+), b ([\d.]+)\.", log)
    assert sum(map(float, learned)) == pytest.approx(1, abs=2e-3)
    assert learned != ("0.500", "0.500")


@pytest.mark.slow
@pytest.mark.parametrize(
    "fusion",
    [
        {"type": "weighted", "units": [4], "dropout": 0.5},
        {"type": "film", "dim": 8},
        {"type": "cross_attention", "dim": 8, "attention_dropout": 0.5},
    ],
    ids=lambda fusion: fusion["type"],
)
def test_a_resumed_training_is_bit_identical(fusion, tmp_path: Path):
    from mmzoo.training.train import train

    def parts(*epochs: int) -> Run:
        directory = tmp_path / str(epochs)
        for number, count in enumerate(epochs):
            config = values(fusion, a=5, b=4)
            config["train"]["epochs"] = count
            run = train(config, run=directory, resume=number > 0)
        return run

    complete, resumed = parts(2), parts(1, 2)
    assert resumed.history() == complete.history()
    assert len(complete.history()) == 2
    assert resumed.metrics()["test"] == complete.metrics()["test"]


def test_the_modulated_input_must_exist():
    with pytest.raises(ConfigError) as caught:
        load_config(values({"type": "film", "modulated": "texd"}, image=4, text=4))
    assert str(caught.value) == (
        "fusion.modulated: no input is named 'texd'; did you mean 'text'? There are: image, text"
    )
    assert load_config(values({"type": "film", "modulated": "text"}, image=4, text=4))


def test_an_outer_product_that_is_too_large_is_an_error_of_the_config():
    with pytest.raises(ConfigError) as caught:
        load_config(values({"type": "tensor", "dim": 40}, a=4, b=4, c=4))
    assert str(caught.value) == (
        "fusion.dim: expected at most 39 for 3 inputs: their outer product can have 68,921 "
        "entries, of at most 65,536; got 40. Or choose `bilinear`"
    )


CORNERS = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)], "float32")
DIFFERENT = np.array([[0], [1], [1], [0]], "float32")
"""XOR of the signs of two inputs: neither input nor their sum determines it."""


def right_after_training(fusion: BaseFusion, steps: int = 150) -> float:
    """Accuracy on the four examples of XOR, with the inputs as features."""
    keras.utils.set_random_seed(0)
    inputs = {name: keras.Input((1,), name=name) for name in "ab"}
    features = {name: Features(vector) for name, vector in inputs.items()}
    model = keras.Model(
        inputs, {"different": fusion.head_outputs(features, {"different": Binary()})["different"]}
    )
    optimizer, loss = keras.optimizers.Adam(0.03), keras.losses.BinaryCrossentropy()
    optimizer.build(model.trainable_variables)
    given = dict(zip("ab", np.split(CORNERS, 2, axis=1), strict=True))

    @tf.function
    def train() -> None:
        for _ in tf.range(steps):
            with tf.GradientTape() as tape:
                error = loss(DIFFERENT, model(given, training=True)["different"])
            gradients = tape.gradient(error, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    train()
    predicted = model(given)["different"].numpy()
    return float(np.mean((predicted > 0.5) == (DIFFERENT > 0.5)))


@pytest.mark.parametrize("fusion", [Concat(), Average()], ids=lambda fusion: fusion.type)
def test_additive_fusions_cannot_learn_xor(fusion):
    assert right_after_training(fusion) < 1


@pytest.mark.parametrize(
    "fusion",
    [
        Bilinear(dim=4),
        Tensor(),
        FiLM(dim=8),
        Gated(dim=8),
        Attention(dim=8),
        pytest.param(CrossAttentionFusion(dim=8), marks=pytest.mark.slow),
    ],
    ids=lambda fusion: fusion.type,
)
def test_multiplicative_fusions_learn_xor(fusion):
    assert right_after_training(fusion) == 1
