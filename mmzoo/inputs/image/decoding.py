"""Decoding: picture files as pixels, by TensorFlow's own decoders in the midst of a pipeline.

JPEG, PNG and plain BMP, which nearly all photos are, are decoded without Python. Pillow decodes the
others: TensorFlow leaves greys of fewer than 8 bits black, takes the palettes of BMP for greys,
unpacks all frames of a GIF to get at the first, takes longer even where there is but one, shows
what is transparent in it as black, and knows WebP only in its latest versions.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from mmzoo.inputs.image.files import TURNED, picture_pixels
from mmzoo.inputs.reading import read_file
from mmzoo.lazy import np, tf

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTH = 24
"""Where a PNG says how many bits each number has."""
_BMP = {0: b"BM", 14: b"\x28\0\0\0", 26: b"\x01\0\x18\0\0\0\0\0"}
"""What plain BMP files have, by its place: the name, Windows' first header, 24 bits as they are."""
_FLIPS = 2 * ((False, False), (False, True), (True, True), (True, False))
"""Of each orientation from 1 on, whether rows and columns are reversed, after any exchange."""
_RATIOS = (1, 2, 4, 8)
"""By how much JPEG's decoder can shrink a picture, for less work than to decode it whole."""
_SPARE = 2
"""How many times too large a picture must be left by JPEG's decoder. What it shrinks by itself is
a little sharper than what we do; of the difference, this leaves at most a few levels of 255."""


def decoded(
    files: tf.Tensor,
    shape: tuple[int, int, int],
    fit: Callable[[tf.Tensor], tf.Tensor],
    edges: Callable[[tf.Tensor], tf.Tensor] | None,
) -> tf.Tensor:
    """The pictures of a batch of files.

    Args:
        files: Strings `[batch, 3]`: paths, orientations and hashes, as `opening` has them. Where
            there is no path, the picture is black.
        shape: Of a fitted picture.
        fit: Makes uint8 `[1, any height, any width, 3]` fit.
        edges: From the height and width of a picture, int32 `[2]`, to the places, int32 `[any]`,
            that `fit` cuts it at: much too large, it is decoded at a fraction of its size if those
            remain whole numbers. None if it must not be.

    Returns:
        Uint8 `[batch, *shape]`.
    """
    # Files without anything in them stand for those that are absent.
    paths = tf.where(files[:, 0] == b"", os.devnull, files[:, 0])

    def one(given: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        file, path = given
        content = tf.io.read_file(path)
        # Nearly all photos are so, and every decision costs some hundredths of a decoded photo.
        return tf.cond(
            _is_jpeg(content) & (file[1] == b"1"),
            lambda: fit(_jpeg(content, tf.constant(1), shape[:2], edges)[None])[0],
            lambda: any_other(file, content),
        )

    def any_other(file: tf.Tensor, content: tf.Tensor) -> tf.Tensor:
        return tf.cond(
            file[0] == b"",
            lambda: tf.zeros(shape, tf.uint8),
            lambda: fit(_picture(file, content, shape[:2], edges)[None])[0],
        )

    # Batches are made side by side already: more pictures at once only push each other's pixels
    # out of the processor's caches.
    return tf.map_fn(
        one,
        (files, paths),
        parallel_iterations=1,
        fn_output_signature=tf.TensorSpec(shape, tf.uint8),
    )


def decoded_picture(
    file: tf.Tensor,
    wanted: tuple[int, int] = (1, 1),
    edges: Callable[[tf.Tensor], tf.Tensor] | None = None,
) -> tf.Tensor:
    """A file's picture, upright, over white where it is transparent.

    Args:
        file: Strings `[3]`: path, orientation and hash.
        wanted: Height and width that the picture will be resized to.
        edges: As of `decoded`; None gives every picture in its own size.

    Returns:
        Uint8 `[any height, any width, 3]`.
    """
    return _picture(file, tf.io.read_file(file[0]), wanted, edges)


def _picture(
    file: tf.Tensor,
    content: tf.Tensor,
    wanted: tuple[int, int],
    edges: Callable[[tf.Tensor], tf.Tensor] | None,
) -> tf.Tensor:
    orientation = tf.strings.to_number(file[1], tf.int32)
    is_jpeg = _is_jpeg(content)
    is_png = tf.strings.substr(content, 0, len(_PNG)) == _PNG
    depth = tf.strings.substr(content, _PNG_DEPTH, 1)
    is_deep = (depth == b"\x08") | (depth == b"\x10")
    pixels = tf.switch_case(
        tf.where(is_jpeg, 0, tf.where(is_png & is_deep, 1, 2)),
        [
            lambda: _jpeg(content, orientation, wanted, edges),
            lambda: _png(content),
            lambda: _other(content, file[0]),
        ],
    )
    return _upright(pixels, tf.where(is_jpeg | is_png & is_deep, orientation, 1))


def _is_jpeg(content: tf.Tensor) -> tf.Tensor:
    return tf.strings.substr(content, 0, len(_JPEG)) == _JPEG


def _jpeg(
    content: tf.Tensor,
    orientation: tf.Tensor,
    wanted: tuple[int, int],
    edges: Callable[[tf.Tensor], tf.Tensor] | None,
) -> tf.Tensor:
    def at(ratio: int) -> Callable[[], tf.Tensor]:
        # Exactly as Pillow has it, and no slower than the default method.
        return lambda: tf.io.decode_jpeg(
            content, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE"
        )

    if edges is None:
        return at(1)()
    lying = tf.io.extract_jpeg_shape(content)[:2]
    size = tf.where(orientation < TURNED, lying, lying[::-1])
    ratios = tf.constant(_RATIOS)
    is_large = tf.reduce_min(size // (_SPARE * tf.constant(wanted))) >= ratios
    # Half a pixel at an edge would be a fifth of a pixel or so of the picture to be had.
    is_whole = tf.reduce_all(edges(size)[:, None] % ratios == 0, axis=0)
    return tf.switch_case(
        tf.reduce_max(tf.where(is_large & is_whole, tf.range(len(_RATIOS)), 0)),
        [at(ratio) for ratio in _RATIOS],
    )


def _png(content: tf.Tensor) -> tf.Tensor:
    pixels = tf.io.decode_png(content, channels=4)
    colours, opacity = pixels[..., :3], pixels[..., 3:]

    def over_white() -> tf.Tensor:
        share = tf.cast(opacity, tf.float32) / 255.0
        return tf.cast(tf.cast(colours, tf.float32) * share + 255.0 * (1.0 - share) + 0.5, tf.uint8)

    return tf.cond(tf.reduce_all(opacity == 255), lambda: colours, over_white)


def _other(content: tf.Tensor, path: tf.Tensor) -> tf.Tensor:
    parts = [tf.strings.substr(content, place, len(part)) == part for place, part in _BMP.items()]
    return tf.cond(
        tf.reduce_all(tf.stack(parts)),
        lambda: tf.io.decode_bmp(content, channels=3),
        lambda: _by_pillow(path),
    )


def _by_pillow(path: tf.Tensor) -> tf.Tensor:
    pixels = tf.numpy_function(_colours, [path], tf.uint8, stateful=False)
    return tf.ensure_shape(pixels, [None, None, 3])


def _colours(path: bytes | np.ndarray) -> np.ndarray:
    """Takes bytes within a graph, and an array of none but itself outside of one."""

    pixels = picture_pixels(read_file(os.fsdecode(np.asarray(path).item()), "picture"))
    # To repeat once would cost as much as to decode.
    return pixels if pixels.shape[-1] == 3 else pixels.repeat(3, axis=-1)


def _upright(pixels: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """The pixels as they are to be shown, given EXIF's number of how they lie."""

    def turned() -> tf.Tensor:
        transposed = tf.transpose(pixels, [1, 0, 2])
        return tf.reverse(
            tf.cond(orientation < TURNED, lambda: pixels, lambda: transposed),
            tf.where(tf.constant(_FLIPS)[orientation - 1])[:, 0],
        )

    return tf.cond(orientation == 1, lambda: pixels, turned)
