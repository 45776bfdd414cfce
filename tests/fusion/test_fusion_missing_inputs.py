"""The values of a missing input do not matter, for every fusion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mmzoo.catalogue import family_members
from mmzoo.config import load_config
from mmzoo.lazy import keras, tf
from mmzoo.modalities.base_input import presence
from mmzoo.model import build_model

MAY_BE_ABSENT = {"missing": "learned", "modality_dropout": 0.1}
INPUTS: dict[str, dict[str, Any]] = {
    "photo": {
        "type": "image",
        "shape": [6, 6, 1],
        "encoder": {"type": "cnn", "filters": [3], "padding": "same"},
    },
    "sound": {
        "type": "audio",
        "rate": 8_000,
        "seconds": 0.2,
        "encoder": {"type": "cnn", "filters": [3]},
    },
    "title": {
        "type": "text",
        "length": 5,
        "vocabulary_size": 7,
        "encoder": {"type": "gru", "units": [3]},
    },
    "facts": {
        "type": "tabular",
        "columns": {"age": "number", "city": "category"},
        "category_sizes": {"city": 2},
        "encoder": {"type": "mlp", "units": [3]},
    },
}
ROWS = 4


def values(seed: int, words: int = 5) -> dict[str, np.ndarray]:
    """A batch in which every input is there."""
    random = np.random.RandomState(seed)
    ids = random.randint(2, 9, (ROWS, words)).astype("int32")
    ids[1, 2:] = 0  # One text is shorter.
    facts = np.stack([random.normal(size=ROWS), random.randint(1, 4, ROWS)], axis=1)
    return {
        "photo": random.randint(0, 256, (ROWS, 6, 6, 1)).astype("uint8"),
        "sound": random.uniform(-1, 1, (ROWS, 1_600)).astype("float32"),
        "title": ids,
        "facts": facts.astype("float32"),
        **{presence(name): np.ones(ROWS, "float32") for name in INPUTS},
    }


@pytest.fixture(scope="module", params=family_members("fusions"))
def model(request) -> keras.Model:
    """A model of four inputs, with learned features that are not zeros."""
    built = build_model(
        load_config(
            {
                "name": "absent",
                "source": {"type": "synthetic"},
                "inputs": {name: {**fields, **MAY_BE_ABSENT} for name, fields in INPUTS.items()},
                "fusion": {"type": request.param},
                "heads": {"price": {"type": "regression", "dim": 2}},
            }
        )
    )
    for name in INPUTS:
        layer = built.get_layer(f"{name}_missing")
        random = np.random.RandomState(1)
        layer.set_weights([random.normal(size=weight.shape) for weight in layer.weights])
    return built


@pytest.fixture(scope="module")
def predicted(model) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """Predicts the prices of a batch, in a graph: many batches are predicted."""
    signature = {name: tf.TensorSpec(x.shape, x.dtype) for name, x in model.input.items()}
    graph = tf.function(
        lambda batch: model(batch, training=False)["price"],
        input_signature=[signature],
        autograph=False,
    )
    return lambda batch: graph(
        {name: tf.constant(batch[name], spec.dtype) for name, spec in signature.items()}
    ).numpy()


@pytest.mark.parametrize("name", INPUTS)
def test_a_missing_input_does_not_count(predicted, name):
    batch, other = values(0), values(1)
    absent = {presence(name): np.array([0, 1, 0, 1], "float32")}
    one = predicted({**batch, **absent})
    two = predicted({**batch, **absent, name: other[name]})
    np.testing.assert_array_equal(one[::2], two[::2])
    assert (one[1::2] != two[1::2]).any(axis=1).all(), "it counts where it is there"
    assert np.isfinite(one).all()


@pytest.mark.parametrize("name", INPUTS)
def test_a_missing_input_differs_from_a_present_one(predicted, name):
    batch = values(0)
    absent = {presence(name): np.zeros(ROWS, "float32")}
    assert (predicted({**batch, **absent}) != predicted(batch)).any()


def test_the_length_of_a_missing_text_does_not_matter(predicted):
    absent = {presence("title"): np.zeros(ROWS, "float32")}
    batch = {**values(0), **absent}
    longer = {**batch, "title": values(0, words=9)["title"]}
    np.testing.assert_allclose(predicted(batch), predicted(longer), atol=1e-5)


def test_all_but_one_can_be_missing(predicted):
    batch = values(0)
    for kept in INPUTS:
        absent = {presence(name): np.zeros(ROWS, "float32") for name in INPUTS if name != kept}
        one = predicted({**batch, **absent})
        two = predicted({**values(1), **absent, kept: batch[kept]})
        np.testing.assert_array_equal(one, two)


def test_the_vector_of_a_missing_input_is_learned(model):
    """The values in its place have no effect, not even NaN."""
    batch = {**values(0), presence("facts"): np.zeros(ROWS, "float32")}
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(batch, training=True)["price"] ** 2)
    layer = model.get_layer("facts_missing")
    encoder = model.get_layer("facts_encoder")
    learned, ignored = tape.gradient(
        loss, [layer.trainable_weights, encoder.trainable_weights], unconnected_gradients="zero"
    )
    assert any(np.abs(gradient.numpy()).max() > 0 for gradient in learned)
    assert all((np.asarray(tf.convert_to_tensor(one)) == 0).all() for one in ignored)
