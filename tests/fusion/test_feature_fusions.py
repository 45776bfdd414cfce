"""Properties of single feature-level fusions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mmzoo.fusion import (
    Attention,
    Average,
    Bilinear,
    Conv,
    CrossAttentionFusion,
    Gated,
    Tensor,
    Weighted,
)
from mmzoo.fusion import FiLM as Film
from mmzoo.fusion.base_fusion import FeatureFusion
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Features

RANDOM = np.random.RandomState(0)
SAME = {name: RANDOM.normal(size=(5, 4)).astype("float32") for name in "abc"}
"""Three inputs, four features of each, five examples."""
OTHER = {"a": SAME["a"], "b": RANDOM.normal(size=(5, 3)).astype("float32")}


def joining(fusion: FeatureFusion, values: dict[str, np.ndarray]) -> keras.Model:
    """The joined vector of inputs that have no tokens."""
    keras.utils.set_random_seed(0)
    inputs = {name: keras.Input(value.shape[1:], name=name) for name, value in values.items()}
    features = {name: Features(vector) for name, vector in inputs.items()}
    return keras.Model(inputs, fusion.fuse(features).vector)


def projected(model: keras.Model, name: str, values: dict[str, np.ndarray]) -> np.ndarray:
    kernel, bias = model.get_layer(f"fusion_{name}_projection").get_weights()
    return values[name] @ kernel + bias


def notes(fusion: FeatureFusion, **widths: int) -> list[str]:
    features = {name: Features(keras.Input((width,))) for name, width in widths.items()}
    return list(fusion.notes(features))


def test_an_average_does_not_depend_on_the_order():
    expected = np.mean(list(SAME.values()), axis=0)
    for order in itertools.permutations("abc"):
        model = joining(Average(), {name: SAME[name] for name in order})
        assert model.count_params() == 0
        np.testing.assert_allclose(model(SAME), expected, atol=1e-6)


def test_an_average_projects_different_widths():
    model = joining(Average(dim=6), OTHER)
    expected = (projected(model, "a", OTHER) + projected(model, "b", OTHER)) / 2
    np.testing.assert_allclose(model(OTHER), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("fusion", "widths", "note"),
    [
        (Average(), {"a": 4, "b": 4}, None),
        (Average(), {"a": 4, "b": 3}, "average projects b (3 wide) to a width of 4"),
        (Average(), {"a": 9000, "b": 9000}, None),
        (Average(), {"a": 9000, "b": 256}, "average projects a (9000 wide) to a width of 256"),
        (
            Weighted(dim=2),
            {"a": 9, "b": 2, "c": 9},
            "weighted projects a (9 wide) and c (9 wide) to a width of 2",
        ),
        (Tensor(), {"a": 17, "b": 16}, "tensor projects a (17 wide) to a width of 16"),
        (
            Bilinear(dim=5, rank=2),
            {"a": 17, "b": 16},
            "bilinear projects a (17 wide) and b (16 wide) to a width of 10",
        ),
    ],
)
def test_projections_are_noted(fusion, widths, note):
    assert notes(fusion, **widths) == ([f"the fusion {note}"] if note else [])


def test_learned_weights_are_used_for_the_average():
    model = joining(Weighted(), SAME)
    assert Weighted().learned_weights(model, "abc") == pytest.approx(dict.fromkeys("abc", 1 / 3))
    model.get_layer("fusion_weights").scores.assign(np.log([1.0, 2.0, 5.0]))
    weights = Weighted().learned_weights(model, "abc")
    assert weights == pytest.approx({"a": 0.125, "b": 0.25, "c": 0.625})
    expected = sum(weights[name] * SAME[name] for name in "abc")
    np.testing.assert_allclose(model(SAME), expected, atol=1e-6)


def test_gates_mix_inputs_per_feature():
    model = joining(Gated(), OTHER)
    gates = keras.Model(model.input, model.get_layer("fusion_gates").output)(OTHER).numpy()
    assert gates.shape == (5, 2, 4)
    assert gates.min() > 0
    assert gates.max() < 1
    # With two inputs, those of the paper: a sigmoid, and what it leaves.
    kernel, bias = model.get_layer("fusion_gate_scores").get_weights()
    scores = np.concatenate([OTHER["a"], OTHER["b"]], axis=1) @ kernel + bias
    z = 1 / (1 + np.exp(scores[:, 4:] - scores[:, :4]))
    np.testing.assert_allclose(gates[:, 0], z, atol=1e-5)
    hidden = {name: np.tanh(projected(model, name, OTHER)) for name in "ab"}
    np.testing.assert_allclose(model(OTHER), z * hidden["a"] + (1 - z) * hidden["b"], atol=1e-5)
    weights = keras.Model(model.input, Gated().example_weights(model))(OTHER)
    np.testing.assert_allclose(weights, gates.mean(axis=2), atol=1e-6)


def test_a_filter_sees_neighbouring_features_of_all_inputs():
    model = joining(Conv(filters=(1,), conv_activation="linear"), SAME)
    kernel = np.zeros((3, 3, 1), "float32")  # Entries before, at and after; inputs; filters.
    kernel[1, 0], kernel[1, 2], kernel[2, 1] = 2.0, 1.0, 3.0
    model.set_weights([kernel, np.zeros(1)])
    after = np.pad(SAME["b"][:, 1:], [(0, 0), (0, 1)])
    np.testing.assert_allclose(model(SAME), 2 * SAME["a"] + SAME["c"] + 3 * after, atol=1e-5)


def test_convolutions_are_stacked():
    model = joining(Conv(filters=(5, 2), kernel_size=2), SAME)
    assert model.output.shape == (None, 4 * 2)
    assert [layer.filters for layer in model.layers if "conv" in layer.name] == [5, 2]


@pytest.mark.parametrize("fusion", [Attention(blocks=2, dim=8), Bilinear(dim=3)])
def test_the_order_of_inputs_does_not_matter(fusion):
    """If every input keeps its own projection, the rest of the fusion is symmetric."""
    model = joining(fusion, SAME)
    weights = {layer.name: layer.get_weights() for layer in model.layers}
    for order in ("cab", "bca"):
        other = joining(fusion, {name: SAME[name] for name in order})
        for layer in other.layers:
            layer.set_weights(weights[layer.name])
        np.testing.assert_allclose(other(SAME), model(SAME), atol=1e-4)


def test_attention_weights_belong_to_the_final_tokens():
    model = joining(Attention(dim=8, num_heads=2), SAME)
    weights = keras.Model(model.input, Attention().example_weights(model))(SAME).numpy()
    tokens = keras.Model(model.input, model.get_layer("fusion_norm").output)(SAME).numpy()
    np.testing.assert_allclose(model(SAME), np.einsum("en,end->ed", weights, tokens), atol=1e-5)


def test_num_heads_must_divide_the_token_width():
    with pytest.raises(ValueError, match="divisor of `dim`, which is 10; got 4"):
        Attention(dim=10)


def reading(fusion: FeatureFusion) -> keras.Model:
    """A model of one input's tokens, any number of them, and the vectors of two others."""
    keras.utils.set_random_seed(0)
    inputs = {name: keras.Input((4,), name=name) for name in "abc"}
    inputs["tokens"] = keras.Input((None, 6), name="tokens")
    features = {name: Features(inputs[name]) for name in "bc"}
    features = {"a": Features(inputs["a"], inputs["tokens"]), **features}
    return keras.Model(inputs, fusion.fuse(features).vector)


TOKENS = RANDOM.normal(size=(5, 7, 6)).astype("float32")


@pytest.mark.parametrize(
    "fusion",
    [
        CrossAttentionFusion(dim=8, blocks=2, hidden=5, positions="none"),
        Film(dim=8),
        Film(dim=8, pooling="average"),
    ],
    ids=["cross_attention", "film", "film_average"],
)
def test_tokens_are_a_set(fusion):
    model = reading(fusion)
    joined = model({**SAME, "tokens": TOKENS})
    np.testing.assert_allclose(model({**SAME, "tokens": TOKENS[:, ::-1]}), joined, atol=1e-5)
    assert np.abs(model({**SAME, "tokens": TOKENS[:, 1:]}) - joined).max() > 1e-4


def test_cross_attention_knows_token_positions():
    model = reading(CrossAttentionFusion(dim=8))
    joined = model({**SAME, "tokens": TOKENS})
    assert np.abs(model({**SAME, "tokens": TOKENS[:, ::-1]}) - joined).max() > 1e-3
    # Each input's tokens as one vector of width 8, and its own vector of width 4.
    assert joined.shape == (5, 3 * 8 + 3 * 4)


def test_cross_attention_also_uses_the_vectors():
    joined = reading(CrossAttentionFusion(dim=8))({**SAME, "tokens": TOKENS}).numpy()
    np.testing.assert_array_equal(joined[:, 3 * 8 :], np.hstack([SAME[name] for name in "abc"]))


def test_tokens_attend_to_other_inputs_only():
    """Without attending to others, an input's part depends on that input only."""
    model = reading(CrossAttentionFusion(dim=8))
    before = model({**SAME, "tokens": TOKENS}).numpy()
    changed = model({**SAME, "b": SAME["b"][::-1], "tokens": TOKENS}).numpy()
    parts = [np.abs(part).max() for part in np.split((changed - before)[:, : 3 * 8], 3, axis=1)]
    assert min(parts) > 1e-3
    for name in "abc":
        layer = model.get_layer(f"fusion_{name}_block1_attention").output_layer
        layer.set_weights([np.zeros((8, 8)), np.zeros(8)])
    before = model({**SAME, "tokens": TOKENS}).numpy()
    changed = model({**SAME, "b": SAME["b"][::-1], "tokens": TOKENS}).numpy()
    parts = [np.abs(part).max() for part in np.split((changed - before)[:, : 3 * 8], 3, axis=1)]
    assert parts[1] > 1e-3
    assert parts[0] == parts[2] == 0


def test_cross_attention_notes_inputs_without_tokens():
    features = {
        "image": Features(keras.Input((4,)), keras.Input((None, 6))),
        "table": Features(keras.Input((3,))),
    }
    assert list(CrossAttentionFusion().notes(features)) == [
        "the fusion cross_attention projects the tokens of image and table (its vector, having "
        "none) to a width of 128"
    ]


def test_attention_is_dropped_in_training_only():
    model = reading(CrossAttentionFusion(dim=8, attention_dropout=0.5))
    given = {**SAME, "tokens": TOKENS}
    np.testing.assert_array_equal(model(given, training=False), model(given, training=False))
    noisy = [model(given, training=True).numpy() for _ in range(2)]
    assert (noisy[0] != noisy[1]).any()


def test_bilinear_fusion_sums_products():
    model = joining(Bilinear(dim=3, rank=2), {**SAME, **OTHER})
    values = {**SAME, **OTHER}
    product = np.prod([projected(model, name, values) for name in "abc"], axis=0)
    np.testing.assert_allclose(model(values), product.reshape(5, 3, 2).sum(axis=2), atol=1e-5)


def test_normalized_products_are_roots_of_length_one():
    plain = joining(Bilinear(dim=3), OTHER)
    model = joining(Bilinear(dim=3, normalize=True), OTHER)
    model.set_weights(plain.get_weights())
    product = plain(OTHER).numpy()
    roots = np.sign(product) * np.sqrt(np.abs(product))
    expected = roots / np.linalg.norm(roots, axis=1, keepdims=True)
    np.testing.assert_allclose(model(OTHER), expected, atol=0.03)
    np.testing.assert_allclose(np.linalg.norm(model(OTHER), axis=1), 1, atol=1e-5)


def test_tensor_fusion_is_the_outer_product():
    values = {**SAME, "b": OTHER["b"]}
    model = joining(Tensor(), values)
    assert model.count_params() == 0
    a, b, c = (np.pad(values[name], [(0, 0), (0, 1)], constant_values=1) for name in "abc")
    expected = np.einsum("ei,ej,ek->eijk", a, b, c).reshape(5, 5 * 4 * 5)
    np.testing.assert_allclose(model(values), expected, atol=1e-5)


def test_tensor_fusion_projects_wide_vectors_first():
    model = joining(Tensor(dim=3), OTHER)
    a = np.pad(projected(model, "a", OTHER), [(0, 0), (0, 1)], constant_values=1)
    b = np.pad(OTHER["b"], [(0, 0), (0, 1)], constant_values=1)
    expected = np.einsum("ei,ej->eij", a, b).reshape(5, 16)
    np.testing.assert_allclose(model(OTHER), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("inputs", "width", "most"), [(2, 16, 255), (3, 15, 39), (4, 7, 15), (12, 1, 1), (16, 1, 1)]
)
def test_large_outer_products_are_refused(inputs, width, most):
    names = [f"input{number}" for number in range(inputs)]
    assert Tensor().width(inputs) == width
    for dim in (None, most):
        assert list(Tensor(dim=dim).input_rules(names)) == []
    [problem] = Tensor(dim=most + 1).input_rules(names)
    assert problem.path == ("dim",)
    assert problem.message == (
        f"expected at most {most} for {inputs} inputs: their outer product can have "
        f"{(most + 2) ** inputs:,} entries, of at most 65,536; got {most + 1}. Or choose `bilinear`"
    )


def test_too_many_inputs_for_an_outer_product_are_refused():
    [problem] = Tensor().input_rules([f"input{number}" for number in range(17)])
    assert problem.path == ("type",)
    assert problem.message == (
        "17 inputs have too large an outer product at any width: it could have 131,072 entries at "
        "least, of at most 65,536. Choose `bilinear`"
    )
    assert list(Tensor(dim=1000).input_rules(["alone"])) == []


@pytest.mark.parametrize("modulated", [None, "a", "b", "c"])
def test_film_without_modulation_depends_on_the_modulated_input_only(modulated):
    fusion = Film(modulated=modulated, dim=8)
    model, name = joining(fusion, SAME), modulated or "a"
    others = {other: value[::-1] for other, value in SAME.items() if other != name}
    assert np.abs(model({**SAME, **others}) - model(SAME)).max() > 1e-3
    for block in (1, 2):
        layer = model.get_layer(f"fusion_block{block}_film")
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    np.testing.assert_array_equal(model({**SAME, **others}), model(SAME))
    assert np.abs(model({**SAME, name: SAME[name][::-1]}) - model(SAME)).max() > 1e-3


def test_film_notes_the_modulating_input():
    features = {
        "image": Features(keras.Input((4,)), keras.Input((None, 6))),
        "text": Features(keras.Input((3,))),
        "table": Features(keras.Input((3,))),
    }
    assert list(Film().notes(features)) == [
        "the fusion film modulates the tokens of image by text and table"
    ]
    assert list(Film(modulated="table").notes(features)) == [
        "the fusion film modulates the vector of table by image and text"
    ]
