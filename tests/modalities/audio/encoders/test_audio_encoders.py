"""Contract of all audio encoders; the tests iterate over the union of specs."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from mmzoo.lazy import keras, tf
from mmzoo.modalities.audio.encoders import AudioCNN, AudioEncoder, AudioGRU, AudioLSTM, AudioRNN
from mmzoo.modalities.base_encoder import Features
from mmzoo.modalities.image.encoders import CNN
from mmzoo.spec.expected_types import ExpectedType
from mmzoo.weights import load_weights, save_weights

FAMILY = ExpectedType.from_annotation(AudioEncoder).family
ENCODERS = {
    name: spec for name, spec in FAMILY.items() if name not in ("shared", "run")
}  # No network of their own.

VARIANTS = {
    **{name: spec() for name, spec in ENCODERS.items()},
    "cnn_flat": AudioCNN(filters=(4, 8), pooling="flatten", units=(6,), dropout=0.2),
    "lstm_deep": AudioLSTM(units=(6, 5), dropout=0.2),
    "lstm_last": AudioLSTM(units=(6,), pooling="last"),
    "gru_max": AudioGRU(units=(6,), bidirectional=False, pooling="max"),
    "gru_last": AudioGRU(units=(6,), bidirectional=False, pooling="last"),
    "rnn_dropout": AudioRNN(units=(8,), recurrent_dropout=0.2),
}


def test_there_are_audio_encoders():
    assert set(ENCODERS) >= {"cnn", "rnn", "lstm", "gru"}


QUICK = {*ENCODERS, "cnn_flat", "lstm_last"}


@pytest.fixture(
    params=[
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in VARIANTS
    ]
)
def encoder(request):
    return VARIANTS[request.param]


def spectrograms(shape, count=3, seed=0) -> np.ndarray:
    return np.random.RandomState(seed).normal(0, 1, (count, *shape)).astype("float32")


def built(encoder, shape) -> tuple[Features, keras.Model]:
    x = keras.Input(shape)
    features = encoder.build(x)
    return features, keras.Model(x, [features.vector, features.tokens])


def shapes(encoder):
    smallest = encoder.smallest_spectrogram()
    sizes = [(smallest, smallest), (20, 16), (25, 40)]
    return list(dict.fromkeys((max(f, smallest), max(b, smallest)) for f, b in sizes))


def test_features_have_a_static_width(encoder):
    for shape in shapes(encoder):
        features, model = built(encoder, shape)
        assert features.vector.shape[0] is None
        assert len(features.vector.shape) == 2
        vector, tokens = model(spectrograms(shape), training=False)
        assert vector.shape == (3, *features.vector.shape[1:])
        assert tokens.shape == (3, *features.tokens.shape[1:])
        assert all(size >= 1 for size in features.tokens.shape[1:])
        assert np.isfinite(vector).all()
        assert np.isfinite(tokens).all()


def test_gradients_reach_every_weight(encoder):
    _, model = built(encoder, (25, 40))
    with tf.GradientTape() as tape:
        vector = model(spectrograms((25, 40)), training=True)[0]
        loss = tf.reduce_mean(tf.square(vector - 1.0))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert len(gradients) > 1
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, variable.path
        assert tf.reduce_max(tf.abs(gradient)) > 0, variable.path


def test_initial_weights_depend_on_the_seed_and_names_on_nothing(encoder):
    """Weights files use layer names, so there must be no counters such as `conv2d_7`."""

    def seeded(seed):
        keras.utils.set_random_seed(seed)
        return built(encoder, (20, 16))[1]

    first, again, other = seeded(1), seeded(1), seeded(2)
    weights = [model.get_weights() for model in (first, again, other)]
    assert all((a == b).all() for a, b in zip(*weights[:2], strict=True))
    assert any((a != b).any() for a, b in zip(weights[0], weights[2], strict=True))
    # The first layer is the input layer of the test.
    assert [one.name for one in first.layers][1:] == [one.name for one in again.layers][1:]


def test_mixed_precision(encoder):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        _, model = built(encoder, (20, 16))
    finally:
        keras.config.set_dtype_policy(before)
    vector, _ = model(spectrograms((20, 16)), training=True)
    assert vector.dtype == "float16"
    assert np.isfinite(vector).all()


def test_weights_round_trip(encoder, tmp_path):
    _, model = built(encoder, (20, 16))
    expected = model(spectrograms((20, 16)), training=False)[0].numpy()
    save_weights(model, tmp_path / "model.weights.h5")
    keras.utils.set_random_seed(99)
    _, other = built(encoder, (20, 16))
    load_weights(other, tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(other(spectrograms((20, 16)), training=False)[0], expected)


# CNN.


def test_cnn_equals_the_image_cnn_on_one_channel():
    """With equal weights: both are built by the same code."""
    fields = {"filters": (4, 8), "kernel_size": 3, "padding": "same", "pooling": "average"}
    _, audio = built(AudioCNN(**fields, batch_norm=False), (12, 10))
    image_file = keras.Input((12, 10, 1), dtype="uint8")
    image = keras.Model(image_file, CNN(**fields).build(image_file).vector)
    image.set_weights(audio.get_weights())
    pixels = np.random.RandomState(0).randint(0, 256, (3, 12, 10, 1)).astype("uint8")
    scaled = pixels[..., 0].astype("float32") / 255
    np.testing.assert_allclose(audio(scaled)[0], image(pixels), rtol=1e-5, atol=1e-6)


def test_cnn_is_invariant_to_time_shifts():
    """By multiples of the stride, with silence around the sound."""
    _, model = built(AudioCNN(filters=(4, 8)), (64, 16))
    early = np.zeros((1, 64, 16), "float32")
    early[:, 16:32] = spectrograms((16, 16), count=1)
    later = np.roll(early, 8, axis=1)
    np.testing.assert_allclose(model(early)[0], model(later)[0], rtol=1e-5, atol=1e-6)


def test_smallest_spectrogram_is_tight():
    encoder = AudioCNN(filters=(2, 2), padding="valid")
    smallest = encoder.smallest_spectrogram()
    built(encoder, (smallest, smallest))
    with pytest.raises(ValueError, match="Computed output size would be"):
        built(encoder, (smallest - 1, smallest))


# Recurrent.


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_tokens_are_the_states_at_every_frame(name):
    for bidirectional in (False, True):
        features, _ = built(ENCODERS[name](units=(6, 5), bidirectional=bidirectional), (20, 16))
        assert features.tokens.shape == (None, 20, 10 if bidirectional else 5)
        assert features.vector.shape == (None, 10 if bidirectional else 5)


@pytest.mark.parametrize("pooling", ["last", "average", "max"])
def test_states_are_pooled(pooling):
    _, model = built(AudioGRU(units=(5,), pooling=pooling), (20, 16))
    vector, tokens = (one.numpy() for one in model(spectrograms((20, 16))))
    # The backward direction ends at the first frame.
    ends = np.concatenate([tokens[:, -1, :5], tokens[:, 0, 5:]], axis=1)
    expected = {"last": ends, "average": tokens.mean(1), "max": tokens.max(1)}[pooling]
    np.testing.assert_allclose(vector, expected, rtol=1e-5, atol=1e-6)


def test_backward_layer_equals_forward_layer_on_reversed_frames():
    _, model = built(AudioLSTM(units=(5,)), (20, 16))
    values = spectrograms((20, 16))
    weights = model.get_weights()
    half = len(weights) // 2
    _, swapped = built(AudioLSTM(units=(5,)), (20, 16))
    swapped.set_weights(weights[half:] + weights[:half])
    forwards, backwards = np.split(model(values)[1].numpy(), 2, axis=2)
    other = np.split(swapped(values[:, ::-1])[1].numpy()[:, ::-1], 2, axis=2)
    np.testing.assert_allclose(forwards, other[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(backwards, other[0], rtol=1e-5, atol=1e-6)


def test_no_recurrent_layers_is_an_error():
    with pytest.raises(ValidationError, match="expected at least one layer, got an empty list"):
        AudioGRU(units=())


def test_parameter_counts_match_keras():
    """A bidirectional LSTM of 64 units on 64 bins: 2 * 4 * 64 * (64 + 64 + 1)."""
    _, model = built(AudioLSTM(), (20, 64))
    assert model.count_params() == 2 * 4 * 64 * (64 + 64 + 1)
