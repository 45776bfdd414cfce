"""The image input: rules, checks, and pixels in the model."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import PIL.Image
import pytest
from pydantic import ValidationError

from mmzoo.errors import DataError
from mmzoo.lazy import tf
from mmzoo.modalities.image import Image
from mmzoo.modalities.image.augmentation import Brightness, Erasing, Flip
from mmzoo.modalities.image.encoders import CNN, LeNet
from mmzoo.randomness import Randomness


def image(shape=(28, 28, 1), encoder=None, **fields) -> Image:
    return Image(shape=shape, encoder=encoder or LeNet(), **fields)


def stream(count: int) -> Randomness:
    return Randomness(0, tf.constant(0, tf.int64), tf.range(count, dtype=tf.int64))


def messages(build) -> list[str]:
    with pytest.raises(ValidationError) as raised:
        build()
    return [error["msg"] for error in raised.value.errors()]


def test_import_is_light():
    heavy = ("tensorflow", "keras", "numpy", "PIL")
    code = f"import sys, mmzoo.mixing; print([name for name in {heavy} if name in sys.modules])"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_channels_are_one_or_three():
    assert messages(lambda: image((28, 28, 2))) == [
        "expected 1 channel (greyscale) or 3 (RGB), got 2"
    ]


def test_the_image_must_be_large_enough_for_the_encoder():
    encoder = CNN(filters=(8, 8, 8, 8))
    smallest = encoder.smallest_image()
    assert messages(lambda: image((28, 20, 1), encoder)) == [
        f"images of 28 x 20 are too small for this cnn encoder: "
        f"the minimum is {smallest} x {smallest}"
    ]
    assert image((smallest, smallest + 1, 1), encoder).shape == (smallest, smallest + 1, 1)


def test_an_unknown_augmentation_is_refused_with_the_known_ones():
    [message] = messages(lambda: image(augment=({"type": "flop"},)))
    assert "'flip', 'shift', 'shear', 'rotation', 'zoom', 'crop'" in message
    assert "'sharpness', 'erasing', 'randaugment', 'trivialaugment'" in message


def test_placeholder_takes_bytes():
    placeholder = image((32, 30, 3)).placeholder("photo")
    assert placeholder.name == "photo"
    assert placeholder.dtype == "uint8"
    assert placeholder.shape == (None, 32, 30, 3)


def test_check_accepts_images_of_any_size():
    image().check(np.zeros((5, 64, 3, 3), "uint8"), "here")
    image().check(np.zeros((0, 28, 28, 1), "uint8"), "here")


@pytest.mark.parametrize("shape", [(5, 28, 28), (5, 28, 28, 4), (5, 0, 28, 1)])
def test_check_names_a_wrong_shape(shape):
    with pytest.raises(DataError) as raised:
        image().check(np.zeros(shape, "uint8"), "column 'photo', train split")
    assert str(raised.value) == (
        "column 'photo', train split: expected images as an array of shape "
        f"(images, height, width, 1 or 3), found {shape}"
    )


def test_check_names_a_wrong_type():
    with pytest.raises(DataError) as raised:
        image().check(np.zeros((5, 28, 28, 1), "float32"), "column 'photo', train split")
    assert str(raised.value) == (
        "column 'photo', train split: expected pixels from 0 to 255 as uint8, found float32: "
        "scale them to 0..255, round, and convert with .astype('uint8')"
    )


def test_preprocess_does_not_change_fitting_images():
    values = tf.zeros([4, 28, 28, 1], tf.uint8)
    assert image().load(values) is values


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("given", [1, 3])
@pytest.mark.parametrize("required", [1, 3])
def test_preprocess_gives_the_configured_shape(given, required, resize):
    values = tf.fill([4, 40, 50, given], tf.constant(90, tf.uint8))
    preprocessed = image((28, 30, required), resize=resize).load(values)
    assert preprocessed.shape == (4, 28, 30, required)
    assert preprocessed.dtype == tf.uint8
    assert (preprocessed[:, 14, 15].numpy() == 90).all()


def test_configured_augmentations_are_applied():
    values = tf.constant(np.random.RandomState(0).randint(0, 256, (50, 28, 28, 1)), tf.uint8)
    assert image().augment_batch(values, stream(50)) is values
    spec = image(augment=(Flip(), Brightness(), Erasing()))
    augmented = spec.augment_batch(values, stream(50))
    assert augmented.shape == values.shape
    assert (augmented.numpy() != values.numpy()).mean() > 0.5
    np.testing.assert_array_equal(augmented, spec.augment_batch(values, stream(50)))


def test_blend_is_the_rounded_weighted_mean():
    images, partners = (
        tf.fill([2, 4, 4, 1], tf.constant(255, tf.uint8)),
        tf.zeros([2, 4, 4, 1], tf.uint8),
    )
    blended = image().blend(images, partners, tf.constant(0.25))
    assert blended.dtype == tf.uint8
    assert (blended.numpy() == 64).all()  # 63.75


def test_paste_replaces_a_box_and_counts_what_remains():
    images, partners = (
        tf.zeros([2, 28, 40, 3], tf.uint8),
        tf.fill([2, 28, 40, 3], tf.constant(9, tf.uint8)),
    )
    spec = image((28, 40, 3))
    box = tf.constant([0.25, 0.0, 0.5, 0.51])  # Rows 7 to 14, columns 0 to 20.4.
    pasted, remaining = spec.paste(images, partners, box)
    expected = np.zeros((28, 40, 3), "uint8")
    expected[7:14, 0:20] = 9
    np.testing.assert_array_equal(pasted, [expected, expected])
    assert float(remaining) == pytest.approx(1 - 7 * 20 / (28 * 40))


def test_synthetic_images_are_valid():
    spec = image((28, 30, 3))
    made = spec.synthetic(np.random.RandomState(0), 7)
    spec.check(made, "here")
    assert made.shape == (7, 28, 30, 3)
    assert (made.min(), made.max()) == (0, 255)
    np.testing.assert_array_equal(made, spec.synthetic(np.random.RandomState(0), 7))


def test_files_are_processed_like_arrays(tmp_path):
    photo = np.random.RandomState(0).randint(0, 256, (40, 36, 3)).astype("uint8")
    PIL.Image.fromarray(photo).save(tmp_path / "photo.png")
    spec = image()
    read = spec.read_file(tmp_path / "photo.png")
    spec.check(read[None], "here")
    expected = spec.load(tf.constant(photo[None]))
    np.testing.assert_array_equal(spec.load(tf.constant(read[None])), expected)


def test_the_displayed_image_is_the_value_itself():
    value = np.zeros((28, 28, 1), "uint8")
    assert image().to_image(value) is value


def test_binarized_images_are_black_or_white_after_augmentation_too():
    spec = Image(shape=(4, 4, 1), encoder=CNN(filters=(2,)), binarize=0.5, augment=(Brightness(),))
    pixels = np.arange(0, 256, 16, dtype=np.uint8).reshape(1, 4, 4, 1)
    pixels[0, 1, 3, 0], pixels[0, 2, 0, 0] = 127, 128
    loaded = spec.load(tf.constant(pixels))
    assert loaded.dtype == tf.uint8
    np.testing.assert_array_equal(loaded.numpy().ravel(), [0] * 8 + [255] * 8)
    randomness = Randomness(0, tf.constant(0, tf.int64), tf.range(20, dtype=tf.int64))
    changed = spec.augment_batch(tf.constant(np.repeat(pixels, 20, axis=0)), randomness).numpy()
    assert set(np.unique(changed)) == {0, 255}
