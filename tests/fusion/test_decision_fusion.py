"""Decision-level fusion: every head is built on each input."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from mmzoo.config import load_config
from mmzoo.errors import ConfigError
from mmzoo.fusion import Decision
from mmzoo.fusion.base_fusion import auxiliary_name
from mmzoo.heads import Binary, Classification, Multilabel, Regression
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features

HEADS = {
    "kind": Classification(classes=3),
    "good": Binary(threshold=0.3),
    "tags": Multilabel(classes=2),
}
NUMBER = {"price": Regression(dim=1, mean=(5.0,), std=(2.0,))}
COMBINE = ("average", "weighted", "product", "max", "vote")
WIDTHS = {"a": 4, "b": 3, "c": 2}


def model(fusion: Decision, heads=HEADS, widths=WIDTHS) -> keras.Model:
    inputs = {name: keras.Input((width,), name=name) for name, width in widths.items()}
    features = {name: Features(vector) for name, vector in inputs.items()}
    outputs = fusion.head_outputs(features, heads)
    return keras.Model(inputs, {name: outputs[name] for name in heads})


def values(rows: int = 20) -> dict[str, np.ndarray]:
    random = np.random.RandomState(0)
    return {name: random.normal(size=(rows, width)) for name, width in WIDTHS.items()}


@pytest.mark.parametrize("combine", COMBINE)
def test_decisions_of_every_kind_are_combined(combine):
    outputs = model(Decision(combine=combine))(values())
    assert {name: tuple(output.shape) for name, output in outputs.items()} == {
        "kind": (20, 3),
        "good": (20, 1),
        "tags": (20, 2),
    }
    for output in outputs.values():
        assert output.dtype == "float32"
        assert ((output >= 0) & (output <= 1)).numpy().all()


@pytest.mark.parametrize("combine", ["average", "weighted"])
def test_numbers_are_averaged_in_their_units(combine):
    built = model(Decision(combine=combine), NUMBER)
    single = [built.get_layer(f"fusion_price.{name}") for name in WIDTHS]
    expected = np.mean(
        [layer(x) for layer, x in zip(single, values().values(), strict=True)], axis=0
    )
    np.testing.assert_allclose(built(values())["price"], expected, rtol=1e-5)


@pytest.mark.parametrize("combine", ["product", "max", "vote"])
def test_regression_supports_averages_only(combine):
    tree = {
        "name": "x",
        "source": {"type": "synthetic"},
        "inputs": {"text": {"type": "text", "encoder": {"type": "embedding"}}},
        "heads": {"price": {"type": "regression"}},
        "fusion": {"type": "decision", "combine": combine},
    }
    with pytest.raises(ConfigError, match=r"fusion.combine: expected average or weighted: heads."):
        load_config(tree)


def test_a_single_input_decides():
    layers = model(Decision(combine="vote"), HEADS, {"a": 4}).layers
    assert {layer.name for layer in layers} == {"a", *HEADS}
    assert all(isinstance(layer, keras.layers.Dense) for layer in layers[1:])


def test_each_head_learns_its_own_weights():
    built = model(Decision(combine="weighted"))
    built.get_layer("good").logits.assign([0.0, 0.0, np.log(2.0)])
    kind, good = (built.get_layer(name).weights_of_inputs() for name in ("kind", "good"))
    assert kind == pytest.approx([1 / 3] * 3)
    assert good == pytest.approx([0.25, 0.25, 0.5])


def test_auxiliary_losses_train_each_input():
    features = {name: Features(keras.Input((width,))) for name, width in WIDTHS.items()}
    single = Decision().head_outputs(features, HEADS).keys() - HEADS.keys()
    assert single == {auxiliary_name(head, name) for head in HEADS for name in WIDTHS}
    assert Decision(auxiliary_loss=0.0).head_outputs(features, HEADS).keys() == HEADS.keys()


def test_a_vote_is_trained_by_auxiliary_losses_only():
    with pytest.raises(ValidationError, match="a vote has no gradient"):
        Decision(combine="vote", auxiliary_loss=0.0)
