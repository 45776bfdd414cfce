"""The audio input: rules, files, arrays, and waveforms in the model."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from frames import frame_of
from pydantic import ValidationError
from sample_sounds import encoded, hiss, tone, write

from mmzoo.errors import DataError
from mmzoo.layers.spectrograms import LogMel
from mmzoo.lazy import keras, tf
from mmzoo.modalities.abilities import HasImage
from mmzoo.modalities.audio import Audio
from mmzoo.modalities.audio.audio_files import decode_audio
from mmzoo.modalities.audio.encoders import AudioCNN
from mmzoo.modalities.file_probe import file_array
from mmzoo.modalities.scan import Scan


def audio(**fields) -> Audio:
    options = {"rate": 8_000, "seconds": 1.0, "encoder": {"type": "cnn", "filters": (2,)}}
    return Audio(**{"column": "sound", **options, **fields})


def text(*paths: Path) -> np.ndarray:
    return np.array([str(path) for path in paths], dtype=object)


def opened(spec: Audio, *paths: Path) -> Scan:
    return spec.scan(frame_of({"train": {"sound": text(*paths)}}), "here")


def messages(build) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        build()
    return [error["msg"] for error in caught.value.errors()]


# Rules.


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"seconds": 0.02},
            "a frame of 0.025 seconds is longer than the audio, which has 0.02",
        ),
        (
            {"spectrogram": {"type": "log_mel", "high": 5_000.0}},
            "audio with a sample rate of 8,000 Hz has no frequencies above 4000 Hz, got 5000",
        ),
        (
            {"spectrogram": {"type": "log_mel", "low": 4_000.0}},
            "expected less than 4000, the upper edge of the highest band",
        ),
        (
            {"spectrogram": {"type": "log_mel", "window": 0.0002}},
            "0.0002 seconds are 2 samples at 8,000 Hz, expected 4 or more: at least 0.0005 seconds",
        ),
        (
            {"spectrogram": {"type": "log_mel", "bins": 128}},
            "128 bands are too many for frames of 0.025 seconds: the lowest bands contain no "
            "frequency. Use fewer bands or a longer `window`",
        ),
        (
            {"spectrogram": {"type": "mfcc", "bins": 10, "coefficients": 11}},
            "expected at most 10, the number of `bins`",
        ),
        (
            {"encoder": {"type": "cnn", "filters": (2,) * 8}},
            "spectrograms of 98 frames x 64 are too small for this cnn encoder: the minimum is "
            "256 x 256",
        ),
        (
            {"seconds": 1e6},
            "1e+06 seconds at 8,000 Hz are 8,000,000,000 samples, expected 1 to 2,147,483,647",
        ),
        (
            {"seconds": 1e308},
            "1e+308 seconds at 8,000 Hz are inf samples, expected 1 to 2,147,483,647",
        ),
        (
            {"spectrogram": {"type": "log_mel", "window": 1e308}},
            "a frame of 1e+308 seconds is longer than the audio, which has 1",
        ),
        (
            {"augment": ({"type": "noise", "snr": (20.0, 10.0)},)},
            "the lowest ratio, 20.0, is above the highest, 10.0: write [10.0, 20.0]",
        ),
    ],
)
def test_rules(fields, message):
    assert messages(lambda: audio(**fields)) == [message]


def test_silence_has_finite_decibels_at_the_lowest_floor():
    """Below that floor the power would be 0 in float32 and its logarithm infinite."""
    audio(spectrogram={"type": "log_mel", "floor": -200.0})
    with pytest.raises(ValidationError, match="greater than or equal to -200"):
        audio(spectrogram={"type": "log_mel", "floor": -201.0})
    layer = LogMel(8_000, 10, 200, 80, 20.0, 4_000.0, floor=-200.0)
    np.testing.assert_allclose(layer(np.zeros((1, 800), "float32")), -200.0, atol=1e-3)


def test_empty_mel_bands_are_found_exactly():
    """The rule, computed without numpy, agrees with the weights of the layer."""
    for bins in range(20, 90, 3):
        layer = LogMel(8_000, bins, 200, 80, 20.0, 4_000.0)
        empty = bool((layer._mel_weights().sum(0) == 0).any())
        try:
            audio(spectrogram={"type": "log_mel", "bins": bins})
        except ValidationError:
            assert empty, bins
        else:
            assert not empty, bins


def test_the_shortest_audio_is_tight():
    """One frame less than the encoder needs is refused, and exactly enough is accepted."""
    encoder = AudioCNN(filters=(2, 2, 2, 2))
    smallest = encoder.smallest_spectrogram()
    seconds = 0.025 + 0.01 * (smallest - 1)
    assert audio(seconds=seconds, encoder=encoder).features(
        keras.Input((round(seconds * 8_000),), dtype="float32")
    )
    [message] = messages(lambda: audio(seconds=seconds - 0.01, encoder=encoder))
    assert message.startswith(f"spectrograms of {smallest - 1} frames x 64 are too small")


# Arrays.


@pytest.mark.parametrize("keep", ["start", "center"])
@pytest.mark.parametrize("samples", [7_000, 8_000, 9_001])
def test_waveforms_are_trimmed_or_padded_like_files(keep, samples):
    spec = audio(keep=keep)
    values = hiss(samples)[:, 0]
    content = encoded(values, subtype="FLOAT")
    fitted = spec.load(tf.constant(values[None])).numpy()
    np.testing.assert_array_equal(fitted[0], decode_audio(content, spec._waveform_format))


def test_waveforms_of_the_right_length_are_unchanged():
    values = tf.constant(tone()[None])
    assert audio().load(values) is values


def test_16_bit_waveforms_are_scaled():
    values = np.array([[-(2**15), 0, 2**14] + [0] * 7_997], "int16")
    assert audio().load(tf.constant(values)).numpy()[0, :3].tolist() == [-1.0, 0.0, 0.5]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 3, 4), "float32"), r"shape \(rows, samples\), found \(2, 3, 4\)"),
        (np.zeros((2, 0), "float32"), r"shape \(rows, samples\), found \(2, 0\)"),
        (np.zeros((2, 8), "uint8"), "as int16, found uint8"),
        (np.full((2, 8), np.nan, "float32"), "row 0 has samples that are not finite"),
    ],
)
def test_other_arrays_are_refused(values, message):
    with pytest.raises(DataError, match=message):
        audio().check(values, "audio")


def test_synthetic_audio_is_valid():
    spec = audio()
    values = spec.synthetic(np.random.RandomState(0), 5)
    spec.check(values, "audio")
    scan = spec.scan(frame_of({"train": {"sound": values}}), "here")
    np.testing.assert_array_equal(spec.transform(scan.values, {}, "here"), values)
    assert spec.load(tf.constant(values)).shape == (5, 8_000)


# Files.


def test_a_scan_gives_path_length_and_hash(tmp_path):
    paths = [write(tmp_path / "a.wav", tone()), write(tmp_path / "b.wav", tone(seconds=0.5))]
    found = opened(audio(), *paths)
    expected = [
        [str(path).encode(), length, hashlib.sha256(path.read_bytes()).hexdigest().encode()]
        for path, length in zip(paths, (b"1.000", b"0.500"), strict=True)
    ]
    assert file_array(found.values).tolist() == expected
    measured = audio().lengths(found.values)
    assert (measured.lengths.tolist(), measured.limit, measured.unit) == ([1, 0.5], 1, "seconds")


def test_files_are_loaded_as_waveforms(tmp_path):
    values = [tone(200.0 * (1 + number)) for number in range(5)]
    containers = ("WAV", "FLAC", "WAV", "FLAC", "WAV")
    paths = [
        write(tmp_path / f"{number}.mp3", one, container=container, subtype="PCM_24")
        for number, (one, container) in enumerate(zip(values, containers, strict=True))
    ]  # Whatever they are called.
    spec = audio()
    files = file_array(opened(spec, *paths).values)
    decoded = spec.load(tf.constant(files))
    assert decoded.dtype == tf.float32
    np.testing.assert_allclose(decoded, np.stack(values), atol=2e-7)


def test_unreadable_files_have_reasons(tmp_path):
    short = encoded(tone())[:1_044]
    (tmp_path / "short.wav").write_bytes(short)
    (tmp_path / "text.wav").write_text("no sound")
    paths = [write(tmp_path / "good.wav", tone()), tmp_path / "short.wav", tmp_path / "text.wav"]
    assert opened(audio(), *paths).issues == {
        1: "the audio is damaged: it has 1,000 of 16,000 bytes of samples",
        2: "not an audio file that mmzoo can read: expected WAV, FLAC, OGG or MP3",
    }


def test_decoding_finds_further_damage(tmp_path):
    path = write(tmp_path / "cut.flac", hiss(), container="FLAC")
    path.write_bytes(path.read_bytes()[:-2_000])
    good = write(tmp_path / "good.flac", hiss(), container="FLAC")
    found = opened(audio(), path, good)
    assert list(found.issues) == [0]
    assert list(audio().find_corrupt(file_array(found.values))) == [0]


def test_flawed_files_are_reported_by_kind_with_a_count_and_an_example(tmp_path):
    silent, opposite = np.zeros((8_000, 1), "float32"), hiss() * [1, -1]
    paths = [
        write(tmp_path / f"{number}.wav", values)
        for number, values in enumerate([hiss(), silent, opposite, silent])
    ]
    assert opened(audio(), *paths, paths[1]).warnings == (
        "2 of 4 files are silent; for example row 1",
        "1 of 4 files have channels that cancel each other out, as one is the other with the "
        "opposite sign: their average is silent; for example row 2",
    )


def test_a_damaged_file_fails_its_batch(tmp_path):
    path = write(tmp_path / "cut.flac", hiss(), container="FLAC")
    files = file_array(opened(audio(), path).values)
    path.write_bytes(path.read_bytes()[:-2_000])
    batches = tf.data.Dataset.from_tensors(files).map(audio().load)
    with pytest.raises(tf.errors.OpError):
        next(iter(batches))


def test_changes_to_files_are_noted_once(tmp_path):
    paths = [
        write(tmp_path / "0.wav", tone()),
        write(tmp_path / "1.wav", tone(rate=16_000, seconds=2.0), 16_000),
        write(tmp_path / "2.wav", tone(rate=44_100, seconds=0.5), 44_100),
        write(tmp_path / "3.wav", hiss(8_000, channels=2)),
    ]
    assert opened(audio(), *paths).notes == (
        "2 of 4 files are resampled, from 16,000 to 44,100 to 8,000 Hz",
        "1 of 4 files have several channels, which are averaged into one",
        "1 of 4 files are longer than 1 s, and truncated to their start",
        "1 of 4 files are shorter than 1 s, and padded with silence",
    )
    assert not opened(audio(), paths[0]).notes


# The model.


@pytest.mark.parametrize("normalize", ["batch", "example"])
@pytest.mark.parametrize("spectrogram", ["log_mel", "mfcc"])
def test_the_encoder_receives_normalized_spectrograms(normalize, spectrogram):
    spec = audio(normalize=normalize, spectrogram={"type": spectrogram})
    x = spec.placeholder("audio")
    model = keras.Model(x, spec.features(x).vector)
    seen = keras.Model(x, model.get_layer("normalize").output)
    values = np.stack([hiss(seed=seed)[:, 0] for seed in range(8)])
    normal = seen(values, training=True).numpy()
    assert normal.shape == (8, 98, 64 if spectrogram == "log_mel" else 20)
    axes = (0, 1) if normalize == "batch" else (1, 2)
    np.testing.assert_allclose(normal.mean(axes), 0, atol=1e-3)
    np.testing.assert_allclose(normal.std(axes), 1, atol=1e-2)


@pytest.mark.parametrize("normalize", ["batch", "example"])
def test_silence_has_finite_features(normalize):
    spec = audio(normalize=normalize, masking={})
    x = spec.placeholder("audio")
    model = keras.Model(x, spec.features(x).vector)
    assert np.isfinite(model(np.zeros((2, 8_000), "float32"), training=True)).all()


def test_predictions_do_not_depend_on_the_batch():
    spec = audio()
    x = spec.placeholder("audio")
    model = keras.Model(x, spec.features(x).vector)
    quiet, loud = 1e-3 * tone()[None], tone()[None]
    together = model(np.concatenate([quiet, loud])).numpy()
    np.testing.assert_allclose(together[:1], model(quiet), rtol=1e-4, atol=1e-6)


def test_spectrograms_are_float32_under_every_policy():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        spec = audio(masking={})
        x = spec.placeholder("audio")
        model = keras.Model(x, spec.features(x).vector)
    finally:
        keras.config.set_dtype_policy(before)
    loud = keras.Model(x, model.get_layer("log_mel").output)(100 * tone()[None])
    assert (loud.dtype, model.output.dtype) == ("float32", "float16")
    assert np.isfinite(loud).all()
    assert np.isfinite(model(100 * tone()[None], training=True)).all()


# Pictures.


def test_the_plot_shows_waveform_and_spectrogram():
    spec = audio()
    silent, low, high = (
        spec.to_image(one) for one in (np.zeros(8_000, "float32"), tone(300), tone(3_000))
    )
    assert (low.dtype, low.shape) == (np.uint8, (180, 180, 3))
    wave, spectrum = slice(0, 56), slice(60, 180)
    assert (silent[wave] != 255).any(2).sum() == 180  # A line in the middle.
    assert (low[wave] != 255).any(2).mean() > 0.9
    bright = [image[spectrum].sum((1, 2)).argmax() for image in (low, high)]
    assert bright[0] > 80  # Low frequencies are at the bottom.
    assert bright[1] < 30
    assert isinstance(spec, HasImage)


def test_audio_shorter_than_the_plot_is_drawn():
    spec = audio(
        seconds=0.01,
        spectrogram={"type": "log_mel", "window": 0.005, "bins": 5},
        encoder={"type": "rnn"},
    )
    assert spec.to_image(tone()[:80]).shape == (180, 180, 3)
