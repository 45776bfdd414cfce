"""Corruptions: reproducible per example, and worse with growing severity."""

from __future__ import annotations

import numpy as np
import pytest

from mmzoo.lazy import tf
from mmzoo.modalities.audio import Audio
from mmzoo.modalities.image import Image
from mmzoo.modalities.tabular import Tabular
from mmzoo.modalities.text import Text
from mmzoo.randomness import Randomness

INPUTS = {
    "image": Image(shape=(16, 12, 3), encoder={"type": "cnn", "filters": (2,)}),
    "text": Text(length=40, vocabulary_size=50, encoder={"type": "embedding"}),
    "audio": Audio(rate=8000, seconds=0.2, encoder={"type": "gru"}),
    "tabular": Tabular(
        columns={"size": "number", "colour": "category", "day": "date"},
        category_sizes={"colour": 4},
    ),
}
ROWS = 60


def batch(kind: str) -> np.ndarray:
    random = np.random.RandomState(0)
    match kind:
        case "image":
            return np.full((ROWS, 16, 12, 3), 128, np.uint8)
        case "text":
            ids = random.randint(2, 52, (ROWS, 30)).astype(np.int32)
            ids[:, 20:] = 0
            return ids
        case "audio":
            return np.sin(np.arange(1600) * random.uniform(0.1, 1, (ROWS, 1))).astype(np.float32)
        case _:
            numbers, colours = random.normal(size=(ROWS, 6)), random.randint(2, 6, (ROWS, 1))
            return np.concatenate([numbers, colours], axis=1).astype(np.float32)


def drawn(begin: int = 0, end: int = ROWS, seed: int = 0) -> Randomness:
    return Randomness(seed, tf.constant(0, tf.int64), tf.range(begin, end, dtype=tf.int64))


CORRUPTIONS = [
    pytest.param(kind, corruption, id=f"{kind} {corruption.name}")
    for kind, spec in INPUTS.items()
    for corruption in spec.corruptions
]


def test_every_input_has_corruptions():
    assert {
        kind: [corruption.name for corruption in spec.corruptions] for kind, spec in INPUTS.items()
    } == {
        "image": ["noise", "blur"],
        "text": ["dropped words"],
        "audio": ["white noise"],
        "tabular": ["missing cells", "noise"],
    }


@pytest.mark.parametrize(("kind", "corruption"), CORRUPTIONS)
def test_corruptions_keep_shape_and_dtype(kind, corruption):
    values = batch(kind)
    if kind == "image":
        values[:, ::2] = 40
    assert len(corruption.severities) == 5
    off = []
    for step in corruption.severities:
        worse = corruption.apply(tf.constant(values), tf.constant(step), drawn()).numpy()
        assert worse.shape == values.shape
        assert worse.dtype == values.dtype
        differ = worse.astype(float) != values
        apart = np.abs(np.nan_to_num(worse.astype(float)) - values).mean()
        off.append(apart if kind in ("image", "audio") else differ.mean() + 1e-6 * apart)
    assert off == sorted(off)
    assert 0 <= off[0] < off[-1]


@pytest.mark.parametrize(("kind", "corruption"), CORRUPTIONS)
def test_corruptions_depend_on_seed_and_example_only(kind, corruption):
    values, step = batch(kind), tf.constant(corruption.severities[-1])
    complete = corruption.apply(tf.constant(values), step, drawn()).numpy()
    part = corruption.apply(tf.constant(values[20:31]), step, drawn(20, 31)).numpy()
    np.testing.assert_array_equal(complete[20:31], part)
    other = corruption.apply(tf.constant(values), step, drawn(seed=1)).numpy()
    assert np.array_equal(complete, other, equal_nan=True) == (corruption.name == "blur")


def test_image_noise_is_gaussian_of_the_given_std():
    noise, _ = INPUTS["image"].corruptions
    found = noise.apply(tf.constant(batch("image")), tf.constant(16.0), drawn()).numpy() - 128.0
    assert found.mean() == pytest.approx(0, abs=0.3)
    assert found.std() == pytest.approx(16, rel=0.02)
    assert np.mean(np.abs(found) > 32) == pytest.approx(0.0455, abs=0.01)
    assert abs(np.corrcoef(found[..., 0].ravel(), found[..., 1].ravel())[0, 1]) < 0.03


def test_blur_has_the_given_std_and_keeps_flat_images():
    _, blur = INPUTS["image"].corruptions
    assert blur.unit == "pixels"
    assert blur.severities == (0.12, 0.24, 0.48, 0.72, 0.96)  # Of 12 pixels.
    flat = batch("image")
    assert np.array_equal(blur.apply(tf.constant(flat), tf.constant(0.96), drawn()), flat)
    point = np.zeros((1, 16, 12, 3), np.uint8)
    point[:, 8, 6] = 255
    spread = blur.apply(tf.constant(point), tf.constant(0.96), drawn(0, 1))[0, ..., 0].numpy()
    spread = spread.astype(float)
    assert spread.sum() == pytest.approx(255, rel=0.05)
    assert spread[8, 6] == pytest.approx(255 / (2 * np.pi * 0.96**2), rel=0.02)
    rows = (spread.sum(axis=1) * (np.arange(16) - 8) ** 2).sum() / spread.sum()
    assert rows == pytest.approx(0.96**2, rel=0.15)


def test_words_are_dropped_and_padding_is_not():
    [dropped] = INPUTS["text"].corruptions
    ids = batch("text")
    found = dropped.apply(tf.constant(ids), tf.constant(0.4), drawn()).numpy()
    assert not found[:, 20:].any()
    words, kept = ids[:, :20], found[:, :20]
    assert np.mean(kept == 1) == pytest.approx(0.4, abs=0.04)
    np.testing.assert_array_equal(kept[kept != 1], words[kept != 1])


def test_audio_noise_has_the_given_snr():
    [noise] = INPUTS["audio"].corruptions
    recordings = batch("audio")
    for decibels in (20.0, -10.0):
        found = (
            noise.apply(tf.constant(recordings), tf.constant(decibels), drawn()).numpy()
            - recordings
        )
        ratio = (recordings**2).mean(axis=1) / (found**2).mean(axis=1)
        assert 10 * np.log10(ratio) == pytest.approx(np.full(ROWS, decibels), abs=0.5)


def test_removing_a_date_removes_all_its_numbers():
    missing, _ = INPUTS["tabular"].corruptions
    rows = batch("tabular")
    found = missing.apply(tf.constant(rows), tf.constant(0.4), drawn()).numpy()
    gone = np.isnan(found)
    assert gone[:, 0].mean() == pytest.approx(0.4, abs=0.2)
    assert (gone[:, 1:6] == gone[:, 1:2]).all()  # The five numbers of a date.
    assert set(found[:, 6][found[:, 6] != rows[:, 6]].tolist()) == {0.0}
    assert not gone[:, 6].any()


def test_only_present_numbers_get_noise():
    _, noise = INPUTS["tabular"].corruptions
    rows = batch("tabular")
    found = noise.apply(tf.constant(rows), tf.constant(2.0), drawn()).numpy()
    np.testing.assert_array_equal(found[:, 1:], rows[:, 1:])
    assert (found[:, 0] - rows[:, 0]).std() == pytest.approx(2, rel=0.25)
    ranked = INPUTS["tabular"].replace(normalize="quantile")
    assert [corruption.name for corruption in ranked.corruptions] == ["missing cells"]
