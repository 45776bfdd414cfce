"""Audio augmentations: their effect, and that they depend on seeds only."""

from __future__ import annotations

import numpy as np
import pytest
from sample_sounds import hiss, tone

from mmzoo.catalogue import family_members
from mmzoo.lazy import tf
from mmzoo.modalities.audio import Audio
from mmzoo.modalities.audio.audio_augmentation import Noise, TimeShift, augment
from mmzoo.randomness import Randomness

ALL = family_members("audio augmentations")
SOUNDS = np.stack([tone(100.0 * (1 + number), seconds=0.25) for number in range(32)])


def stream(count: int = len(SOUNDS), epoch: int = 0, seed: int = 0, first: int = 0) -> Randomness:
    examples = tf.range(first, first + count, dtype=tf.int64)
    return Randomness(seed, tf.constant(epoch, tf.int64), examples)


@pytest.fixture(params=ALL)
def one(request):
    return ALL[request.param]()


def applied(one, values=SOUNDS, randomness=None) -> np.ndarray:
    return one.apply(tf.constant(values), randomness or stream(len(values))).numpy()


def test_there_are_augmentations():
    assert set(ALL) == {"noise", "time_shift"}


def test_shape_and_dtype_are_preserved(one):
    changed = applied(one)
    assert (changed.shape, changed.dtype) == (SOUNDS.shape, np.float32)
    assert (changed != SOUNDS).any(1).mean() > 0.9
    assert np.isfinite(changed).all()


def test_augmentation_depends_on_seed_epoch_and_example_only(one):
    changed = applied(one)
    np.testing.assert_array_equal(applied(one), changed)
    # Bit-identical in another batch at another position.
    np.testing.assert_array_equal(applied(one, SOUNDS[7:12], stream(5, first=7)), changed[7:12])
    for other in (stream(epoch=1), stream(seed=1)):
        assert (applied(one, randomness=other) != changed).any(1).mean() > 0.9
    compiled = tf.function(one.apply)(tf.constant(SOUNDS), stream())
    np.testing.assert_array_equal(compiled, changed)


def test_silence_is_preserved(one):
    assert not applied(one, np.zeros((4, 1_000), "float32")).any()


def test_noise_has_the_requested_snr():
    values = hiss(8_000, channels=8).T
    for ratio in (0.0, 10.0, 40.0):
        noise = applied(Noise(snr=(ratio, ratio)), values) - values
        found = 10 * np.log10((values**2).mean(1) / (noise**2).mean(1))
        np.testing.assert_allclose(found, ratio, atol=0.3)


def test_noise_has_the_requested_snr_beyond_amplitude_1():
    """Some tools write 16-bit samples as unscaled floats, and those are read unchanged."""
    values = np.tile(2.0**15 * hiss(8_000)[:, 0], (2, 1))
    noise = applied(Noise(snr=(10.0, 10.0)), values) - values
    found = 10 * np.log10((values**2).mean(1) / (noise**2).mean(1))
    np.testing.assert_allclose(found, 10.0, atol=0.3)


def test_snr_is_uniform_over_its_range():
    values = np.tile(tone(), (200, 1))
    noise = applied(Noise(snr=(5.0, 25.0)), values) - values
    ratios = 10 * np.log10((values**2).mean(1) / (noise**2).mean(1))
    assert 4.5 < ratios.min() < 7
    assert 23 < ratios.max() < 25.5
    assert abs(ratios.mean() - 15) < 1.5


def test_noise_is_white():
    values = np.tile(tone(), (16, 1))
    noise = applied(Noise(snr=(0.0, 0.0)), values) - values
    power = (np.abs(np.fft.rfft(noise)) ** 2).mean(0)[1:].reshape(8, -1).mean(1)
    np.testing.assert_allclose(power / power.mean(), 1, atol=0.1)
    assert abs(noise.mean()) < 0.01


def test_shift_by_whole_samples_leaves_silence():
    values = np.tile(np.arange(1, 101, dtype="float32"), (300, 1))
    changed = applied(TimeShift(share=0.1), values)
    for row in changed:
        sounding = np.flatnonzero(row)
        by = sounding[0] - (row[sounding[0]] - 1)
        expected = np.zeros(100)
        expected[sounding] = sounding - by + 1
        np.testing.assert_array_equal(row, expected)
        assert len(sounding) == 100 - abs(by)
    shifts = {int(row.argmax()) - 99 if row[0] > 0 else int((row == 0).sum()) for row in changed}
    assert max(shifts) == 10


def test_augmentations_have_separate_random_streams():
    both = augment(tf.constant(SOUNDS), (TimeShift(), TimeShift()), stream()).numpy()
    twice = TimeShift().apply(
        TimeShift().apply(tf.constant(SOUNDS), stream().fold(0)), stream().fold(0)
    )
    assert (both != twice.numpy()).any()


def test_input_applies_augmentations_in_order():
    spec = Audio(rate=8_000, seconds=0.25, augment=(TimeShift(), Noise()), encoder={"type": "rnn"})
    by_hand = TimeShift().apply(tf.constant(SOUNDS), stream().fold(0))
    by_hand = Noise().apply(by_hand, stream().fold(1))
    np.testing.assert_array_equal(spec.augment_batch(tf.constant(SOUNDS), stream()), by_hand)
    assert spec.augmentations == (TimeShift(), Noise())
