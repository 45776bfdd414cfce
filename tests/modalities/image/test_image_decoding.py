"""The pipeline decodes every image format as Pillow does."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest
from frames import frame_of
from sample_images import ORIENTED, every_kind, png, scene, write
from sklearn.datasets import load_sample_images

import mmzoo.modalities.image.image_decoding
from mmzoo.data.frame import path_text
from mmzoo.lazy import keras, tf
from mmzoo.modalities.file_probe import file_array
from mmzoo.modalities.image import Image
from mmzoo.modalities.image.image_decoding import decode_content, read_image
from mmzoo.modalities.image.image_files import decode_image, read_image_header

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


def decoded(path: Path) -> np.ndarray:
    """Pixels as in a pipeline."""
    content = path.read_bytes()
    return decode_content(content, str(read_image_header(content).orientation))


def by_pillow(spec: Image, path: Path) -> np.ndarray:
    return spec.load(tf.constant(decode_image(path.read_bytes())[None])).numpy()[0]


def largest_difference(one: np.ndarray, other: np.ndarray) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def test_all_formats_are_covered(kinds):
    assert tuple(kinds) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_is_decoded_like_pillow(kinds, kind):
    pixels = decoded(kinds[kind])
    expected = np.broadcast_to(decode_image(kinds[kind].read_bytes()), pixels.shape)
    assert pixels.dtype == np.uint8
    assert largest_difference(pixels, expected) <= 1


@pytest.mark.parametrize("size", [(50, 70), (33, 41), (1, 3)])
def test_bmp_with_top_down_rows_and_trailing_bytes(tmp_path, size):
    """Rows are padded to four bytes each, and lie upside down unless the height is negative."""
    image_file = scene(*size)
    below = write(tmp_path / "below.bmp", image_file)
    content = below.read_bytes()
    head = content[:54]
    height = (-size[0]).to_bytes(4, "little", signed=True)
    padding = np.zeros((size[0], -3 * size[1] % 4), "uint8")
    rows = np.asarray(image_file)[..., ::-1].reshape(size[0], -1)
    (tmp_path / "above.bmp").write_bytes(
        head[:22] + height + head[26:] + np.hstack([rows, padding]).tobytes()
    )
    (tmp_path / "more.bmp").write_bytes(content + b"more bytes")
    for name in ("below", "above", "more"):
        np.testing.assert_array_equal(decoded(tmp_path / f"{name}.bmp"), np.asarray(image_file))


def test_cmyk_without_adobe_marker_is_the_same_in_all_decoders(kinds, tmp_path):
    """Without the marker, inks are not inverted; Pillow takes them as inverted anyway."""
    content = kinds["cmyk.jpg"].read_bytes()
    marker = content.index(b"\xff\xee")
    length = int.from_bytes(content[marker + 2 : marker + 4], "big")
    path = tmp_path / "plain.jpg"
    path.write_bytes(content[:marker] + content[marker + 2 + length :])
    inks = 255 - np.asarray(PIL.Image.open(path)).astype(int)
    expected = np.round((255 - inks[..., :3]) * (255 - inks[..., 3:]) / 255)
    assert largest_difference(decoded(path), expected) <= 1
    spec = image((50, 70, 3))
    [given] = spec.load(tf.constant(opened(spec, [path]))).numpy()
    np.testing.assert_array_equal(given, read_image(path))
    np.testing.assert_array_equal(given, decoded(path))


def test_a_16_bit_transparent_color_is_white_in_all_decoders(tmp_path):
    """All 16 bits of the colour count; Pillow compares eight."""
    deep = np.array([[[1000, 40_000, 60_000], [1001, 40_000, 60_000], [0, 0, 0]]], ">u2")
    path = tmp_path / "key.png"
    path.write_bytes(png(deep, color_type=2, depth=16, key=deep[0, 0]))
    expected = [[[255, 255, 255], [3, 156, 234], [0, 0, 0]]]
    assert decoded(path).tolist() == read_image(path).tolist() == expected


@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_an_orientation_in_xmp_is_undone(tmp_path, ending):
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    )
    texts = PIL.PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", xmp, zip=True)
    options = {"pnginfo": texts} if ending == "png" else {"xmp": xmp.encode()}
    path = tmp_path / f"turned.{ending}"
    scene().transpose(ORIENTED[6]).save(path, quality=95, **options)
    assert np.abs(decoded(path).astype(int) - np.asarray(scene())).mean() < 4


def test_a_truncated_bmp_is_found(tmp_path):
    path = write(tmp_path / "cut.bmp", scene())
    files = opened(image(), [path])
    path.write_bytes(path.read_bytes()[:5000])
    assert image().find_corrupt(files)[0].startswith("the image is damaged: ")


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", ORIENTED)
def test_every_orientation_is_undone(tmp_path, orientation, ending):
    path = write(tmp_path / f"turned.{ending}", scene(), orientation, quality=95)
    pixels = decoded(path)
    assert largest_difference(pixels, decode_image(path.read_bytes())) <= 1
    assert np.abs(pixels.astype(int) - np.asarray(scene())).mean() < 4


@pytest.mark.parametrize("antialias", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("shape", [(24, 20, 3), (90, 60, 1)])
def test_files_are_resized_like_arrays(kinds, resize, shape, antialias):
    spec, paths = image(shape, resize=resize, antialias=antialias), list(kinds.values())
    given = spec.load(tf.constant(opened(spec, paths)))
    assert given.shape == (len(paths), *shape)
    assert given.dtype == tf.uint8
    for pixels, path in zip(given.numpy(), paths, strict=True):
        assert largest_difference(pixels, by_pillow(spec, path)) <= 2, path.name


def test_rotated_missing_and_upright_photos_in_one_batch(tmp_path):
    spec = image(missing="learned")
    paths = [
        write(tmp_path / f"{number}.jpg", scene(), number, quality=95) for number in ORIENTED
    ] + [write(tmp_path / "upright.jpg", scene(), quality=95)]
    files = np.append(opened(spec, paths), [[b"", b"1", b"0" * 64]], axis=0)
    *given, absent = spec.load(tf.constant(files)).numpy()
    for pixels, path in zip(given, paths, strict=True):
        assert largest_difference(pixels, by_pillow(spec, path)) <= 2, path.name
    assert not absent.any()


def test_same_bits_eagerly_and_in_a_parallel_pipeline_for_any_batch(kinds):
    spec = image(resize="crop")
    files = opened(spec, [*kinds.values(), *kinds.values()])
    bare = spec.load(tf.constant(files)).numpy()
    for size in (1, 7, 64):
        batches = tf.data.Dataset.from_tensor_slices(files).batch(size).map(spec.load, 4)
        assert batches.element_spec == tf.TensorSpec((None, 24, 20, 3), tf.uint8)
        np.testing.assert_array_equal(np.concatenate(list(batches.as_numpy_iterator())), bare)


@pytest.mark.parametrize("orientation", [1, 6])
def test_large_photos_are_downscaled_by_the_decoder(tmp_path, orientation):
    """Images stay at least twice the target size, so quality does not suffer."""
    path = write(tmp_path / "large.jpg", scene(912, 1200), orientation, quality=95)
    content, info = tf.constant(path.read_bytes()), tf.constant(str(orientation))

    def size(required, **options):
        edges = image((*required, 3), **options)._edges
        pixels = mmzoo.modalities.image.image_decoding._decode(content, info, required, edges)
        return pixels.shape[:2].as_list()

    required = [(912, 1200), (229, 300), (228, 300), (114, 150), (57, 75), (10, 10)]
    assert {one: size(one) for one in required} == {
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
def test_all_decoding_paths_agree(tmp_path, photo, size, resize):
    """Real photos, in a size that the decoder can downscale and in others."""
    pixels = PIL.Image.fromarray(load_sample_images().images[photo])
    path = write(tmp_path / "photo.jpg", pixels.resize(size, PIL.Image.Resampling.BICUBIC))
    spec = image((160, 128, 3), resize=resize)
    given = spec.load(tf.constant(opened(spec, [path]))).numpy()[0]
    difference = np.abs(given.astype(int) - by_pillow(spec, path).astype(int))
    assert difference.mean() < 0.5
    assert difference.max() <= 8


def test_without_antialiasing_large_photos_are_decoded_in_full(tmp_path):
    """A downscaling decoder averages pixels, which `antialias: false` must not do."""
    spec = image(antialias=False)
    path = write(tmp_path / "large.jpg", scene(900, 1200), quality=95)
    given = spec.load(tf.constant(opened(spec, [path]))).numpy()[0]
    assert largest_difference(given, by_pillow(spec, path)) <= 1


def test_without_antialiasing_images_match_the_keras_loader(tmp_path):
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


def test_a_photo_of_the_target_size_keeps_its_pixels(tmp_path):
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


def test_threads_share_one_traced_decoder(tmp_path, monkeypatch):
    module = mmzoo.modalities.image.image_decoding
    decode, spec, traced = module._decode, tf.TensorSpec, []
    monkeypatch.setattr(module, "_decode", lambda *given: (traced.append(given), decode(*given))[1])
    # All threads arrive before the first has made a decoder.
    monkeypatch.setattr(tf, "TensorSpec", lambda *given: (time.sleep(0.1), spec(*given))[1])
    module._decoder.cache_clear()
    content = write(tmp_path / "a.png", scene()).read_bytes()
    with ThreadPoolExecutor(4) as pool:
        pixels = list(pool.map(lambda _: decode_content(content, "1"), range(8)))
    module._decoder.cache_clear()
    assert len(traced) == 1
    assert all(np.array_equal(one, scene()) for one in pixels)
