"""Contract of all tabular encoders; the tests iterate over the union of specs."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from mmzoo.lazy import keras, tf
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.tabular import Tabular
from mmzoo.modalities.tabular.tabular_mlp import MLP, Layout, TabularEncoder
from mmzoo.spec.expected_types import ExpectedType

FAMILY = ExpectedType.from_annotation(TabularEncoder).family
ENCODERS = {name: spec for name, spec in FAMILY.items() if name != "run"}  # No network of its own.
LAYOUTS = [Layout(3, (5, 3000)), Layout(3, ()), Layout(0, (4,)), Layout(1, (2,))]


def test_there_are_tabular_encoders():
    assert ENCODERS.keys() >= {"mlp"}


@pytest.fixture(params=ENCODERS)
def encoder(request):
    return ENCODERS[request.param]()


@pytest.fixture(params=LAYOUTS, ids=str)
def layout(request) -> Layout:
    return request.param


def rows(layout: Layout, count=64) -> np.ndarray:
    """Rows with missing numbers in each column, and all ids of small categories."""
    random = np.random.RandomState(0)
    numbers = random.normal(size=(count, layout.numbers))
    numbers[random.uniform(size=numbers.shape) < 0.2] = np.nan
    categories = [random.permutation(np.arange(count) % values) for values in layout.categories]
    return np.column_stack([numbers, *categories]).astype("float32")


def built(encoder, layout: Layout) -> tuple[Features, keras.Model]:
    row = keras.Input((layout.width,), dtype="float32", name="row")
    features = encoder.build(row, layout)
    return features, keras.Model(row, features.vector)


def test_features_are_finite_with_a_static_width(encoder, layout):
    features, model = built(encoder, layout)
    assert features.vector.shape[0] is None
    assert features.vector.shape[1] >= 1
    values = model(rows(layout), training=True)
    assert values.shape == (64, *features.vector.shape[1:])
    assert np.isfinite(values).all()
    if features.tokens is not None:
        assert len(features.tokens.shape) == 3


def test_gradients_are_finite_and_reach_every_weight(encoder, layout):
    _, model = built(encoder, layout)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(rows(layout), training=True) - 1.0))
    gradients = tape.gradient(loss, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        gradient = tf.convert_to_tensor(gradient)
        assert tf.reduce_all(tf.math.is_finite(gradient)), variable.path
        assert tf.reduce_max(tf.abs(gradient)) > 0, variable.path


def test_every_column_affects_the_features(encoder):
    layout = Layout(2, (4, 3000))
    _, model = built(encoder, layout)
    row = np.array([[0.5, -1, 3, 2]], "float32")
    others = np.array([[1.5, -1, 3, 2], [0.5, 1, 3, 2], [0.5, -1, 2, 2], [0.5, -1, 3, 2999]])
    for other in others.astype("float32"):
        assert (model(row).numpy() != model(other[None]).numpy()).any(), other


def test_missing_unseen_and_known_categories_differ(encoder):
    _, model = built(encoder, Layout(0, (4,)))
    outputs = model(np.arange(4, dtype="float32")[:, None]).numpy()
    assert len(np.unique(outputs, axis=0)) == 4


def test_rows_of_a_batch_are_independent(encoder, layout):
    _, model = built(encoder, layout)
    values = rows(layout)
    single = np.concatenate([model(values[i : i + 1], training=False) for i in range(8)])
    np.testing.assert_allclose(model(values[:8], training=False), single, atol=1e-6)


def test_initial_weights_depend_on_the_seed(encoder, layout):
    def weights(seed):
        keras.utils.set_random_seed(seed)
        return built(encoder, layout)[1].get_weights()

    first, again, other = weights(1), weights(1), weights(2)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_layers_have_the_same_names_in_every_process(encoder):
    """Weights files use layer names, so there must be no counters such as `dense_7`."""
    names = [[layer.name for layer in built(encoder, LAYOUTS[0])[1].layers] for _ in range(2)]
    assert names[0] == names[1]


def test_tabular_input_accepts_the_encoder(encoder):
    assert Tabular(columns={"age": "number"}, encoder=encoder).encoder == encoder


# MLP.


@pytest.mark.parametrize(
    ("fields", "layout", "parameters", "width"),
    [
        # 3 values of missing numbers; 3*64 + 64 and 64*64 + 64.
        ({}, Layout(3, ()), 3 + 256 + 4_160, 64),
        # Embedding widths round(1.6 * 10**0.56) = 6 and round(1.6 * 300**0.56) = 39 numbers.
        ({"units": []}, Layout(2, (10, 300)), 2 + 60 + 11_700, 2 + 6 + 39),
        # At most 600, which 100,000 values would exceed.
        ({"units": []}, Layout(0, (100_000,)), 100_000 * 600, 600),
        ({"units": [], "dim": 4}, Layout(1, (10, 300)), 1 + 40 + 1_200, 9),
        ({"units": [], "categories": "one_hot"}, Layout(2, (10, 3)), 2, 15),
        # 15*8 + 8.
        ({"units": [8], "categories": "one_hot"}, Layout(2, (10, 3)), 2 + 128, 8),
        # 2*8 more, without bias.
        ({"units": [8], "missing_indicator": True}, Layout(2, ()), 2 + 24 + 16, 8),
        ({"units": [8], "missing_indicator": True}, Layout(0, (4,)), 4 * 3 + 32, 8),
        # Batch norm has four parameters per unit.
        ({"units": [8], "batch_norm": True, "dropout": 0.5}, Layout(2, ()), 2 + 24 + 32, 8),
    ],
)
def test_mlp_layers_follow_its_fields(fields, layout, parameters, width):
    encoder = MLP(**{key: tuple(v) if isinstance(v, list) else v for key, v in fields.items()})
    features, model = built(encoder, layout)
    assert model.count_params() == parameters
    assert features.vector.shape == (None, width)
    assert features.tokens is None


def test_mlp_dropout_in_training_only():
    _, model = built(MLP(units=(8,), dropout=0.5), LAYOUTS[0])
    values = rows(LAYOUTS[0])
    quiet = [model(values, training=False).numpy() for _ in range(2)]
    np.testing.assert_array_equal(*quiet)
    noisy = [model(values, training=True).numpy() for _ in range(2)]
    assert (noisy[0] != noisy[1]).any()


def test_missing_indicator_weights_start_at_zero():
    keras.utils.set_random_seed(0)
    _, without = built(MLP(), Layout(3, ()))
    keras.utils.set_random_seed(0)
    _, with_indicator = built(MLP(missing_indicator=True), Layout(3, ()))
    values = rows(Layout(3, ()))
    assert np.isnan(values).any()
    np.testing.assert_array_equal(without(values), with_indicator(values))


def test_one_hot_without_units_is_a_linear_model():
    _, model = built(MLP(units=(), categories="one_hot"), Layout(2, (4,)))
    np.testing.assert_array_equal(model(np.array([[1.5, np.nan, 3]])), [[1.5, 0, 0, 0, 0, 1]])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"units": (), "missing_indicator": True},
            "expected false: without `units` there is no dense layer to use it",
        ),
        (
            {"dim": 3, "categories": "one_hot"},
            "expected no value: `one_hot` vectors have a fixed width",
        ),
    ],
)
def test_rules_of_the_mlp(fields, message):
    with pytest.raises(ValidationError) as caught:
        MLP(**fields)
    assert [error["msg"] for error in caught.value.errors()] == [message]


def test_category_ids_are_exact_in_half_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        _, inner = built(MLP(units=(), categories="one_hot"), Layout(1, (5_000,)))
        row = keras.Input((2,), dtype="float32", name="row")
        outer = keras.Model(row, inner(row))
        outputs = outer(np.array([[0, 4_095], [0, 2_049]], "float32")).numpy()
    finally:
        keras.config.set_dtype_policy(before)
    np.testing.assert_array_equal(outputs[:, 1:].argmax(axis=1), [4_095, 2_049])
