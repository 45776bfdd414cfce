"""RandAugment and TrivialAugment draw operations, signs and strengths for each image."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from sample_photos import photos

from mmzoo.lazy import tf
from mmzoo.modalities.image.augmentation import RandAugment, TrivialAugment
from mmzoo.modalities.image.augmentation.random_policies import AugmentationSpace, moderate, wide
from mmzoo.randomness import Randomness

SIZE = 18
PICTURE = photos(SIZE)[1]
STRENGTHS = np.arange(-30, 31, dtype="float32") * np.float32(1 / 30)


def stream(count, seed=0) -> Randomness:
    return Randomness(seed, tf.constant(0, tf.int64), tf.range(count, dtype=tf.int64))


def drawn(augmentation, count) -> np.ndarray:
    """One image, augmented as several examples."""
    return augmentation.apply(
        tf.constant(np.tile(PICTURE, (count, 1, 1, 1))), stream(count)
    ).numpy()


def outcomes(distortions: AugmentationSpace, picture, strengths) -> dict[bytes, str]:
    """Result of each operation at each strength: pixels -> operation."""
    copies = tf.constant(np.tile(picture, (len(strengths), 1, 1, 1)))
    found = {}
    # Identity last: others change nothing at strength 0.
    for operation in reversed(distortions.operations()):
        for pixels in operation(copies, tf.constant(strengths, tf.float32)).numpy():
            found[pixels.tobytes()] = operation.__name__
    return found


def counts(pictures, possible: dict[bytes, str]) -> dict[str, int]:
    names = [possible[pixels.tobytes()] for pixels in pictures]
    return {name: names.count(name) for name in set(possible.values())}


def test_randaugment_draws_operations_and_signs_uniformly():
    pictures = drawn(RandAugment(operations=1, magnitude=9.0), 2800)
    distortions = moderate(SIZE, SIZE, "constant")
    possible = outcomes(distortions, PICTURE, [-0.9, 0.9])
    found = counts(pictures, possible)
    assert len(found) == 14
    assert 150 < min(found.values()) <= max(found.values()) < 250
    lighter = distortions.brightness(tf.constant(PICTURE[None]), tf.constant([0.9])).numpy()
    share = (pictures == lighter).all(axis=(1, 2, 3)).sum() / found["brightness"]
    assert 0.35 < share < 0.65


def test_randaugment_applies_operations_in_sequence():
    """The first result is that of a single operation; the second operation is applied to it."""
    distortions = moderate(SIZE, SIZE, "constant")
    first = drawn(RandAugment(operations=1, magnitude=5.0), 30)
    both = drawn(RandAugment(operations=2, magnitude=5.0), 30)
    second = [
        outcomes(distortions, before, [-0.5, 0.5])[after.tobytes()]
        for before, after in zip(first, both, strict=True)
    ]
    assert len({*second}) > 8


def test_randaugment_with_magnitude_zero():
    found = counts(
        drawn(RandAugment(operations=1, magnitude=0.0), 700),
        outcomes(moderate(SIZE, SIZE, "constant"), PICTURE, [0.0]),
    )
    assert found.keys() == {"identity", "autocontrast", "equalize"}
    assert found["identity"] > 540


def test_randaugment_draws_operations_independently():
    first = drawn(RandAugment(operations=1), 500)
    possible = outcomes(moderate(SIZE, SIZE, "constant"), PICTURE, [-0.9, 0.9])
    twice = drawn(RandAugment(operations=2), 500)
    same = (first == twice).all(axis=(1, 2, 3))
    names = [possible[pixels.tobytes()] for pixels in first]
    # Identity, or a second operation without effect.
    assert 0.04 < same.mean() < 0.25
    assert len({name for name, kept in zip(names, same, strict=True) if kept}) > 8


@pytest.mark.parametrize("ranges", ["wide", "moderate"])
def test_trivialaugment_draws_operations_uniformly(ranges):
    distortions = wide("constant") if ranges == "wide" else moderate(SIZE, SIZE, "constant")
    possible = outcomes(distortions, PICTURE, STRENGTHS)
    found = counts(drawn(TrivialAugment(ranges=ranges), 2800), possible)
    assert found.pop("identity") < 400  # With the others of strength 0.
    if ranges == "wide":  # 32 pixels up or down or to the side, all is as black.
        found["translate_x"] = found["translate_y"] = (
            found["translate_x"] + found["translate_y"]
        ) / 2
    assert len(found) == 13
    assert 140 < min(found.values()) <= max(found.values()) < 260


def test_trivialaugment_draws_strengths_and_signs_uniformly():
    brightness = wide("constant").brightness
    pictures = drawn(TrivialAugment(), 12_000)
    copies = tf.constant(np.tile(PICTURE, (61, 1, 1, 1)))
    levels = [pixels.tobytes() for pixels in brightness(copies, tf.constant(STRENGTHS)).numpy()]
    assert len({*levels}) == 61
    given = [pixels.tobytes() for pixels in pictures]
    often = np.array([given.count(level) for level in levels])
    # 12 000 / 14 operations / 62, and by chance from 2 to 30; in the middle is the picture itself.
    assert often[30] > 850
    often = np.delete(often, 30)
    assert 1 < often.min() <= often.max() < 32
    for part in np.split(often, 6):  # Tens of strengths: 138 of each expected.
        assert 95 < part.sum() < 185


@pytest.mark.parametrize("fill", ["constant", "nearest", "reflect"])
@pytest.mark.parametrize("kind", [RandAugment, TrivialAugment])
def test_fill_values_beyond_the_border(kind, fill):
    white = tf.fill([300, 8, 8, 1], tf.constant(180, tf.uint8))
    pictures = kind(fill=fill).apply(white, stream(300)).numpy()
    has_border = (pictures.min(axis=(1, 2, 3)) != pictures.max(axis=(1, 2, 3))).any()
    assert has_border == (fill == "constant")


def test_magnitude_range():
    with pytest.raises(ValidationError, match="less than or equal to 10"):
        RandAugment(magnitude=27.0)
