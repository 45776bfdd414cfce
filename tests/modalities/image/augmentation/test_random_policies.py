"""RandAugment and TrivialAugment: operations, ranges and random draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps
from pydantic import ValidationError
from sample_photos import photos

from mmzoo.lazy import tf
from mmzoo.modalities.image.augmentation import RandAugment, TrivialAugment
from mmzoo.modalities.image.augmentation.random_policies import (
    NUM_OPERATIONS,
    AugmentationSpace,
    moderate,
    wide,
)
from mmzoo.randomness import Randomness

SMALL = 18
PICTURE = photos(SMALL)[1]
STRENGTHS = np.arange(-30, 31, dtype="float32") * np.float32(1 / 30)


def stream(count, seed=0) -> Randomness:
    return Randomness(seed, tf.constant(0, tf.int64), tf.range(count, dtype=tf.int64))


def drawn(augmentation, count) -> np.ndarray:
    """One image, augmented as several examples."""
    return augmentation.apply(
        tf.constant(np.tile(PICTURE, (count, 1, 1, 1))), stream(count)
    ).numpy()


def outcomes(distortions: AugmentationSpace, image_file, strengths) -> dict[bytes, str]:
    """Result of each operation at each strength: pixels -> operation."""
    copies = tf.constant(np.tile(image_file, (len(strengths), 1, 1, 1)))
    found = {}
    # Identity last: others change nothing at strength 0.
    for operation in reversed(distortions.operations()):
        for pixels in operation(copies, tf.constant(strengths, tf.float32)).numpy():
            found[pixels.tobytes()] = operation.__name__
    return found


def counts(image_files, possible: dict[bytes, str]) -> dict[str, int]:
    names = [possible[pixels.tobytes()] for pixels in image_files]
    return {name: names.count(name) for name in set(possible.values())}


def test_randaugment_draws_operations_and_signs_uniformly():
    image_files = drawn(RandAugment(operations=1, magnitude=9.0), 2800)
    distortions = moderate(SMALL, SMALL, "constant")
    possible = outcomes(distortions, PICTURE, [-0.9, 0.9])
    found = counts(image_files, possible)
    assert len(found) == 14
    assert 150 < min(found.values()) <= max(found.values()) < 250
    lighter = distortions.brightness(tf.constant(PICTURE[None]), tf.constant([0.9])).numpy()
    share = (image_files == lighter).all(axis=(1, 2, 3)).sum() / found["brightness"]
    assert 0.35 < share < 0.65


def test_randaugment_applies_operations_in_sequence():
    """The first result is that of a single operation; the second operation is applied to it."""
    distortions = moderate(SMALL, SMALL, "constant")
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
        outcomes(moderate(SMALL, SMALL, "constant"), PICTURE, [0.0]),
    )
    assert found.keys() == {"identity", "autocontrast", "equalize"}
    assert found["identity"] > 540


def test_randaugment_draws_operations_independently():
    first = drawn(RandAugment(operations=1), 500)
    possible = outcomes(moderate(SMALL, SMALL, "constant"), PICTURE, [-0.9, 0.9])
    twice = drawn(RandAugment(operations=2), 500)
    same = (first == twice).all(axis=(1, 2, 3))
    names = [possible[pixels.tobytes()] for pixels in first]
    # Identity, or a second operation without effect.
    assert 0.04 < same.mean() < 0.25
    assert len({name for name, kept in zip(names, same, strict=True) if kept}) > 8


@pytest.mark.parametrize("ranges", ["wide", "moderate"])
def test_trivialaugment_draws_operations_uniformly(ranges):
    distortions = wide("constant") if ranges == "wide" else moderate(SMALL, SMALL, "constant")
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
    image_files = drawn(TrivialAugment(), 12_000)
    copies = tf.constant(np.tile(PICTURE, (61, 1, 1, 1)))
    levels = [pixels.tobytes() for pixels in brightness(copies, tf.constant(STRENGTHS)).numpy()]
    assert len({*levels}) == 61
    given = [pixels.tobytes() for pixels in image_files]
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
    image_files = kind(fill=fill).apply(white, stream(300)).numpy()
    has_border = (image_files.min(axis=(1, 2, 3)) != image_files.max(axis=(1, 2, 3))).any()
    assert has_border == (fill == "constant")


def test_magnitude_range():
    with pytest.raises(ValidationError, match="less than or equal to 10"):
        RandAugment(magnitude=27.0)


SIZE = 48
PHOTOS = photos(SIZE)
MIDDLE = slice(SIZE // 4, -SIZE // 4)
"""The area that images moved by half of the ranges still show, away from Pillow's borders."""
NAMES = (
    *("identity", "autocontrast", "equalize", "rotate", "solarize", "color", "posterize"),
    *("contrast", "brightness", "sharpness", "shear_x", "shear_y", "translate_x", "translate_y"),
)
RANGES = {"moderate": moderate(SIZE, SIZE, "nearest"), "wide": wide("nearest")}


def enhanced(kind, factor):
    return lambda image_file, strength: kind(image_file).enhance(1.0 + factor * strength)


def slanted(across, down):
    """Pillow's affine map from output to input coordinates, about the center."""

    def change(image_file, strength):
        right, lower, centre = across * strength, down * strength, SIZE / 2
        place = (1, -right, right * centre, -lower, 1, lower * centre)
        return image_file.transform(image_file.size, Image.Transform.AFFINE, place, BILINEAR)

    return change


def shifted(right, lower):
    def change(image_file, strength):
        place = (1, 0, -right * strength, 0, 1, -lower * strength)
        return image_file.transform(image_file.size, Image.Transform.AFFINE, place, BILINEAR)

    return change


BILINEAR = Image.Resampling.BILINEAR


def by_pillow(degrees, shear, pixels, factor, bits):
    """The same operations in Pillow."""
    return {
        "identity": lambda image_file, _: image_file,
        "autocontrast": lambda image_file, _: ImageOps.autocontrast(image_file),
        "equalize": lambda image_file, _: ImageOps.equalize(image_file),
        "rotate": lambda image_file, strength: image_file.rotate(degrees * strength, BILINEAR),
        "solarize": lambda image_file, strength: ImageOps.solarize(
            image_file, 256 - round(256 * abs(strength))
        ),
        "color": enhanced(ImageEnhance.Color, factor),
        "posterize": lambda image_file, strength: ImageOps.posterize(
            image_file, 8 - round((8 - bits) * abs(strength))
        ),
        "contrast": enhanced(ImageEnhance.Contrast, factor),
        "brightness": enhanced(ImageEnhance.Brightness, factor),
        "sharpness": enhanced(ImageEnhance.Sharpness, factor),
        "shear_x": slanted(shear, 0),
        "shear_y": slanted(0, shear),
        "translate_x": shifted(pixels, 0),
        "translate_y": shifted(0, pixels),
    }


PILLOW = {
    "moderate": by_pillow(30, 0.3, SIZE * 150 / 331, 0.9, 4),
    "wide": by_pillow(135, 0.99, 32, 0.99, 2),
}


def done(ranges: str, name: str, strength: float) -> np.ndarray:
    operation = RANGES[ranges].operations()[NAMES.index(name)]
    return operation(tf.constant(PHOTOS), tf.fill([len(PHOTOS)], strength)).numpy().astype(int)


def test_order_of_operations_is_pinned():
    """Resumed runs draw operations by index."""
    for distortions in RANGES.values():
        assert tuple(one.__name__ for one in distortions.operations()) == NAMES
    assert len(NAMES) == NUM_OPERATIONS


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ranges", RANGES)
def test_operations_match_pillow(ranges, name):
    largest = 0.25 if ranges == "wide" and name.startswith(("translate", "shear")) else 0.5
    for strength in (-largest, largest):
        found = done(ranges, name, strength)[:, MIDDLE, MIDDLE]
        image_files = [PILLOW[ranges][name](Image.fromarray(photo), strength) for photo in PHOTOS]
        expected = np.stack([np.asarray(image_file) for image_file in image_files])[
            :, MIDDLE, MIDDLE
        ]
        assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ranges", RANGES)
def test_strength_zero_changes_nothing(ranges, name):
    same = (done(ranges, name, 0.0) == PHOTOS).all()
    assert same == (name not in ("autocontrast", "equalize"))


@pytest.mark.parametrize("name", NAMES)
def test_sign_is_the_direction(name):
    one_way, other_way = done("moderate", name, -0.5), done("moderate", name, 0.5)
    undirected = {"identity", "autocontrast", "equalize", "solarize", "posterize"}
    assert (one_way == other_way).all() == (name in undirected)


def test_full_strength_matches_the_papers():
    black = np.zeros((1, 331, 331, 1), "uint8")
    black[0, 165, 165] = 255  # The center.
    moved = moderate(331, 331, "constant").translate_x(tf.constant(black), tf.ones([1]))
    assert np.argwhere(moved.numpy()[0, :, :, 0]).tolist() == [[165, 315]]
    moved = wide("constant").translate_y(tf.constant(black), -tf.ones([1]))
    assert np.argwhere(moved.numpy()[0, :, :, 0]).tolist() == [[133, 165]]
    tones = tf.constant(np.arange(256, dtype="uint8")[None, :, None, None])
    assert len({*done_fully(moderate(256, 1, "constant").posterize, tones)}) == 16
    assert len({*done_fully(wide("constant").posterize, tones)}) == 4
    assert done_fully(wide("constant").solarize, tones)[:3] == [255, 254, 253]


def done_fully(operation, images) -> list[int]:
    return operation(images, tf.ones([1])).numpy().ravel().tolist()


def test_wide_rotation_ends_at_135_degrees():
    bar = np.zeros((1, 41, 41, 1), "uint8")
    bar[0, 20, 20:] = 255  # From the center to the right.
    turned = wide("constant").rotate(tf.constant(bar), tf.ones([1])).numpy()[0, :, :, 0]
    down, across = np.argwhere(turned > 100).mean(axis=0) - 20
    assert math.degrees(math.atan2(-down, across)) == pytest.approx(135, abs=1)


def test_each_image_gets_its_own_operation():
    """Whatever the operations of the other images, including operations that no image gets."""
    rows = 3 * NUM_OPERATIONS
    random = np.random.RandomState(0)
    images = random.randint(0, 256, (rows, 9, 8, 3)).astype("uint8")
    places = random.permutation(np.repeat(np.arange(NUM_OPERATIONS), 3)).astype("int32")
    strengths = random.uniform(-1, 1, rows).astype("float32")
    distortions = moderate(9, 8, "constant")
    for chosen in (slice(None), slice(0, 5), slice(0, 1)):
        batch = [tf.constant(values[chosen]) for values in (images, places, strengths)]
        together = distortions.apply(*batch)
        single = [
            distortions.operations()[place](image[None], strength[None])[0]
            for image, place, strength in zip(*batch, strict=True)
        ]
        np.testing.assert_array_equal(together, single)


def test_static_batch_size_is_preserved():
    """A pipeline that drops the last, smaller batch has a static batch size."""
    distortions = moderate(9, 8, "constant")
    signature = [tf.TensorSpec([5, 9, 8, 3], tf.uint8), tf.TensorSpec([5], tf.int32)]
    graph = tf.function(distortions.apply, autograph=False).get_concrete_function(
        *signature, tf.TensorSpec([5], tf.float32)
    )
    assert graph.output_shapes.as_list() == [5, 9, 8, 3]
