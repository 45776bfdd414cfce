"""Inputs that share an encoder, and heads with separate encoders."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.config import Config, load_config
from mmzoo.data.frame import Frame, table_of
from mmzoo.errors import ConfigError
from mmzoo.evaluation.input_weights import learned_input_weights
from mmzoo.inspection.data_report import DataReport
from mmzoo.inspection.inspect import trace_shapes
from mmzoo.lazy import keras, tf
from mmzoo.model import build_model, build_network
from mmzoo.model_graph import encoder_of, encoder_output, encoders_of, head_inputs
from mmzoo.preprocessing import fit_config, scan, transform
from mmzoo.visualization.gradcam import explain

CNN = {"type": "cnn", "filters": [2], "pool": [1]}
HEADS = {
    "kind": {"type": "classification", "classes": 3, "class_names": ["a", "b", "c"]},
    "price": {"type": "regression", "dim": 1, "normalize": False},
}
PHOTO = {"type": "image", "shape": [4, 4, 1], "encoder": CNN}
SHARED = {"type": "image", "encoder": {"type": "shared", "input": "front"}}


def config(inputs, heads=HEADS, **fields) -> Config:
    source = {"type": "synthetic"}
    return load_config(
        {"name": "house", "source": source, "inputs": inputs, "heads": heads, **fields}
    )


def values(names, rows=3):
    random = np.random.RandomState(0)
    return {
        name: tf.constant(random.randint(0, 256, (rows, 4, 4, 1)).astype("uint8")) for name in names
    }


@pytest.fixture(scope="module")
def photos() -> tuple[Config, keras.Model]:
    """A config whose sharing input comes first."""
    experiment = config({"back": SHARED, "front": PHOTO})
    return experiment, build_model(experiment)


@pytest.fixture(scope="module")
def towers() -> tuple[Config, keras.Model]:
    fusion = {"type": "weighted", "units": [5], "auxiliary_loss": 0.1}
    heads = {**HEADS, "other": HEADS["price"]}
    experiment = config({"left": PHOTO, "right": PHOTO}, heads, share=False, fusion=fusion)
    return experiment, build_model(experiment)


def test_one_network_encodes_all_sharing_inputs(photos):
    _, model = photos
    assert {layer.name for layer in model.layers} == {
        *("back", "front", "front_encoder", "concat", "kind", "price")
    }
    front = encoder_of(model, "front")
    assert encoder_of(model, "back") is front
    vectors = keras.Model(model.input, [encoder_output(model, name) for name in ("front", "back")])
    given = values(("back", "front"))
    for vector, name in zip(vectors(given), ("front", "back"), strict=True):
        np.testing.assert_allclose(vector, front(given[name])[0], rtol=1e-5)


def test_sharing_input_inherits_fields(photos):
    experiment, _ = photos
    assert experiment.inputs["back"].shape == (4, 4, 1)
    own = {**SHARED, "augment": [{"type": "flip"}], "missing": "learned", "column": "rear"}
    back = config({"front": {**PHOTO, "column": "face"}, "back": own}).inputs["back"]
    assert (back.column, back.missing, len(back.augment)) == ("rear", "learned", 1)
    again = load_config(experiment.model_dump(mode="json"))
    assert again == experiment


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            {"front": PHOTO, "back": {**SHARED, "shape": [8, 8, 1]}},
            "inputs.back.shape: expected a list of 3: [4, 4, 1], as in inputs.front, with which",
        ),
        (
            {"front": PHOTO, "back": {**SHARED, "encoder": {"type": "shared", "input": "fornt"}}},
            "unknown input 'fornt'; did you mean 'front'",
        ),
        (
            {"front": {**PHOTO, "encoder": {"type": "shared", "input": "front"}}},
            "inputs.front.encoder.input: expected the name of another input",
        ),
        (
            {
                "front": PHOTO,
                "back": SHARED,
                "side": {**PHOTO, "encoder": {"type": "shared", "input": "back"}},
            },
            "inputs.side.encoder.input: expected an input with its own encoder; inputs.back "
            "shares the encoder of front",
        ),
        (
            {
                "a": {**PHOTO, "encoder": {"type": "shared", "input": "b"}},
                "b": {**PHOTO, "encoder": {"type": "shared", "input": "a"}},
            },
            "inputs.a.encoder.input: expected an input with its own encoder",
        ),
        (
            {
                "front": PHOTO,
                "text": {"type": "text", "encoder": {"type": "shared", "input": "front"}},
            },
            "expected an input of the same type, text; inputs.front is image",
        ),
    ],
)
def test_invalid_sharing_is_reported(inputs, message):
    with pytest.raises(ConfigError) as error:
        config(inputs)
    assert message in str(error.value)


def test_sharing_texts_use_one_vocabulary():
    texts = {
        "title": {"type": "text", "encoder": {"type": "embedding", "dim": 4}, "length": "auto"},
        "body": {"type": "text", "encoder": {"type": "shared", "input": "title"}},
    }
    experiment = config(texts, {"price": HEADS["price"]}).with_columns()
    column = {
        "title": np.array(["red house", "green house"] * 3, object),
        "body": np.array(["house of sand", "house"] * 3, object),
        "price": np.zeros((6, 1), np.float32),
    }
    splits = {split: dict(column) for split in ("train", "validation", "test")}
    data = scan(experiment, Frame(table_of(splits), "texts", "0" * 64))
    fitted, files = fit_config(experiment, data)
    assert files["body"] == files["title"]
    assert fitted.inputs["body"].vocabulary_size == fitted.inputs["title"].vocabulary_size == 3
    assert fitted.inputs["body"].length == fitted.inputs["title"].length
    prepared = transform(fitted, data, files).splits["train"]
    assert prepared["body"][0][0] == prepared["title"][0][1]  # "house", by its number.
    assert prepared["body"][0][1] == 1  # "of" is in no title.
    build_model(fitted)


def test_a_walk_counts_a_shared_encoder_once(photos):
    experiment, model = photos
    found = DataReport()
    trace_shapes(experiment, found)
    kinds = {(step.name, step.kind) for step in found.network}
    assert ("front_encoder", "shared with front") in kinds
    assert ("front_encoder", "cnn") in kinds
    assert sum(step.parameters for step in found.network) == model.count_params()


def test_unshared_heads_have_separate_weights(towers):
    experiment, model = towers
    inputs = values(("left", "right"))
    with tf.GradientTape(persistent=True) as tape:
        outputs = model(inputs, training=False)
        sums = {name: tf.reduce_sum(output**2) for name, output in outputs.items()}
    seen: set[int] = set()
    for name in experiment.heads:
        gradients = tape.gradient(sums[name], [v.value for v in model.trainable_variables])
        own = {place for place, one in enumerate(gradients) if one is not None}
        assert own
        assert not own & seen
        seen |= own


def test_first_head_has_plain_layer_names(towers):
    _, model = towers
    names = {layer.name for layer in model.layers}
    for plain in ("left_encoder", "fusion_weights", "fusion_dense1"):
        assert {plain, f"{plain}-price", f"{plain}-other"} <= names
    assert {"kind", "price", "other", "fusion_price.left"} <= names
    assert {one.name for one in encoders_of(model, "left")} == {
        *("left_encoder", "left_encoder-price", "left_encoder-other")
    }
    assert encoder_of(model, "left", "kind").name == "left_encoder"
    assert encoder_of(model, "left", "price").name == "left_encoder-price"
    assert len(head_inputs(model, ["kind", "price"])) == 2


def test_every_head_has_its_own_fusion_weights(towers):
    experiment, model = towers
    weights = learned_input_weights(model, experiment)
    assert weights.keys() == experiment.heads.keys()
    assert weights["price"] == pytest.approx({"left": 0.5, "right": 0.5})


def test_encoder_outputs_of_unshared_heads(towers):
    experiment, _ = towers
    network = build_network(experiment)
    encoders, rest = network.parted()
    inputs = values(("left", "right"))
    between = {name: encoder(inputs[name]) for name, encoder in encoders.items()}
    expected = network.model(inputs)
    for name, values_of_head in rest(between).items():
        if name in expected:
            np.testing.assert_allclose(values_of_head, expected[name], rtol=1e-5)


def test_gradcam_uses_the_encoder_of_the_head():
    experiment = config({"photo": PHOTO}, share=False)
    model = build_model(experiment)
    for head in experiment.heads:
        explanation = explain(
            model, experiment, "photo", values(("photo",), 1)["photo"].numpy(), head
        )
        assert np.isfinite(explanation.heatmap).all()
