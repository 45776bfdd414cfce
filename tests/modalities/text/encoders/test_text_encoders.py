"""Contract of all text encoders; the tests iterate over the union of specs."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from mmzoo.lazy import keras, tf
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.text.encoders import (
    TextAttention,
    TextCNN,
    TextEmbedding,
    TextEncoder,
    TextGRU,
    TextLSTM,
    TextRNN,
    TextTransformer,
)
from mmzoo.spec.expected_types import ExpectedType
from mmzoo.weights import load_weights, save_weights

FAMILY = ExpectedType.from_annotation(TextEncoder).family
ENCODERS = {
    name: spec for name, spec in FAMILY.items() if name not in ("shared", "run")
}  # No network of their own.
WORDS = 50
slow = pytest.mark.slow

VARIANTS = {
    **{name: spec() for name, spec in ENCODERS.items()},
    "fasttext": TextEmbedding(ngrams=3, buckets=1000, units=(8,), dropout=0.5, spatial_dropout=0.2),
    "cnn_even": TextCNN(kernel_sizes=(2, 1), filters=6, activation="tanh", units=(5,)),
    "rnn_dropout": TextRNN(units=(8,), recurrent_dropout=0.2),
    "lstm_tutorial": TextLSTM(units=(16,), dropout=0.2, recurrent_dropout=0.2),
    "lstm_deep": TextLSTM(units=(6, 5), bidirectional=True),
    "lstm_average": TextLSTM(units=(6,), bidirectional=True, pooling="average"),
    "gru_max": TextGRU(units=(6,), bidirectional=True, pooling="max"),
    "gru_dropout": TextGRU(units=(8, 8), bidirectional=True, recurrent_dropout=0.2),
    "attention_lstm": TextAttention(cell="lstm", bidirectional=False, units=(9,)),
    "transformer_learned": TextTransformer(dim=12, positions="learned", longest=5, num_heads=3),
}


def test_there_are_text_encoders():
    assert set(ENCODERS) == {"attention", "cnn", "embedding", "gru", "lstm", "rnn", "transformer"}


QUICK = {*ENCODERS, "fasttext", "cnn_even", "lstm_deep", "transformer_learned"}


@pytest.fixture(
    params=[name if name in QUICK else pytest.param(name, marks=slow) for name in VARIANTS]
)
def encoder(request):
    """Encoder with its defaults, or with fields that change the network."""
    return VARIANTS[request.param]


def texts(lengths=(7, 1, 4, 9), positions=9, words=WORDS) -> np.ndarray:
    """Token ids of synthetic texts of the given lengths, int32 `[texts, positions]`."""
    random = np.random.RandomState(0)
    ids = random.randint(1, words, (len(lengths), max(lengths)))
    ids = np.pad(ids, [(0, 0), (0, positions - max(lengths))])
    return np.where(np.arange(positions) < np.array(lengths)[:, None], ids, 0).astype("int32")


def built(encoder, words=WORDS) -> tuple[Features, keras.Model]:
    ids = keras.Input((None,), dtype="int32")
    features = encoder.build(ids, words)
    return features, keras.Model(ids, [features.vector, features.tokens])


@cache
def shared(encoder) -> tuple[Features, keras.Model]:
    """Built once per encoder, for tests that leave its weights alone."""
    return built(encoder)


def test_features_have_a_static_width_for_any_text_length(encoder):
    features, model = shared(encoder)
    assert features.vector.shape[0] is None
    assert features.tokens.shape[:2] == (None, None)
    for positions in (9, 30):
        vector, tokens = model(texts(positions=positions), training=False)
        assert vector.shape == (4, features.vector.shape[1])
        assert tokens.shape == (4, positions, features.tokens.shape[2])
        for values in (vector, tokens):
            assert values.dtype == tf.float32
            assert np.isfinite(values).all()
            assert np.abs(values).max() > 0


def test_padding_does_not_change_features(encoder):
    _, model = shared(encoder)
    lengths = (7, 1, 4, 9)
    short = [values.numpy() for values in model(texts(lengths), training=False)]
    for positions in (10, 64):
        longer = [values.numpy() for values in model(texts(lengths, positions), training=False)]
        np.testing.assert_allclose(longer[0], short[0], atol=1e-5)
        np.testing.assert_allclose(longer[1][:, :9], short[1], atol=1e-5)
    separate = [values.numpy()[0] for values in model(texts(lengths)[:1, :7], training=False)]
    np.testing.assert_allclose(separate[0], short[0][0], atol=1e-5)
    np.testing.assert_allclose(separate[1], short[1][0, :7], atol=1e-5)


def test_embedding_of_the_padding_id_has_no_effect(encoder):
    _, model = built(encoder)
    before = [values.numpy() for values in model(texts(), training=False)]
    table = model.get_layer("embedding").embeddings
    values = table.numpy()
    values[0] = 100.0
    table.assign(values)
    for was, now in zip(before, model(texts(), training=False), strict=True):
        np.testing.assert_allclose(now, was, atol=1e-5)


def test_tokens_are_zero_at_padding(encoder):
    _, model = shared(encoder)
    tokens = model(texts(), training=False)[1].numpy()
    present = texts() != 0
    assert (tokens[~present] == 0).all()
    assert (np.abs(tokens[present]).max(axis=-1) > 0).all()


def test_empty_text_has_finite_features_and_gradients(encoder):
    _, model = shared(encoder)
    vectors = [model(np.zeros((2, n), "int32"), training=False)[0].numpy() for n in (1, 12)]
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(*vectors, atol=1e-5)
    with tf.GradientTape() as tape:
        vector = model(texts((3, 0, 5), 6), training=True)[0]
        loss = tf.reduce_sum(tf.square(vector - 1.0))
    for gradient in tape.gradient(loss, model.trainable_variables):
        assert np.isfinite(tf.convert_to_tensor(gradient)).all()


def test_features_depend_on_every_word_and_no_other_text(encoder):
    _, model = shared(encoder)
    original = np.repeat(texts((9,)), 10, axis=0)
    changed = original.copy()
    words = np.arange(9)
    changed[words, words] = original[words, words] % (WORDS - 1) + 1  # Row 9 stays as it is.
    before, now = (
        [values.numpy() for values in model(ids, training=False)] for ids in (original, changed)
    )
    assert (now[1][words, words] != before[1][words, words]).any(axis=-1).all()
    if not isinstance(encoder, TextCNN):  # Its maxima may be at other words.
        assert (now[0][:9] != before[0][:9]).any(axis=-1).all()
    np.testing.assert_allclose(now[0][9], before[0][9], atol=1e-6)


def test_gradients_reach_every_weight(encoder):
    _, model = shared(encoder)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(texts(), training=True)[0] - 1.0))
    gradients = tape.gradient(loss, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert tf.reduce_max(tf.abs(tf.convert_to_tensor(gradient))) > 0, variable.path


def test_gradients_are_zero_at_padding(encoder):
    _, model = shared(encoder)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(texts(), training=False)[0] - 1.0))
    gradient = tape.gradient(loss, model.get_layer("embedding").embeddings.value)
    np.testing.assert_array_equal(tf.convert_to_tensor(gradient)[0], 0.0)


def test_frozen_embeddings_are_not_trained(encoder):
    _, model = built(encoder.replace(trainable=False))
    table = model.get_layer("embedding").embeddings
    assert all(weight is not table for weight in model.trainable_variables)
    assert any(weight is table for weight in model.weights)
    # The layers after the embedding are, so the encoder is not frozen.
    assert not encoder.replace(trainable=False).frozen
    assert encoder.replace(trainable=False).unfrozen(None).trainable


def test_dropout_in_training_only(encoder):
    _, model = shared(encoder)
    quiet = [model(texts(), training=False)[0].numpy() for _ in range(2)]
    np.testing.assert_array_equal(*quiet)
    noisy = [model(texts(), training=True)[0].numpy() for _ in range(2)]
    rates = [getattr(encoder, name, 0) for name in ("dropout", "recurrent_dropout")]
    assert (noisy[0] != noisy[1]).any() == any(rates)


def test_initial_weights_depend_on_the_seed_and_names_on_nothing(encoder):
    """Weights files use layer names, so there must be no counters such as `conv2d_7`."""

    def seeded(seed):
        keras.utils.set_random_seed(seed)
        return built(encoder)[1]

    first, again, other = seeded(1), seeded(1), seeded(2)
    weights = [model.get_weights() for model in (first, again, other)]
    assert all((a == b).all() for a, b in zip(*weights[:2], strict=True))
    assert any((a != b).any() for a, b in zip(weights[0], weights[2], strict=True))
    # The first layer is the input layer of the test.
    assert [one.name for one in first.layers][1:] == [one.name for one in again.layers][1:]


def test_weights_round_trip(encoder, tmp_path):
    _, model = shared(encoder)
    save_weights(model, tmp_path / "x.weights.h5")
    _, other = built(encoder)
    load_weights(other, tmp_path / "x.weights.h5")
    for was, now in zip(model(texts()), other(texts()), strict=True):
        np.testing.assert_array_equal(now, was)


@pytest.mark.parametrize("policy", ["mixed_float16", pytest.param("mixed_bfloat16", marks=slow)])
def test_mixed_precision(encoder, policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        _, model = built(encoder)
    finally:
        keras.config.set_dtype_policy(before)
    assert all(weight.dtype == "float32" for weight in model.trainable_variables)
    with tf.GradientTape() as tape:
        outputs = model(texts((7, 1, 0, 9)), training=True)
        vector = tf.cast(outputs[0], tf.float32)
        loss = tf.reduce_mean(tf.square(vector - 1.0))
    for values in outputs:
        assert values.dtype == policy.removeprefix("mixed_")
        assert np.isfinite(tf.cast(values, tf.float32)).all()
    for gradient in tape.gradient(loss, model.trainable_variables):
        assert np.isfinite(tf.convert_to_tensor(gradient)).all()


@pytest.mark.parametrize(
    "name",
    [
        name if name in ("embedding", "gru") else pytest.param(name, marks=slow)
        for name in (*ENCODERS, "fasttext", "gru_dropout")
    ],
)
def test_learns_to_separate_words(name):
    """Texts of low ids against texts of high ids, trained in a graph."""
    keras.utils.set_random_seed(0)
    ids = keras.Input((None,), dtype="int32")
    vector = VARIANTS[name].build(ids, WORDS).vector
    model = keras.Model(ids, keras.layers.Dense(1, "sigmoid")(vector))
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", jit_compile=False)
    random = np.random.RandomState(0)
    labels = random.randint(0, 2, 64)
    values = random.randint(2, WORDS // 2, (64, 6)) + labels[:, None] * (WORDS // 2 - 1)
    values[:, 5:] *= random.randint(0, 2, (64, 1))
    history = model.fit(values.astype("int32"), labels, batch_size=32, epochs=15, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
