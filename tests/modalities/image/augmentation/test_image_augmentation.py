"""Image augmentations: their effect, and that they depend on seed, epoch and example only."""

from __future__ import annotations

import gzip
import math
import os
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from pydantic import ValidationError

from mmzoo.lazy import tf
from mmzoo.modalities.image.augmentation import (
    Affine,
    Augmentation,
    Autocontrast,
    Brightness,
    Contrast,
    Crop,
    Equalize,
    Erasing,
    Flip,
    Greyscale,
    Hue,
    Pixelwise,
    Posterize,
    RandAugment,
    Rotation,
    Saturation,
    Sharpness,
    Shear,
    Shift,
    Solarize,
    TrivialAugment,
    Zoom,
    augment,
)
from mmzoo.modalities.image.augmentation.geometry import (
    resample,
    rotation,
    scaling,
    shearing,
    translation,
)
from mmzoo.randomness import Randomness

CASES = {
    "flip": Flip(vertical=True),
    "shift": Shift(height=0.2, width=0.3, fill="reflect"),
    "shear": Shear(horizontal=0.3, vertical=0.2),
    "rotation": Rotation(degrees=30.0),
    "zoom": Zoom(fraction=0.3, fill="nearest"),
    "crop": Crop(pixels=3),
    "brightness": Brightness(fraction=0.4),
    "contrast": Contrast(fraction=0.7),
    "autocontrast": Autocontrast(),
    "equalize": Equalize(),
    "posterize": Posterize(),
    "solarize": Solarize(),
    "saturation": Saturation(),
    "hue": Hue(),
    "grey": Greyscale(),
    "sharpness": Sharpness(),
    "erasing": Erasing(),
    "randaugment": RandAugment(fill="reflect"),
    "trivialaugment": TrivialAugment(),
}
ALL = tuple(CASES.values())


def stream(count=64, first=0, seed=0) -> Randomness:
    examples = tf.range(first, first + count, dtype=tf.int64)
    return Randomness(seed, tf.constant(2, tf.int64), examples)


def noise(count=64, height=20, width=18, channels=3, seed=0) -> tf.Tensor:
    """Noise images of at least 255 pixels, so that equalize has an effect, without all values."""
    shape = (count, height, width, channels)
    return tf.constant(np.random.RandomState(seed).randint(5, 250, shape), tf.uint8)


def moved(image: np.ndarray, *maps, fill="constant", whole_pixels=False) -> np.ndarray:
    """One greyscale image, `[height, width]`, after affine maps."""
    return resample(tf.constant(image[None, :, :, None]), maps, fill, whole_pixels)[
        0, :, :, 0
    ].numpy()


def one(number: float) -> tf.Tensor:
    return tf.constant([number], tf.float32)


SQUARE = np.random.RandomState(1).randint(0, 256, (9, 9)).astype("uint8")
EVEN = np.random.RandomState(2).randint(0, 256, (6, 8)).astype("uint8")


def test_every_augmentation_is_tested_and_has_a_unique_type():
    family = {*get_args(Affine), *get_args(Pixelwise)}
    assert {*get_args(get_args(Augmentation)[0])} == family
    assert {type(case) for case in ALL} == family
    assert {name: case.type for name, case in CASES.items()} == {name: name for name in CASES}


# Geometry


@pytest.mark.parametrize("image", [SQUARE, EVEN], ids=["odd", "even"])
def test_half_turn_is_rot90_twice(image):
    np.testing.assert_array_equal(moved(image, rotation(one(math.pi))), np.rot90(image, 2))


@pytest.mark.parametrize("size", [8, 9])
@pytest.mark.parametrize("quarters", [-1, 1, 3])
def test_quarter_turns_are_counterclockwise_about_the_center(size, quarters):
    image = np.random.RandomState(3).randint(0, 256, (size, size)).astype("uint8")
    turned = moved(image, rotation(one(quarters * math.pi / 2)), fill="nearest")
    np.testing.assert_array_equal(turned, np.rot90(image, quarters))


@pytest.mark.parametrize("whole_pixels", [True, False])
def test_translation_moves_right_and_down_over_black(whole_pixels):
    shifted = moved(EVEN, translation(one(2), one(-1)), whole_pixels=whole_pixels)
    expected = np.zeros_like(EVEN)
    expected[:-1, 2:] = EVEN[1:, :-2]
    np.testing.assert_array_equal(shifted, expected)


def test_translation_by_half_a_pixel_is_the_rounded_mean_of_neighbours():
    image = np.array([[10, 20, 41, 200]], "uint8")
    shifted = moved(image, translation(one(0.5), one(0.0)), fill="nearest")
    assert shifted.tolist() == [[10, 15, 30, 120]]  # 30.5 and 120.5 go to the even neighbor.


def test_fill_modes():
    image = np.array([[10, 20, 30, 40]], "uint8")
    by_two = translation(one(2), one(0))
    assert moved(image, by_two, fill="constant").tolist() == [[0, 0, 10, 20]]
    assert moved(image, by_two, fill="nearest").tolist() == [[10, 10, 10, 20]]
    assert moved(image, by_two, fill="reflect").tolist() == [[20, 10, 10, 20]]


def test_mirroring_is_exact():
    across, down = scaling(one(-1), one(1)), scaling(one(1), one(-1))
    np.testing.assert_array_equal(moved(EVEN, across, whole_pixels=True), EVEN[:, ::-1])
    np.testing.assert_array_equal(moved(EVEN, down, whole_pixels=True), EVEN[::-1])
    np.testing.assert_array_equal(moved(EVEN, across), EVEN[:, ::-1])


def test_scaling_is_about_the_center():
    image = np.zeros((16, 16), "uint8")
    image[6:10, 6:10] = 200
    enlarged = moved(image, scaling(one(2), one(2)))
    assert (enlarged > 100).sum() == 64
    assert (enlarged[4:12, 4:12] > 100).all()
    shrunk = moved(image, scaling(one(0.5), one(1)))
    assert (shrunk > 100).sum() == 8
    assert (shrunk[6:10, 7:9] > 100).all()


def test_shearing_moves_rows_then_columns():
    dot = np.zeros((9, 9), "uint8")
    dot[6, 4] = 200  # Two below the center.
    across = moved(dot, shearing(one(0.5), one(0.0)))
    assert np.argwhere(across).tolist() == [[6, 5]]
    both = moved(dot, shearing(one(0.5), one(-1.0)))
    assert np.argwhere(both).tolist() == [[5, 5]]


def test_maps_are_applied_in_order():
    turn, shift = rotation(one(math.pi / 2)), translation(one(2), one(0))
    turned_then_shifted = np.zeros_like(SQUARE)
    turned_then_shifted[:, 2:] = np.rot90(SQUARE)[:, :-2]
    np.testing.assert_array_equal(moved(SQUARE, turn, shift)[1:-1], turned_then_shifted[1:-1])
    shifted = np.zeros_like(SQUARE)
    shifted[:, 2:] = SQUARE[:, :-2]
    np.testing.assert_array_equal(moved(SQUARE, shift, turn)[:-3], np.rot90(shifted)[:-3])


def test_composed_maps_lose_no_pixels():
    away, back = translation(one(7), one(0)), translation(one(-7), one(0))
    np.testing.assert_array_equal(moved(SQUARE, away, back), SQUARE)


# Each augmentation


def test_flip_mirrors_half_of_the_images():
    images = noise(1000)
    flipped = augment(images, (Flip(),), stream(1000)).numpy()
    mirrored = (flipped == images.numpy()[:, :, ::-1]).all(axis=(1, 2, 3))
    same = (flipped == images.numpy()).all(axis=(1, 2, 3))
    assert (mirrored ^ same).all()
    assert 440 < mirrored.sum() < 560


def test_vertical_flip():
    images = noise(200)
    flipped = augment(images, (Flip(horizontal=False, vertical=True),), stream(200)).numpy()
    mirrored = (flipped == images.numpy()[:, ::-1]).all(axis=(1, 2, 3))
    same = (flipped == images.numpy()).all(axis=(1, 2, 3))
    assert (mirrored ^ same).all()
    assert 70 < mirrored.sum() < 130


def test_both_flips_are_independent():
    images = noise(400)
    flipped = augment(images, (Flip(vertical=True),), stream(400)).numpy()
    views = [images.numpy()[:, ::down, ::across] for down in (1, -1) for across in (1, -1)]
    counts = [(flipped == view).all(axis=(1, 2, 3)).sum() for view in views]
    assert sum(counts) == 400
    assert min(counts) > 70


def test_crop_offsets_are_uniform():
    image = noise(1, height=8, width=7).numpy()[0]
    cropped = augment(tf.constant(np.tile(image, (2500, 1, 1, 1))), (Crop(pixels=2),), stream(2500))
    padded = np.pad(image, [(2, 2), (2, 2), (0, 0)])
    counts = [
        (cropped.numpy() == padded[top : top + 8, left : left + 7]).all(axis=(1, 2, 3)).sum()
        for top in range(5)
        for left in range(5)
    ]
    assert sum(counts) == 2500
    assert 60 < min(counts) <= max(counts) < 140


def test_shift_range():
    across, down = np.meshgrid(np.arange(40.0), np.arange(20.0))
    blob = 250 * np.exp(-((across - 19.5) ** 2 + (down - 9.5) ** 2) / 8)
    images = tf.constant(np.tile(blob.round().astype("uint8")[None, :, :, None], (500, 1, 1, 1)))
    shifted = augment(images, (Shift(height=0.1, width=0.2),), stream(500)).numpy()[..., 0]
    weights = shifted / shifted.sum(axis=(1, 2), keepdims=True)
    right = (weights * across).sum(axis=(1, 2)) - 19.5
    lower = (weights * down).sum(axis=(1, 2)) - 9.5
    assert 7.8 < right.max() <= 8.1
    assert -8.1 <= right.min() < -7.8
    assert 1.9 < lower.max() <= 2.1
    assert -2.1 <= lower.min() < -1.9
    assert abs(np.corrcoef(right, lower)[0, 1]) < 0.2


def test_rotation_range():
    across, down = np.meshgrid(np.arange(33.0) - 16, np.arange(33.0) - 16)
    bar = (np.abs(down) <= 1) * 200
    images = tf.constant(np.tile(bar.astype("uint8")[None, :, :, None], (400, 1, 1, 1)))
    turned = augment(images, (Rotation(degrees=25.0),), stream(400)).numpy()[..., 0].astype(float)
    turned *= np.hypot(across, down) < 15  # The corners do not contain a full bar.
    second = [(turned * m).sum(axis=(1, 2)) for m in (across**2, down**2, across * down)]
    angles = np.degrees(0.5 * np.arctan2(2 * second[2], second[0] - second[1]))
    assert 24 < angles.max() < 25.5
    assert -25.5 < angles.min() < -24
    assert abs(angles.mean()) < 3


def test_zoom_range_and_aspect_ratio():
    image = np.zeros((60, 60), "uint8")
    image[20:40, 25:35] = 200
    images = tf.constant(np.tile(image[None, :, :, None], (400, 1, 1, 1)))
    zoomed = augment(images, (Zoom(fraction=0.4),), stream(400)).numpy()[..., 0] / 200
    heights, widths = zoomed.sum(axis=1).max(axis=1), zoomed.sum(axis=2).max(axis=1)
    assert 27.5 < heights.max() < 28.5
    assert 11.5 < heights.min() < 12.5
    np.testing.assert_allclose(heights, 2 * widths, rtol=0.06)


def test_brightness_adds_one_amount_per_image():
    images = tf.fill([2000, 3, 3, 3], tf.constant(100, tf.uint8))
    changed = augment(images, (Brightness(fraction=0.1),), stream(2000)).numpy().astype(int)
    amounts = changed[:, 0, 0, 0] - 100
    assert (changed == changed[:, :1, :1, :1]).all()
    assert (amounts.min(), amounts.max()) == (-25, 25)
    assert abs(amounts.mean()) < 1  # Truncation would shift it by -0.5.


def test_brightness_is_clipped():
    images = tf.constant(np.tile(np.array([0, 255], "uint8")[None, None, :, None], (200, 1, 1, 1)))
    changed = augment(images, (Brightness(fraction=1.0),), stream(200)).numpy()
    # Lighter keeps white, darker keeps black; nothing wraps around.
    assert ((changed[:, 0, 0] == 0) | (changed[:, 0, 1] == 255)).all()


def test_contrast_scales_the_distance_to_the_mean():
    image = np.array([[100, 120], [140, 160]], "uint8")[None, :, :, None]  # The mean is 130.
    changed = augment(
        tf.constant(np.tile(image, (500, 1, 1, 1))), (Contrast(fraction=0.5),), stream(500)
    )
    distances = changed.numpy()[..., 0].reshape(500, 4).astype(int) - 130
    assert (np.abs(distances.sum(axis=1)) <= 2).all()
    factors = distances[:, 3] / 30
    assert 0.5 <= factors.min() < 0.53
    assert 1.47 < factors.max() <= 1.5
    np.testing.assert_allclose(distances[:, 2] / 10, factors, atol=0.07)


def test_shear_range():
    image = np.zeros((41, 41), "uint8")
    image[18:23, 18:23] = image[38:41, 18:23] = 200
    images = tf.constant(np.tile(image[None, :, :, None], (500, 1, 1, 1)))
    slanted = augment(images, (Shear(horizontal=0.4, vertical=0.0),), stream(500)).numpy()[..., 0]
    lowest = slanted[:, 39] / slanted[:, 39].sum(axis=1, keepdims=True)
    right = (lowest * (np.arange(41.0) - 20)).sum(axis=1)
    assert 7.3 < right.max() <= 7.65  # 0.4 of 19 pixels.
    assert -7.65 <= right.min() < -7.3
    assert abs(right.mean()) < 0.5
    middle = slanted[:, 20] / slanted[:, 20].sum(axis=1, keepdims=True)
    np.testing.assert_allclose((middle * (np.arange(41.0) - 20)).sum(axis=1), 0, atol=0.02)


@pytest.mark.parametrize("kind", [Autocontrast, Equalize, Posterize, Solarize, Greyscale])
def test_probability_is_the_share_of_changed_images(kind):
    images = noise(1000)
    changed = augment(images, (kind(probability=0.3),), stream(1000)).numpy()
    wholly = augment(images, (kind(probability=1.0),), stream(1000)).numpy()
    hit = (changed == wholly).all(axis=(1, 2, 3))
    spared = (changed == images.numpy()).all(axis=(1, 2, 3))
    assert (hit ^ spared).all()
    assert 250 < hit.sum() < 350


def test_posterize_and_solarize():
    tones = tf.constant(np.arange(256, dtype="uint8")[None, :, None, None])
    posterized = augment(tones, (Posterize(probability=1.0, bits=3),), stream(1)).numpy().ravel()
    assert posterized.tolist() == (np.arange(256) // 32 * 32).tolist()
    solarized = augment(tones, (Solarize(probability=1.0, threshold=200),), stream(1)).numpy()
    assert solarized.ravel().tolist() == [*range(200), *range(55, -1, -1)]


def test_saturation_scales_the_distance_to_grey():
    image = np.array([[[150, 100, 100]]], "uint8")[None]  # Its luma is 115.
    images = tf.constant(np.tile(image, (500, 1, 1, 1)))
    changed = augment(images, (Saturation(fraction=0.6),), stream(500)).numpy()[:, 0, 0].astype(int)
    red, green = changed[:, 0] - 115, changed[:, 1] - 115
    assert (red.min(), red.max()) == (14, 56)
    assert (green.min(), green.max()) == (-24, -6)
    np.testing.assert_allclose(red / 35, green / -15, atol=0.05)


def test_hue_rotates_red_towards_green_and_blue():
    images = tf.constant(np.tile(np.array([200, 50, 50], "uint8"), (500, 1, 1, 1)))
    turned = augment(images, (Hue(degrees=60.0),), stream(500)).numpy()[:, 0, 0].astype(int)
    assert (turned[:, 0] == 200).all()  # Red stays the brightest up to yellow and magenta.
    assert (turned[:, 1:].min(axis=1) == 50).all()
    assert turned[:, 1].max() > 195
    assert turned[:, 2].max() > 195
    assert 0.4 < (turned[:, 1] > turned[:, 2]).mean() < 0.6


def test_hue_half_turn_gives_the_complement():
    images = np.tile(np.array([[200, 50, 50], [77, 77, 77]], "uint8"), (2000, 1, 1, 1))
    turned = augment(tf.constant(images), (Hue(degrees=180.0),), stream(2000)).numpy()[:, 0]
    assert (turned[:, 1] == 77).all()
    assert (np.abs(turned[:, 0].astype(int) - [50, 200, 200]).max(axis=1) <= 2).any()


def test_greyscale_is_the_luma_in_all_channels():
    image = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], "uint8")[None]
    grey = augment(tf.constant(image), (Greyscale(probability=1.0),), stream(1)).numpy()
    assert grey[0, 0].tolist() == [[76] * 3, [150] * 3, [29] * 3]


def test_sharpness_blurs_and_sharpens():
    image = np.full((5, 5), 100, "uint8")
    image[2, 2] = 140  # The blur has 115.4 there, and 103.1 round about.
    images = tf.constant(np.tile(image[None, :, :, None], (500, 1, 1, 1)))
    changed = augment(images, (Sharpness(fraction=1.0),), stream(500)).numpy()[..., 0]
    assert (changed[:, 2, 2].min(), changed[:, 2, 2].max()) == (115, 165)
    assert (changed[:, 1, 1].min(), changed[:, 1, 1].max()) == (97, 103)
    assert (changed[:, [0, 0, 4, 4], [0, 4, 0, 4]] == 100).all()


def test_erasing_probability_and_area():
    images = tf.fill([2000, 40, 60, 1], tf.constant(9, tf.uint8))
    erasing = Erasing(probability=0.3, area=(0.05, 0.2), aspect=0.5, fill="black")
    gone = augment(images, (erasing,), stream(2000)).numpy()[..., 0] == 0
    hit = gone.any(axis=(1, 2))
    assert 540 < hit.sum() < 660
    rows, columns = gone[hit].any(axis=2), gone[hit].any(axis=1)
    heights, widths = rows.sum(axis=1), columns.sum(axis=1)
    np.testing.assert_array_equal(gone[hit], rows[:, :, None] & columns[:, None, :])
    for line in (rows, columns):  # Boxes, so each line is one interval.
        assert (np.abs(np.diff(line.astype(int), axis=1)).sum(axis=1) <= 2).all()
    areas = heights * widths / 2400
    assert 0.04 < areas.min() < 0.06
    assert 0.19 < areas.max() < 0.21
    slimness = np.minimum(heights, widths) / np.maximum(heights, widths)
    assert slimness.min() > 0.45
    assert 0.4 < (heights > widths).mean() < 0.6
    # Boxes touch every border and are centered on average.
    assert rows[:, 0].any()
    assert rows[:, -1].any()
    assert columns[:, 0].any()
    assert columns[:, -1].any()
    np.testing.assert_allclose(gone.mean(axis=0)[20], gone.mean(axis=0)[20, ::-1], atol=0.02)


def test_erasing_clips_the_box():
    images = tf.fill([50, 4, 40, 1], tf.constant(9, tf.uint8))
    erasing = Erasing(probability=1.0, area=(0.9, 0.9), aspect=1.0, fill="black")
    gone = augment(images, (erasing,), stream(50)).numpy()[..., 0] == 0
    assert (gone.any(axis=2).sum(axis=1) == 4).all()
    assert (gone.any(axis=1).sum(axis=1) == 12).all()


def test_erasing_noise_differs_by_pixel_and_image():
    images = tf.zeros([100, 20, 20, 3], tf.uint8)
    erasing = Erasing(probability=1.0, area=(1.0, 1.0), aspect=1.0, fill="noise")
    painted = augment(images, (erasing,), stream(100)).numpy()
    assert (
        np.abs(np.bincount(painted.ravel(), minlength=256) / painted.size - 1 / 256).max() < 0.001
    )
    assert abs(np.corrcoef(painted[0].ravel(), painted[1].ravel())[0, 1]) < 0.15


def test_erasing_with_the_mean_of_each_channel():
    channels = [[0, 0, 0, 1], [10, 20, 10, 22], [100, 200, 100, 200]]  # Means .25, 15.5 and 150.
    image = np.array(channels, "uint8").T.reshape(1, 2, 2, 3)
    erasing = Erasing(probability=1.0, area=(1.0, 1.0), aspect=1.0, fill="mean")
    painted = augment(tf.constant(np.tile(image, (5, 1, 1, 1))), (erasing,), stream(5)).numpy()
    assert (painted == [0, 16, 150]).all()


def test_erasing_area_in_descending_order_is_an_error():
    with pytest.raises(ValidationError) as raised:
        Erasing(area=(0.4, 0.1))
    [error] = raised.value.errors()
    assert error["msg"] == ("the smallest area, 0.4, is above the largest, 0.1: write [0.1, 0.4]")


@pytest.mark.parametrize(
    "idle",
    [
        Flip(horizontal=False),
        Shift(height=0.0, width=0.0),
        Rotation(degrees=0.0),
        Zoom(fraction=0.0),
        Brightness(fraction=0.0),
        Contrast(fraction=0.0),
        Shear(horizontal=0.0, vertical=0.0),
        Autocontrast(probability=0.0),
        Equalize(probability=0.0),
        Posterize(probability=0.0),
        Posterize(bits=8),
        Solarize(probability=0.0),
        Saturation(fraction=0.0),
        Hue(degrees=0.0),
        Greyscale(probability=0.0),
        Sharpness(fraction=0.0),
        Erasing(probability=0.0),
    ],
    ids=lambda idle: idle.type,
)
def test_neutral_settings_change_nothing(idle):
    np.testing.assert_array_equal(augment(noise(), (idle,), stream()), noise())


def test_no_augmentation_returns_the_same_tensor():
    images = noise()
    assert augment(images, (), stream()) is images


# All of them


every = pytest.mark.parametrize(
    "augmentations", [*[(case,) for case in ALL], ALL], ids=[*CASES, "all"]
)


@every
def test_shape_and_dtype_are_preserved_and_values_change(augmentations):
    changed = augment(noise(), augmentations, stream())
    assert changed.dtype == tf.uint8
    assert changed.shape == noise().shape
    assert (changed.numpy() != noise().numpy()).any()


@every
def test_greyscale_images_are_augmented(augmentations):
    changed = augment(noise(channels=1), augmentations, stream())
    assert changed.shape == noise(channels=1).shape
    colors = {"saturation", "hue", "grey"}
    same = (changed.numpy() == noise(channels=1).numpy()).all()
    assert same == ({one.type for one in augmentations} <= colors)


@every
def test_same_bits_eagerly_and_in_a_parallel_pipeline(augmentations):
    images, epoch = noise(64), tf.constant(2, tf.int64)

    @tf.autograph.experimental.do_not_convert  # As in mmzoo's pipelines.
    def augmented(rows):
        return augment(tf.gather(images, rows), augmentations, Randomness(0, epoch, rows))

    batches = tf.data.Dataset.range(64).batch(16).map(augmented, num_parallel_calls=4)
    assert batches.element_spec.shape.as_list() == [None, 20, 18, 3]
    in_pipeline = np.concatenate(list(batches.as_numpy_iterator()))
    np.testing.assert_array_equal(in_pipeline, augment(images, augmentations, stream()))


@every
def test_augmented_example_is_the_same_in_every_batch(augmentations):
    images, together = noise(37), augment(noise(37), augmentations, stream(37))
    for example in range(0, 37, 9):  # Includes the last: vectorized code treats it differently.
        single = augment(images[example : example + 1], augmentations, stream(1, first=example))
        np.testing.assert_array_equal(single[0], together[example])


@every
def test_epochs_differ(augmentations):
    rows = tf.range(64, dtype=tf.int64)
    epochs = [Randomness(0, tf.constant(epoch, tf.int64), rows) for epoch in (2, 3)]
    first, second = [augment(noise(), augmentations, epoch) for epoch in epochs]
    assert (first.numpy() != second.numpy()).any()


@every
def test_seeds_differ(augmentations):
    one = augment(noise(), augmentations, stream())
    other = augment(noise(), augmentations, stream(seed=1))
    assert (one.numpy() != other.numpy()).any()


@pytest.mark.parametrize(
    "affine", [case for case in ALL if isinstance(case, Affine)], ids=lambda affine: affine.type
)
def test_affine_map_has_the_same_bits_in_every_batch(affine):
    # In float32, TensorFlow's sine of an angle depends on the position in the tensor.
    together = affine.map(stream(60), 20, 18)
    single = [affine.map(stream(1, first=example), 20, 18)[0] for example in range(60)]
    np.testing.assert_array_equal(together, single)


def test_each_list_position_has_its_own_stream():
    images = tf.fill([100, 1, 1, 1], tf.constant(100, tf.uint8))
    brightness = Brightness(fraction=0.2)
    once = augment(images, (brightness,), stream(100)).numpy().astype(int).ravel() - 100
    twice = augment(images, (brightness, brightness), stream(100)).numpy().astype(int).ravel() - 100
    assert abs(np.corrcoef(once, twice - once)[0, 1]) < 0.3
    still = augment(images, (brightness, Erasing(probability=0.0)), stream(100)).numpy()
    np.testing.assert_array_equal(still.ravel(), once + 100)


def test_different_fills_are_resampled_separately():
    images, streams = noise(), [stream().fold(place) for place in range(2)]
    shift, turn = Shift(fill="nearest"), Rotation(degrees=40.0, fill="constant")
    step = resample(images, [shift.map(streams[0], 20, 18)], "nearest", False)
    step = resample(step, [turn.map(streams[1], 20, 18)], "constant", False)
    np.testing.assert_array_equal(augment(images, (shift, turn), stream()), step)


def test_equal_fills_are_resampled_once():
    images, streams = noise(), [stream().fold(place) for place in range(3)]
    ops = (Shift(), Flip(), Rotation(degrees=40.0))
    maps = [op.map(one_stream, 20, 18) for op, one_stream in zip(ops, streams, strict=True)]
    expected = resample(images, maps, "constant", False)
    np.testing.assert_array_equal(augment(images, ops, stream()), expected)


def test_real_digits_remain_recognizable():
    folder = os.environ.get("MMZOO_DATA_DIR")
    if not folder or not (path := Path(folder) / "mnist" / "t10k-images-idx3-ubyte.gz").exists():
        pytest.skip("needs MNIST in MMZOO_DATA_DIR")
    digits = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16)
    digits = tf.constant(digits.reshape(-1, 28, 28, 1)[:256])
    gentle = (Rotation(degrees=10.0), Shift(height=0.05, width=0.05), Zoom(fraction=0.05))
    changed = augment(digits, gentle, stream(256)).numpy().astype(float)
    ink = changed.sum(axis=(1, 2, 3)) / digits.numpy().sum(axis=(1, 2, 3))
    assert 0.85 < ink.min() < 0.97
    assert 1.03 < ink.max() < 1.15
