"""The pipeline decodes every image format as Pillow does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from frames import frame_of
from sample_images import ORIENTED, every_kind, scene, write
from sklearn.datasets import load_sample_images

import mmzoo.modalities.image.image_decoding
from mmzoo.data.frame import path_text
from mmzoo.lazy import keras, tf
from mmzoo.modalities.file_probe import file_array
from mmzoo.modalities.image import Image
from mmzoo.modalities.image.image_decoding import decode_image_file
from mmzoo.modalities.image.image_files import read_image

KINDS = (
    *("colour.jpg", "whole_chroma.jpg", "grey.jpg", "cmyk.jpg", "progressive.jpg", "colour.png"),
    *(
        "grey.png",
        "bits.png",
        "few_colours.png",
        "deep.png",
        "alpha.png",
        "grey_alpha.png",
        "palette.png",
    ),
    *("palette_with_holes.png", "colour_key.png", "colour.bmp", "grey.bmp", "palette.bmp"),
    *("still.gif", "holes.gif", "animation.gif", "colour.webp", "alpha.webp"),
)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory) -> dict[str, Path]:
    return every_kind(tmp_path_factory.mktemp("kinds"))


def image(shape=(24, 20, 3), **options) -> Image:
    return Image(column="photo", shape=shape, encoder={"type": "cnn", "filters": (2,)}, **options)


def opened(spec: Image, paths: list[Path]) -> np.ndarray:
    photos = {"photo": np.array([path_text(str(path)) for path in paths], object)}
    found = spec.scan(frame_of({"train": photos}), "here")
    assert not found.issues
    return file_array(found.values)


def by_pillow(spec: Image, path: Path) -> np.ndarray:
    return spec.load(tf.constant(read_image(path)[None])).numpy()[0]


def largest_difference(one: np.ndarray, other: np.ndarray) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def test_every_kind_is_there(kinds):
    assert tuple(kinds) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_decoded_as_pillow_does(kinds, kind):
    [file] = opened(image(), [kinds[kind]])
    pixels = decode_image_file(tf.constant(file)).numpy()
    expected = np.broadcast_to(read_image(kinds[kind]), pixels.shape)
    assert pixels.dtype == np.uint8
    assert largest_difference(pixels, expected) <= 1


@pytest.mark.parametrize("size", [(50, 70), (33, 41), (1, 3)])
def test_plain_bmp_needs_no_python(tmp_path, monkeypatch, size):
    """Rows are padded to four bytes each, and lie upside down unless the height is negative."""
    monkeypatch.setattr(mmzoo.modalities.image.image_decoding, "_rgb_pixels", pytest.fail)
    picture = scene(*size)
    below = write(tmp_path / "below.bmp", picture)
    head = below.read_bytes()[:54]
    height = (-size[0]).to_bytes(4, "little", signed=True)
    padding = np.zeros((size[0], -3 * size[1] % 4), "uint8")
    rows = np.asarray(picture)[..., ::-1].reshape(size[0], -1)
    above = tmp_path / "above.bmp"
    above.write_bytes(head[:22] + height + head[26:] + np.hstack([rows, padding]).tobytes())
    for file in opened(image(), [below, above]):
        np.testing.assert_array_equal(decode_image_file(tf.constant(file)), np.asarray(picture))


def test_a_bmp_that_is_cut_short_is_found(tmp_path):
    path = write(tmp_path / "cut.bmp", scene())
    path.write_bytes(path.read_bytes()[:5000])
    assert image().find_corrupt(opened(image(), [path]))[0].startswith("the image is damaged: ")


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", ORIENTED)
def test_every_orientation_is_undone(tmp_path, orientation, ending):
    path = write(tmp_path / f"turned.{ending}", scene(), orientation, quality=95)
    [file] = opened(image(), [path])
    pixels = decode_image_file(tf.constant(file)).numpy()
    assert largest_difference(pixels, read_image(path)) <= 1
    assert np.abs(pixels.astype(int) - np.asarray(scene())).mean() < 4


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("shape", [(24, 20, 3), (90, 60, 3), (50, 70, 3), (24, 20, 1)])
def test_files_are_made_to_fit_as_pixels_are(kinds, resize, shape, antialias):
    spec, paths = image(shape, resize=resize, antialias=antialias), list(kinds.values())
    given = spec.load(tf.constant(opened(spec, paths)))
    assert given.shape == (len(paths), *shape)
    assert given.dtype == tf.uint8
    for pixels, path in zip(given.numpy(), paths, strict=True):
        assert largest_difference(pixels, by_pillow(spec, path)) <= 2, path.name


def test_photos_that_lie_and_absent_ones_among_upright_ones(tmp_path):
    spec = image(missing="learned")
    paths = [
        write(tmp_path / f"{number}.jpg", scene(), number, quality=95) for number in ORIENTED
    ] + [write(tmp_path / "upright.jpg", scene(), quality=95)]
    files = np.append(opened(spec, paths), [[b"", b"1", b"0" * 64]], axis=0)
    *given, absent = spec.load(tf.constant(files)).numpy()
    for pixels, path in zip(given, paths, strict=True):
        assert largest_difference(pixels, by_pillow(spec, path)) <= 2, path.name
    assert not absent.any()


def test_same_bits_bare_and_in_a_parallel_pipeline_whatever_the_batch(kinds):
    spec = image(resize="crop")
    files = opened(spec, [*kinds.values(), *kinds.values()])
    bare = spec.load(tf.constant(files)).numpy()
    for size in (1, 7, 64):
        batches = tf.data.Dataset.from_tensor_slices(files).batch(size).map(spec.load, 4)
        assert batches.element_spec == tf.TensorSpec((None, 24, 20, 3), tf.uint8)
        np.testing.assert_array_equal(np.concatenate(list(batches.as_numpy_iterator())), bare)


@pytest.mark.parametrize("orientation", [1, 6])
def test_large_photos_are_shrunk_by_their_decoder(tmp_path, orientation):
    """At least twice too large, so that what we make of them is as good as ever."""
    path = write(tmp_path / "large.jpg", scene(912, 1200), orientation, quality=95)
    [file] = opened(image(), [path])

    def size(wanted, **options):
        spec = image((*wanted, 3), **options)
        return decode_image_file(tf.constant(file), wanted, spec._edges).shape[:2].as_list()

    wanted = [(912, 1200), (229, 300), (228, 300), (114, 150), (57, 75), (10, 10)]
    assert {one: size(one) for one in wanted} == {
        (912, 1200): [912, 1200],
        (229, 300): [912, 1200],
        (228, 300): [456, 600],
        (114, 150): [228, 300],
        (57, 75): [114, 150],
        (10, 10): [114, 150],
    }
    # The square in the middle begins at column 144, and what has 10 to 11 at 20.4.
    assert size((10, 10), resize="crop") == [114, 150]
    assert size((10, 11), resize="crop") == [912, 1200]
    assert size((10, 11), resize="pad") == [114, 150]


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("photo", [0, 1])
@pytest.mark.parametrize("size", [(3000, 2000), (2999, 2000), (1281, 854)])
def test_a_photo_is_the_same_however_it_is_decoded(tmp_path, photo, size, resize):
    """Real photos, which have edges and fine patterns, in a size that can be shrunk and others."""
    pixels = PIL.Image.fromarray(load_sample_images().images[photo])
    path = write(tmp_path / "photo.jpg", pixels.resize(size, PIL.Image.Resampling.BICUBIC))
    spec = image((160, 128, 3), resize=resize)
    given = spec.load(tf.constant(opened(spec, [path]))).numpy()[0]
    difference = np.abs(given.astype(int) - by_pillow(spec, path).astype(int))
    assert difference.mean() < 0.5
    assert difference.max() <= 8


def test_without_antialiasing_large_photos_are_decoded_whole(tmp_path):
    """A decoder that shrinks them averages, which would be another meaning of the setting."""
    spec = image(antialias=False)
    path = write(tmp_path / "large.jpg", scene(900, 1200), quality=95)
    given = spec.load(tf.constant(opened(spec, [path]))).numpy()[0]
    assert largest_difference(given, by_pillow(spec, path)) <= 1


def test_without_antialiasing_pictures_are_those_of_keras_own_loader(tmp_path):
    random = np.random.RandomState(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        PIL.Image.fromarray(random.randint(0, 256, (90, 70, 3), "uint8")).save(
            tmp_path / name / "noise.png"
        )
    loader = keras.utils.image_dataset_from_directory(
        tmp_path, labels=None, image_size=(24, 20), batch_size=None, shuffle=False, verbose=False
    )
    spec = image(antialias=False)
    paths = [tmp_path / name / "noise.png" for name in ("a", "b")]
    given = spec.load(tf.constant(opened(spec, paths))).numpy().astype(float)
    assert np.abs(given - np.stack(list(loader.as_numpy_iterator()))).max() <= 0.501
    averaged = image().load(tf.constant(opened(spec, paths))).numpy()
    assert np.abs(given - averaged).max() > 20


def test_a_photo_of_the_size_wanted_keeps_its_pixels(tmp_path):
    path = write(tmp_path / "exact.png", scene(24, 20))
    spec = image()
    given = spec.load(tf.constant(opened(spec, [path])))
    np.testing.assert_array_equal(given[0], np.asarray(scene(24, 20)))


def test_file_names_of_any_bytes(tmp_path):
    paths = [tmp_path / "größe 三.png", tmp_path / "not\udcfftext.png", tmp_path / "a'b\nc.png"]
    for path in paths:
        write(path, scene(24, 20))
    spec = image()
    given = spec.load(tf.constant(opened(spec, paths)))
    assert all(
        largest_difference(pixels, np.asarray(scene(24, 20))) == 0 for pixels in given.numpy()
    )
