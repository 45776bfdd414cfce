"""Contract of all fusions; the tests iterate over the union of specs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mmzoo.catalogue import family_members
from mmzoo.fusion import BaseFusion, Concat
from mmzoo.fusion.base_fusion import FeatureFusion
from mmzoo.heads import Classification, Regression
from mmzoo.lazy import keras, tf
from mmzoo.modalities.base_encoder import Features
from mmzoo.weights import load_weights, save_weights

FUSIONS = family_members("fusions")
HEADS = {"kind": Classification(classes=3), "price": Regression(dim=1)}
WIDTHS = {"picture": 6, "text": 4, "sound": 3, "table": 4}
"""Width of the vectors; tokens are 2 wider. A table has no tokens, an image no mask."""
POSITIONS = {"picture": 4, "text": 5, "sound": 5}
LENGTHS = {"text": (5, 2, 0, 1), "sound": (1, 5, 3, 5)}
"""Token masks of four examples; the third has a text without words."""
ALL = tuple(WIDTHS)


@pytest.fixture(params=FUSIONS)
def fusion(request) -> str:
    """The name of a fusion."""
    return request.param


@cache
def model(fusion: str, names: tuple[str, ...] = ALL, precision: str = "float32") -> keras.Model:
    """A fusion with default fields on these inputs; tests must not change its weights."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        keras.utils.set_random_seed(0)
        inputs, features = placeholders(names)
        return keras.Model(inputs, outputs_of(FUSIONS[fusion](), features))
    finally:
        keras.config.set_dtype_policy(before)


def outputs_of(fusion, features: dict[str, Features]) -> dict[str, keras.KerasTensor]:
    """The outputs of the heads, without the auxiliary ones."""
    outputs = fusion.head_outputs(features, HEADS)
    return {name: outputs[name] for name in HEADS}


def placeholders(names) -> tuple[dict[str, keras.KerasTensor], dict[str, Features]]:
    inputs, features = {}, {}
    for name in names:
        tensors = [keras.Input((WIDTHS[name],), name=name)]
        if name in POSITIONS:
            positions = None if name in LENGTHS else POSITIONS[name]
            tensors += [keras.Input((positions, WIDTHS[name] + 2), name=f"{name}_tokens")]
        if name in LENGTHS:
            tensors += [keras.Input((None,), dtype="bool", name=f"{name}_mask")]
        inputs |= {tensor.name: tensor for tensor in tensors}
        features[name] = Features(*tensors)
    return inputs, features


def values(names=ALL, padding: int = 0, seed: int = 0) -> dict[str, np.ndarray]:
    """Features of four examples. Padding is not zero, as nothing may depend on it."""
    random = np.random.RandomState(seed)
    given: dict[str, np.ndarray] = {}
    for name in names:
        given[name] = random.normal(size=(4, WIDTHS[name])).astype("float32")
        if name in POSITIONS:
            shape = (4, POSITIONS[name], WIDTHS[name] + 2)
            tokens = random.normal(size=shape).astype("float32")
            if name in LENGTHS:
                tokens = np.pad(tokens, [(0, 0), (0, padding), (0, 0)], constant_values=7.0)
                given[f"{name}_mask"] = (
                    np.arange(tokens.shape[1]) < np.array(LENGTHS[name])[:, None]
                )
            given[f"{name}_tokens"] = tokens
    return given


def predicted(fusion: str, given: dict[str, np.ndarray], names=ALL, precision="float32"):
    return {
        head: output.numpy()
        for head, output in model(fusion, names, precision)(given, training=False).items()
    }


def test_there_are_fusions():
    assert {
        "concat",
        "average",
        "weighted",
        "gated",
        "conv",
        "attention",
        "cross_attention",
    } <= set(FUSIONS)
    assert {"bilinear", "tensor", "film", "variational", "decision"} <= set(FUSIONS)


@pytest.mark.parametrize("count", [2, 4])
def test_every_head_predicts_from_any_number_of_inputs(fusion, count):
    outputs = predicted(fusion, values(ALL[:count]), ALL[:count])
    assert {head: output.shape for head, output in outputs.items()} == {
        "kind": (4, 3),
        "price": (4, 1),
    }
    assert all(np.isfinite(output).all() for output in outputs.values())


def test_inputs_of_equal_width_without_tokens_are_accepted(fusion):
    keras.utils.set_random_seed(0)
    inputs = {name: keras.Input((4,), name=name) for name in "ab"}
    features = {name: Features(vector) for name, vector in inputs.items()}
    built = keras.Model(inputs, outputs_of(FUSIONS[fusion](), features))
    given = {name: np.ones((2, 4), "float32") for name in inputs}
    before = built(given)["kind"].numpy()
    for name in inputs:
        assert (built({**given, name: -given[name]})["kind"].numpy() != before).any(), name


def passes_single_input(fusion: str) -> bool:
    spec = FUSIONS[fusion]
    return not issubclass(spec, FeatureFusion) or spec.passes_single_input


def test_a_single_input_passes_through(fusion):
    if not passes_single_input(fusion):
        pytest.skip("makes a code of one input too")
    assert [layer.name for layer in model(fusion, ("table",)).layers] == ["table", *HEADS]
    spec = FUSIONS[fusion]()
    _, features = placeholders(("table",))
    assert list(spec.notes(features)) == []
    assert spec.learned_weights(model(fusion, ("table",)), ["table"]) is None
    assert spec.example_weights(model(fusion, ("table",))) is None


@pytest.mark.parametrize("count", [1, 2, 4])
def test_features_are_fused_to_a_vector_and_optional_tokens(fusion, count):
    spec = FUSIONS[fusion]()
    if not isinstance(spec, FeatureFusion):
        pytest.skip("combines predictions")
    inputs, features = placeholders(ALL[:count])
    fused = spec.fuse(features)
    assert len(fused.vector.shape) == 2
    if count == 1 and passes_single_input(fusion):
        assert fused == features["picture"]
        return
    if fused.tokens is None:
        assert fused.mask is None
        return
    assert len(fused.tokens.shape) == 3
    given = values(ALL[:count], padding=2)
    vector, tokens, *mask = keras.Model(inputs, fused.tensors())(given)
    assert len(vector) == len(tokens) == 4
    for one in mask:
        assert one.dtype == tf.bool
        assert one.shape == tokens.shape[:2]


def test_a_fusion_with_tokens_returns_them():
    _, features = placeholders(ALL)
    with_tokens = {
        name
        for name, spec in FUSIONS.items()
        if issubclass(spec, FeatureFusion) and spec().fuse(features).tokens is not None
    }
    assert with_tokens == {"attention", "cross_attention", "film"}


def test_layer_names_do_not_clash_with_inputs(fusion):
    made = {layer.name for layer in model(fusion).layers} - {*model(fusion).input, *HEADS}
    assert made
    assert all(name == "concat" or name.startswith("fusion_") for name in made)
    assert all(operation in model(fusion).layers for operation in model(fusion).operations)


def test_inputs_can_be_named_like_parts_of_a_fusion(fusion):
    names = ("block1", "dense1", "weights", "gates")
    inputs = {
        name: keras.Input((width,), name=name)
        for name, width in zip(names, (3, 4, 5, 6), strict=True)
    }
    features = {name: Features(vector) for name, vector in inputs.items()}
    model = keras.Model(inputs, outputs_of(FUSIONS[fusion](), features))
    assert set(names) <= {layer.name for layer in model.layers}


def test_every_input_affects_the_output(fusion):
    """Except for the third example, whose text has no words."""
    given = values()
    before = predicted(fusion, given)["kind"]
    for name in ALL:
        other = values((name,), seed=1)
        changed = predicted(fusion, {**given, **other})["kind"]
        assert (changed[[0, 1, 3]] != before[[0, 1, 3]]).any(axis=1).all(), name


def test_gradients_reach_every_input_and_weight(fusion):
    built = model(fusion)
    given = {name: tf.constant(value) for name, value in values().items()}
    floats = {name: value for name, value in given.items() if value.dtype == tf.float32}
    with tf.GradientTape() as tape:
        tape.watch(floats)
        outputs = built(given, training=True)
        loss = sum(tf.reduce_mean(tf.square(output - 1.0)) for output in outputs.values())
    gradients, of_weights = tape.gradient(loss, (floats, built.trainable_variables))
    for name in ALL:
        reached = [gradients[one] for one in (name, f"{name}_tokens") if one in gradients]
        reached = [np.abs(gradient).max() for gradient in reached if gradient is not None]
        assert np.isfinite(reached).all()
        assert max(reached) > 0, name
    for variable, gradient in zip(built.trainable_variables, of_weights, strict=True):
        assert gradient is not None, variable.path
        assert np.isfinite(gradient).all(), variable.path
        assert np.abs(gradient).max() > 0, variable.path


def test_padding_changes_nothing(fusion):
    before = predicted(fusion, values())
    for padding in (1, 8):
        after = predicted(fusion, values(padding=padding))
        for head in HEADS:
            np.testing.assert_allclose(after[head], before[head], atol=1e-5)


def test_examples_are_independent(fusion):
    given = values()
    together = predicted(fusion, given)["kind"]
    for row in range(4):
        single = predicted(fusion, {name: value[row : row + 1] for name, value in given.items()})
        np.testing.assert_allclose(single["kind"][0], together[row], atol=1e-5)


def test_float16_predictions_approximate_float32(fusion):
    given = values()
    complete, half = predicted(fusion, given), model(fusion, precision="mixed_float16")
    half.set_weights(model(fusion).get_weights())
    for head, output in half(given, training=False).items():
        assert output.dtype == tf.float32
        np.testing.assert_allclose(output, complete[head], atol=0.03)


def test_a_model_is_rebuilt_from_its_config_and_a_weights_file(fusion, tmp_path: Path):
    built = model(fusion)
    save_weights(built, tmp_path / "best.weights.h5")
    keras.utils.set_random_seed(1)
    again = keras.models.clone_model(built)  # By the config of every layer.
    load_weights(again, tmp_path / "best.weights.h5")
    for head, output in again(values(), training=False).items():
        np.testing.assert_allclose(output, predicted(fusion, values())[head], atol=1e-6)


def test_input_weights_cover_all_inputs_and_sum_to_one(fusion):
    spec, built = FUSIONS[fusion](), model(fusion)
    learned, by_example = spec.learned_weights(built, ALL), spec.example_weights(built)
    if learned is not None:
        assert list(learned) == list(ALL)
        assert sum(learned.values()) == pytest.approx(1)
    if by_example is not None:
        weights = keras.Model(built.input, by_example)(values()).numpy()
        assert weights.shape == (4, len(ALL))
        assert weights.dtype == np.float32
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
        assert weights.min() > 0
        assert (np.ptp(weights, axis=0) > 0).all()


def test_dense_layers_follow_the_fused_features(fusion):
    if not issubclass(FUSIONS[fusion], FeatureFusion):
        pytest.skip("combines predictions")
    spec = FUSIONS[fusion](units=(5, 2), dropout=0.5, activation="tanh")
    inputs, features = placeholders(ALL[1:3])
    built = keras.Model(inputs, outputs_of(spec, features))
    layers = {layer.name: layer for layer in built.layers}
    assert layers["fusion_dense1"].units == 5
    assert layers["fusion_dense2"].output.shape == (None, 2)
    assert layers["fusion_dense1"].activation is keras.activations.tanh
    assert layers["fusion_dropout2"].rate == 0.5


def test_every_fusion_has_a_reference(fusion):
    assert "Reference" in FUSIONS[fusion].describe_type(fusion)
    assert issubclass(FUSIONS[fusion], BaseFusion)


def test_concat_concatenates_features():
    built = model("concat", ("picture", "sound"))
    assert built.get_layer("concat").output.shape == (None, 9)
    # The heads' 9*3 + 3 and 9*1 + 1.
    assert built.count_params() == 40


def test_concats_dense_layers():
    inputs, features = placeholders(("text", "sound"))
    built = keras.Model(inputs, outputs_of(Concat(units=(5, 2)), features))
    # 7*5 + 5, 5*2 + 2, and the heads' 2*3 + 3 and 2*1 + 1.
    assert built.count_params() == 40 + 12 + 9 + 3
