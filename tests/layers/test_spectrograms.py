"""Spectrograms match numpy and scipy; SpecAugment masks bands and frames in training only."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.fft
import scipy.signal

from mmzoo.layers.spectrograms import MFCC, LogMel, SpecAugment, mel_band_edges
from mmzoo.lazy import keras, tf

RATE = 8_000


def noise(samples: int = 4_000) -> np.ndarray:
    return np.random.RandomState(0).normal(0, 0.1, (2, samples)).astype("float32")


def mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


def hertz(mels: float) -> float:
    return 700 * (10 ** (mels / 2595) - 1)


def triangles(bins: int, low: float, high: float, length: int) -> np.ndarray:
    """Triangular filters as in the HTK book, `[frequencies, bins]`."""
    step = (mel(high) - mel(low)) / (bins + 1)
    edges = [hertz(mel(low) + step * number) for number in range(bins + 2)]
    filters = np.zeros((length // 2 + 1, bins))
    for band in range(bins):
        start, peak, end = edges[band : band + 3]
        for place in range(length // 2 + 1):
            frequency = place * RATE / length
            if start < frequency <= peak:
                filters[place, band] = (frequency - start) / (peak - start)
            elif peak < frequency < end:
                filters[place, band] = (end - frequency) / (end - peak)
    return filters


@pytest.mark.parametrize(
    ("bins", "window", "hop", "length", "low", "high"),
    [
        (40, 200, 80, 256, 20.0, 4_000.0),
        (20, 256, 100, 256, 0.0, 3_000.0),
        (64, 400, 160, 512, 50.0, 4_000.0),
    ],
)
def test_matches_the_definition(bins, window, hop, length, low, high):
    """Spectra of scipy, filters of the HTK book."""
    values = noise()
    frames = np.lib.stride_tricks.sliding_window_view(values, window, axis=1)[:, ::hop]
    hann = scipy.signal.get_window("hann", window)  # Periodic.
    power = np.abs(scipy.fft.rfft(frames * hann, length)) ** 2
    reference = length * (hann**2).sum() / 4  # The power of a sine of amplitude 1.
    expected = 10 * np.log10(np.maximum(power @ triangles(bins, low, high, length), 1e-30))
    expected -= 10 * np.log10(reference)
    layer = LogMel(RATE, bins, window, hop, low, high, floor=-200.0)
    assert layer.compute_output_shape((None, values.shape[1])) == (None, *expected.shape[1:])
    np.testing.assert_allclose(layer(values), expected, atol=2e-3)


def test_sine_of_amplitude_1_is_0_decibels():
    sine = np.sin(2 * np.pi * 1_000 * np.arange(RATE) / RATE).astype("float32")[None]
    wide = LogMel(RATE, 1, 400, 160, 0.0, 4_000.0)  # One band with its peak at 1,246 Hz.
    weight = 1_000 / hertz(mel(4_000) / 2)
    np.testing.assert_allclose(wide(sine), 10 * np.log10(weight), atol=0.05)
    np.testing.assert_allclose(wide(sine / 10) - wide(sine), -20, atol=1e-3)


def test_mel_scale_is_that_of_htk():
    edges = mel_band_edges(1, 0.0, 4_000.0)
    assert mel(1_000) == pytest.approx(999.99, abs=0.01)  # 1,000 Hz are 1,000 mel by definition.
    np.testing.assert_allclose(edges, [0, hertz(mel(4_000) / 2), 4_000], atol=1e-9)


def test_silence_is_the_floor():
    layer = LogMel(RATE, 10, 200, 80, 20.0, 4_000.0, floor=-60.0)
    np.testing.assert_allclose(layer(np.zeros((1, 800), "float32")), -60.0, atol=1e-4)


def test_static_output_shape():
    for samples in range(200, 400, 7):
        x = keras.Input((samples,))
        outputs = LogMel(RATE, 10, 200, 80, 20.0, 4_000.0)(x)
        made = keras.Model(x, outputs)(np.zeros((1, samples), "float32"))
        assert made.shape[1:] == outputs.shape[1:]


@pytest.mark.parametrize("coefficients", [1, 13, 40])
def test_mfcc_matches_scipy_dct(coefficients):
    values = np.random.RandomState(0).normal(0, 20, (2, 5, 40)).astype("float32")
    expected = scipy.fft.dct(values, type=2, norm="ortho", axis=-1)[..., :coefficients]
    layer = MFCC(coefficients)
    assert layer.compute_output_shape((None, 5, 40)) == (None, 5, coefficients)
    np.testing.assert_allclose(layer(values), expected, atol=2e-4)


def test_gradients_reach_the_waveform():
    """Attributions of a class to parts of the audio need these gradients."""
    waveforms = tf.constant(noise())
    with tf.GradientTape() as tape:
        tape.watch(waveforms)
        spectrograms = LogMel(RATE, 40, 200, 80, 20.0, 4_000.0)(waveforms)
        loss = tf.reduce_sum(MFCC(13)(spectrograms))
    gradient = tape.gradient(loss, waveforms)
    assert np.isfinite(gradient).all()
    assert (gradient.numpy() != 0).mean() > 0.9


def test_log_mel_config_round_trip():
    settings = {"rate": RATE, "bins": 10, "window": 200, "hop": 80, "low": 0.0, "high": 4_000.0}
    described = LogMel(**settings, floor=-50.0).get_config()
    assert {key: described[key] for key in settings} == settings
    assert described["floor"] == -50.0
    assert MFCC(7).get_config()["coefficients"] == 7


ONES = np.ones((400, 50, 40), "float32")


def hidden(seen: tf.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Which frames and which bins of each example are fully masked."""
    empty = np.asarray(seen) == 0
    return empty.all(2), empty.all(1)


def test_masks_in_training_only():
    layer = SpecAugment()
    assert layer(ONES) is not None
    np.testing.assert_array_equal(layer(ONES, training=False), ONES)


def test_masks_have_every_width_up_to_the_maximum():
    seen = SpecAugment(1, 0.25, 1, 0.2, seed=0)(ONES, training=True).numpy()
    frames, bins = hidden(seen)
    for masks, widest in ((frames, 10), (bins, 10)):
        widths = masks.sum(1)
        assert set(widths) == set(range(widest + 1))  # Uniform: 400 examples contain all.
        for mask in masks:
            places = np.flatnonzero(mask)
            assert len(places) == 0 or np.ptp(places) == len(places) - 1
        assert masks.any(0).all()  # Every position is masked in some example.
    # Unmasked values do not change.
    np.testing.assert_array_equal(seen == 0, frames[:, :, None] | bins[:, None, :])


@pytest.mark.parametrize(("width", "widest"), [(0.1, 4), (0.11, 4), (0.12, 5)])
def test_widths_are_uniform_for_fractional_maximum(width, widest):
    seen = SpecAugment(1, width, 0, 0.0, seed=0)(np.ones((6_000, 2, 40), "float32"), training=True)
    counts = np.bincount(hidden(seen)[1].sum(1))
    assert len(counts) == widest + 1
    np.testing.assert_allclose(counts, 6_000 / (widest + 1), rtol=0.12)


def test_more_masks_cover_more():
    frames, bins = hidden(SpecAugment(3, 0.25, 0, 0.2, seed=0)(ONES, training=True))
    assert not frames.any()
    assert bins.sum(1).max() > 10


def test_masks_may_cover_everything():
    frames, _ = hidden(SpecAugment(0, 0.0, 1, 1.0, seed=0)(ONES, training=True))
    assert {0, 50} <= set(frames.sum(1))


def test_masks_differ_by_example_and_call():
    layer = SpecAugment(seed=0)
    first, second = (layer(ONES, training=True).numpy() for _ in range(2))
    assert len(np.unique(first, axis=0)) > 300
    assert (first != second).any((1, 2)).mean() > 0.9


def test_seed_state_is_a_variable():
    """A checkpoint of all variables therefore resumes with the same masks."""
    x = keras.Input((50, 40))
    model = keras.Model(x, SpecAugment(seed=0)(x))
    [variable] = model.variables
    model(ONES, training=True)
    kept = variable.numpy()
    expected = model(ONES, training=True).numpy()
    assert (variable.numpy() != kept).any()
    variable.assign(kept)
    np.testing.assert_array_equal(model(ONES, training=True), expected)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_mixed_precision(precision):
    outputs = SpecAugment(dtype=f"mixed_{precision}")(ONES, training=True)
    assert outputs.dtype == precision
    assert set(np.unique(tf.cast(outputs, "float32"))) == {0.0, 1.0}


def test_spec_augment_config_round_trip():
    settings = {
        "frequency_masks": 2,
        "frequency_width": 0.1,
        "time_masks": 3,
        "time_width": 0.4,
        "seed": 5,
    }
    described = SpecAugment(**settings).get_config()
    assert {key: described[key] for key in settings} == settings
