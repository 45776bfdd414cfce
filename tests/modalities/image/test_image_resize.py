"""Images of other sizes and channels are resized and converted."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest

from mmzoo.lazy import tf
from mmzoo.modalities.image.image_resize import convert_channels, resize_images


def image_files(height, width, channels=1, seed=0) -> tf.Tensor:
    values = np.random.RandomState(seed).randint(0, 256, (2, height, width, channels))
    return tf.constant(values, tf.uint8)


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_fitting_images_are_returned_unchanged(resize):
    images = image_files(6, 8)
    assert resize_images(images, 6, 8, resize) is images


@pytest.mark.parametrize("size", [(7, 5), (5, 7), (200, 1), (1, 200), (3, 3)])
@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_any_size_becomes_the_target_size(resize, size):
    images = resize_images(image_files(*size, 3), 10, 12, resize)
    assert images.shape == (2, 10, 12, 3)
    assert images.dtype == tf.uint8


def test_stretch_downscales_like_pillow():
    images = image_files(30, 40, seed=1)
    shrunk = resize_images(images, 12, 10, "stretch")[0, :, :, 0].numpy().astype(int)
    complete = PIL.Image.fromarray(images[0, :, :, 0].numpy())
    expected = np.asarray(complete.resize((10, 12), PIL.Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(shrunk - expected).max() <= 1


@pytest.mark.parametrize("size", [(30, 40), (9, 40), (12, 10), (1, 1), (5, 200)])
def test_two_pass_resizing_matches_one_pass(size):
    images = image_files(*size, 3)
    given = resize_images(images, 12, 11, "stretch").numpy().astype(float)
    expected = tf.image.resize(images, [12, 11], antialias=True).numpy()
    assert np.abs(given - expected).max() <= 0.501


def test_without_antialiasing_downscaling_uses_neighbours_only():
    images = image_files(30, 40, seed=1)
    given = resize_images(images, 12, 10, "stretch", antialias=False).numpy().astype(float)
    assert np.abs(given - tf.image.resize(images, [12, 10]).numpy()).max() <= 0.501
    assert np.abs(given - resize_images(images, 12, 10, "stretch").numpy()).max() > 20


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_antialiasing_does_not_affect_upscaling(resize):
    images = image_files(9, 7, 3)
    given = resize_images(images, 30, 40, resize, antialias=False).numpy().astype(int)
    assert np.abs(given - resize_images(images, 30, 40, resize).numpy()).max() <= 1


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("size", [(7, 5), (5, 7), (200, 1), (1, 200), (10, 12), (333, 501)])
def test_dynamic_sizes_give_the_same_result(resize, size, antialias):
    late = tf.function(
        lambda images: resize_images(images, 10, 12, resize, antialias),
        input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)],
    )
    images = image_files(*size, 3)
    np.testing.assert_array_equal(late(images), resize_images(images, 10, 12, resize, antialias))


def test_crop_trims_the_longer_side_and_keeps_the_aspect_ratio():
    image = np.zeros((1, 8, 20, 1), "uint8")
    image[:, :, 6:14] = 90  # The middle square.
    assert (resize_images(tf.constant(image), 8, 8, "crop").numpy() == 90).all()
    assert (resize_images(tf.constant(image), 4, 4, "crop").numpy() == 90).all()
    upright = tf.transpose(image, [0, 2, 1, 3])
    assert (resize_images(upright, 8, 8, "crop").numpy() == 90).all()


def test_pad_adds_black_on_both_sides_and_keeps_the_aspect_ratio():
    image = tf.fill([1, 4, 8, 1], tf.constant(90, tf.uint8))
    padded = resize_images(image, 10, 10, "pad").numpy()[0, :, :, 0]
    assert (padded[2:7] == 90).all()
    assert (padded[[0, 1, 7, 8, 9]] == 0).all()
    padded = resize_images(tf.transpose(image, [0, 2, 1, 3]), 8, 8, "pad").numpy()[0, :, :, 0]
    assert (padded[:, 2:6] == 90).all()
    assert (padded[:, [0, 1, 6, 7]] == 0).all()


def test_greyscale_becomes_three_equal_channels():
    grey = image_files(3, 4)
    colour = convert_channels(grey, 3)
    assert colour.shape == (2, 3, 4, 3)
    assert (colour.numpy() == grey.numpy()).all()


def test_colour_becomes_greyscale_like_pillow():
    colour = image_files(50, 60, 3)
    grey = convert_channels(colour, 1)
    assert grey.dtype == tf.uint8
    expected = np.asarray(PIL.Image.fromarray(colour[0].numpy()).convert("L"))
    np.testing.assert_array_equal(grey[0, :, :, 0], expected)


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_same_bits_eagerly_and_in_a_parallel_pipeline(resize):
    images = tf.constant(np.random.RandomState(0).randint(0, 256, (32, 9, 14, 3)), tf.uint8)
    batches = tf.data.Dataset.from_tensor_slices(images).batch(8)
    batches = batches.map(lambda batch: convert_channels(resize_images(batch, 7, 6, resize), 1), 4)
    assert batches.element_spec.shape.as_list() == [None, 7, 6, 1]
    in_pipeline = np.concatenate(list(batches.as_numpy_iterator()))
    np.testing.assert_array_equal(
        in_pipeline, convert_channels(resize_images(images, 7, 6, resize), 1)
    )
