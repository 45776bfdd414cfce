"""Text encoders match plain Keras networks with Keras' implicit masks."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from mmzoo.lazy import keras, tf
from mmzoo.modalities.text.encoders import (
    TextAttention,
    TextCNN,
    TextEmbedding,
    TextGRU,
    TextLSTM,
    TextRNN,
    TextTransformer,
)

WORDS = 40


def built(encoder, words=WORDS) -> keras.Model:
    ids = keras.Input((None,), dtype="int32")
    features = encoder.build(ids, words)
    return keras.Model(ids, [features.vector, features.tokens])


def texts(lengths=(6, 1, 4, 9)) -> np.ndarray:
    ids = np.random.RandomState(0).randint(1, WORDS, (len(lengths), max(lengths)))
    return np.where(np.arange(max(lengths)) < np.array(lengths)[:, None], ids, 0).astype("int32")


def problems(build) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        build()
    return [error["msg"] for error in caught.value.errors()]


# Embedding.


def test_embedding_matches_plain_keras():
    """5,000 words, 100 positions, averaged: the Keras tutorial."""
    layers = keras.layers
    plain = keras.Sequential(
        [
            keras.Input((100,), dtype="int32"),
            layers.Embedding(5000, 128),
            layers.GlobalAveragePooling1D(),
            layers.Dense(128, "relu"),
            layers.Dropout(0.5),
        ]
    )
    model = built(TextEmbedding(dim=128, units=(128,), dropout=0.5), 5000)
    assert model.count_params() == plain.count_params() == 640_000 + 16_512
    model.set_weights(plain.get_weights())
    full = np.random.RandomState(0).randint(1, 5000, (3, 100)).astype("int32")
    np.testing.assert_allclose(model(full)[0], plain(full), atol=1e-6)
    kinds = {type(layer).__name__ for layer in model.layers}
    assert kinds >= {"Embedding", "MaskedAverage", "Dense", "Dropout"}


def test_average_ignores_padding():
    model = built(TextEmbedding(dim=5))
    table = model.get_layer("embedding").embeddings.numpy()
    for row, ids in zip(model(texts())[0], texts(), strict=True):
        np.testing.assert_allclose(row, table[ids[ids > 0]].mean(axis=0), atol=1e-6)


def test_ngrams_match_fasttext():
    """Words and pairs of words, averaged together."""
    model = built(TextEmbedding(dim=3, ngrams=2, buckets=100))
    words = model.get_layer("embedding").embeddings.numpy()
    pairs = np.random.RandomState(1).normal(size=(101, 3)).astype("float32")
    assert not model.get_layer("ngram_embedding").embeddings.numpy().any()
    model.get_layer("ngram_embedding").embeddings.assign(pairs)
    numbers = model.get_layer("ngrams")(texts()).numpy()
    for row, ids, of_pairs in zip(model(texts())[0], texts(), numbers, strict=True):
        length = (ids > 0).sum()
        vectors = np.concatenate([words[ids[:length]], pairs[of_pairs[: length - 1]]])
        assert len(vectors) == 2 * length - 1
        np.testing.assert_allclose(row, vectors.mean(axis=0), atol=1e-6)


def test_ngrams_depend_on_the_word_order():
    model = built(TextEmbedding(dim=3, ngrams=2, buckets=10_000))
    table = model.get_layer("ngram_embedding").embeddings
    table.assign(np.random.RandomState(1).normal(size=table.shape))
    there, back = model(np.array([[2, 3, 4]], "int32")), model(np.array([[4, 3, 2]], "int32"))
    assert np.abs(there[0] - back[0]).max() > 1e-3


def test_ngrams_have_a_limit():
    assert problems(lambda: TextEmbedding(ngrams=9)) == ["expected at most 8 words, got 9"]


# Convolutions.


def test_cnn_layers_follow_its_fields():
    model = built(TextCNN(dim=10, filters=7))
    assert model.count_params() == 10 * WORDS + sum(size * 10 * 7 + 7 for size in (3, 4, 5))
    assert model.output[0].shape == (None, 21)
    model = built(TextCNN(dim=10, filters=7, kernel_sizes=(2,), units=(5, 4)))
    assert model.count_params() == 10 * WORDS + (2 * 10 * 7 + 7) + (7 * 5 + 5) + (5 * 4 + 4)


def test_cnn_pads_with_zeros_and_pools_over_words():
    model = built(TextCNN(dim=4, filters=3, kernel_sizes=(3,), activation="tanh"))
    table, kernel, bias = model.get_weights()
    bias = bias + 0.5
    model.set_weights([table, kernel, bias])
    for row, ids in zip(model(texts())[0], texts(), strict=True):
        words = np.pad(table[ids[ids > 0]], [(1, 1), (0, 0)])
        maps = [
            np.tanh(np.einsum("wd,wdf->f", words[start : start + 3], kernel) + bias)
            for start in range(len(words) - 2)
        ]
        np.testing.assert_allclose(row, np.max(maps, axis=0), atol=1e-5)


def test_rules_of_the_cnn():
    assert problems(lambda: TextCNN(kernel_sizes=())) == [
        "expected at least one width, got an empty list"
    ]
    assert problems(lambda: TextCNN(kernel_sizes=(3, 3))) == [
        "expected different widths; for more filters of one width, raise `filters`"
    ]


# Recurrent.

KINDS = {TextRNN: "SimpleRNN", TextLSTM: "LSTM", TextGRU: "GRU"}


def masked(kind, table, bidirectional, units=6) -> keras.Model:
    """The same network in plain Keras with implicit masks."""
    layer = getattr(keras.layers, KINDS[kind])(units, return_sequences=True)
    if bidirectional:
        layer = keras.layers.Bidirectional(layer)
    ids = keras.Input((None,), dtype="int32")
    embedding = keras.layers.Embedding(*table.shape, mask_zero=True)
    model = keras.Model(ids, layer(embedding(ids)))
    embedding.embeddings.assign(table)
    return model


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_recurrent_layers_match_masked_keras_layers(kind, bidirectional):
    model = built(kind(dim=5, units=(6,), bidirectional=bidirectional))
    weights = [
        array
        for layer in sorted(model.layers, key=lambda layer: layer.name)  # Forwards, backwards.
        if layer.name.startswith(f"{kind().type}1")
        for array in layer.get_weights()
    ]
    plain = masked(kind, model.get_layer("embedding").embeddings.numpy(), bidirectional)
    assert plain.count_params() == model.count_params()
    plain.layers[-1].set_weights(weights)
    vector, tokens = model(texts())
    states = plain(texts()).numpy()
    present = texts() != 0
    np.testing.assert_allclose(tokens.numpy()[present], states[present], atol=1e-5)
    lengths = present.sum(axis=1)
    ends = [states[range(len(lengths)), lengths - 1, :6]]
    if bidirectional:
        ends.append(states[:, 0, 6:])
    np.testing.assert_allclose(vector, np.concatenate(ends, axis=1), atol=1e-5)


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_states_are_pooled_over_the_words(pooling):
    model = built(TextGRU(dim=5, units=(6,), bidirectional=True, pooling=pooling))
    vector, tokens = model(texts())
    take = np.mean if pooling == "average" else np.max
    for row, states, ids in zip(vector, tokens.numpy(), texts(), strict=True):
        np.testing.assert_allclose(row, take(states[ids > 0], axis=0), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.slow
def test_recurrent_dropout_does_not_affect_inference(kind):
    plain = built(kind(dim=5, units=(6, 4), bidirectional=True))
    dropping = built(
        kind(dim=5, units=(6, 4), bidirectional=True, dropout=0.3, recurrent_dropout=0.4)
    )
    # The seeds of dropout come after the weights of each layer.
    weights = iter(plain.get_weights())
    for variable in dropping.weights:
        if variable.dtype == "float32":
            variable.assign(next(weights))
    assert next(weights, None) is None
    for was, now in zip(plain(texts()), dropping(texts(), training=False), strict=True):
        np.testing.assert_allclose(now, was, atol=1e-6)
    first, second = (dropping(texts(), training=True)[0].numpy() for _ in range(2))
    assert (first != second).any()


@pytest.mark.parametrize("kind", [*KINDS, TextAttention])
def test_no_recurrent_layers_is_an_error(kind):
    assert problems(lambda: kind(units=())) == ["expected at least one layer, got an empty list"]


def test_layers_are_stacked():
    model = built(TextLSTM(dim=5, units=(6, 4), bidirectional=True))

    def lstm(inputs, units):
        return 4 * (units * (inputs + units) + units)

    assert model.count_params() == 5 * WORDS + 2 * lstm(5, 6) + 2 * lstm(12, 4)
    assert model.output[0].shape == (None, 8)
    assert model.output[1].shape == (None, None, 8)


# Attention.


def test_attention_averages_the_states():
    model = built(TextAttention(dim=5, units=(6,), attention_units=3))
    vector, tokens = model(texts())
    kernel, bias, question = (w.numpy() for w in model.get_layer("attention").weights)
    for row, states, ids in zip(vector, tokens.numpy(), texts(), strict=True):
        states = states[ids > 0]
        scores = np.exp(np.tanh(states @ kernel + bias) @ question)
        np.testing.assert_allclose(row, (scores / scores.sum() * states).sum(axis=0), atol=1e-5)


# Transformer.


def test_transformer_weights_match_the_paper():
    model = built(TextTransformer(dim=12, blocks=3, num_heads=4, hidden=20))
    block = 4 * (12 * 12 + 12) + (12 * 20 + 20) + (20 * 12 + 12) + 2 * 2 * 12
    assert model.count_params() - seeds(model) == 12 * WORDS + 3 * block + 2 * 12
    learned = built(TextTransformer(dim=12, blocks=1, num_heads=4, positions="learned", longest=7))
    assert learned.get_layer("positions").count_params() == 7 * 12


def seeds(model: keras.Model) -> int:
    """Number of dropout seed states, which Keras counts as parameters."""
    return sum(int(np.prod(w.shape)) for w in model.weights if w.dtype == "uint32")


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_transformer_depends_on_the_word_order(positions):
    model = built(TextTransformer(dim=8, num_heads=2, positions=positions))
    there, back = model(np.array([[2, 3, 4]], "int32")), model(np.array([[4, 3, 2]], "int32"))
    assert np.abs(there[0] - back[0]).max() > 1e-3


def test_texts_longer_than_the_learned_positions():
    model = built(TextTransformer(dim=8, num_heads=2, positions="learned", longest=3))
    assert np.isfinite(model(texts((9, 2)))[0]).all()


def test_num_heads_must_divide_dim():
    assert problems(lambda: TextTransformer(dim=10, num_heads=4)) == [
        "expected a divisor of `dim`, which is 10; got 4"
    ]


def test_average_of_half_precision_words_does_not_overflow():
    """A float16 sum would overflow, or lose small late values."""
    from mmzoo.layers.sequences import MaskedAverage

    layer = MaskedAverage(dtype="float16")
    values = tf.fill((1, 5000, 2), tf.constant(60.0, tf.float16))
    np.testing.assert_allclose(layer(values, tf.ones((1, 5000), tf.bool)), 60.0, rtol=1e-3)
