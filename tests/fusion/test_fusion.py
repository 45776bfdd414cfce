"""Fusions join the features of all inputs and let the heads predict from them."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.catalogue import members
from mmzoo.encoders import Features
from mmzoo.fusion import Concat
from mmzoo.heads import Classification, Regression
from mmzoo.lazy import keras

FUSIONS = members("fusions")
HEADS = {"kind": Classification(classes=3), "price": Regression(dim=1)}


@pytest.fixture(params=FUSIONS.values(), ids=FUSIONS)
def fusion(request):
    """A fusion with all its defaults."""
    return request.param()


def model(fusion, widths: dict[str, int]) -> keras.Model:
    inputs = {name: keras.Input((width,), name=name) for name, width in widths.items()}
    features = {name: Features(vector) for name, vector in inputs.items()}
    return keras.Model(inputs, fusion.build(features, HEADS))


def test_there_are_fusions():
    assert FUSIONS


@pytest.mark.parametrize("widths", [{"a": 4}, {"a": 4, "b": 3}, {"a": 4, "b": 3, "c": 1}])
def test_every_head_predicts_from_any_number_of_inputs(fusion, widths):
    outputs = model(fusion, widths).output
    assert list(outputs) == list(HEADS)
    assert [output.shape for output in outputs.values()] == [(None, 3), (None, 1)]


def test_every_input_counts(fusion):
    widths = {"a": 4, "b": 3}
    built = model(fusion, widths)
    values = {name: np.ones((1, width), "float32") for name, width in widths.items()}
    before = built(values)["kind"].numpy()
    for name in widths:
        changed = built({**values, name: -values[name]})["kind"].numpy()
        assert (changed != before).any(), name


def test_one_input_alone_passes_through_concat():
    layers = model(Concat(), {"a": 4}).layers
    assert [layer.name for layer in layers] == ["a", "kind", "price"]


def test_concat_puts_features_side_by_side():
    built = model(Concat(), {"a": 4, "b": 3})
    assert built.get_layer("concat").output.shape == (None, 7)


def test_concats_dense_layers():
    fusion = Concat(units=(5, 2), dropout=0.5, activation="tanh")
    built = model(fusion, {"a": 4, "b": 3})
    layers = {layer.name: layer for layer in built.layers}
    assert set(layers) == {
        *("a", "b", "concat", "fusion_dense1", "fusion_dropout1"),
        *("fusion_dense2", "fusion_dropout2", "kind", "price"),
    }
    # 7*5 + 5, 5*2 + 2, and the heads' 2*3 + 3 and 2*1 + 1.
    assert built.count_params() == 40 + 12 + 9 + 3
    assert layers["fusion_dense1"].activation is keras.activations.tanh
    assert layers["fusion_dropout1"].rate == 0.5
