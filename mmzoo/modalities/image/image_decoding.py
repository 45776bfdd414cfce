"""Decoding of image files in the tf.data pipeline, and detection of corrupt ones."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from mmzoo.errors import DataError
from mmzoo.lazy import np, tf
from mmzoo.modalities.file_probe import FileKind, UnreadableError, read_file
from mmzoo.modalities.image.image_files import (
    TRANSPOSED,
    ImageHeader,
    decode_image,
    find_image_flaw,
    read_image_header,
)
from mmzoo.modalities.image.image_resize import Resize

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTH = 24
"""Offset of the bit depth in a PNG file."""
_FLIPS = 2 * ((False, False), (False, True), (True, True), (True, False))
"""Per EXIF orientation from 1 on, whether to flip rows and columns, after any transposition."""
_RATIOS = (1, 2, 4, 8)
"""Factors by which the JPEG decoder can downscale, which is faster than decoding in full."""
_MIN_OVERSIZE = 2
"""Minimum ratio of the size that the JPEG decoder produces to the target size. Its downscaling is
slightly sharper than ours; with this margin they differ by at most a few of 255 levels."""


def decode_batch(
    files: tf.Tensor,
    shape: tuple[int, int, int],
    fit: Callable[[tf.Tensor], tf.Tensor],
    edges: Callable[[tf.Tensor], tf.Tensor] | None,
) -> tf.Tensor:
    """Decodes and resizes the images of a batch of files.

    Args:
        files: strings `[batch, 3]`: paths, orientations and hashes, see `file_array`. An empty path
            gives a black image.
        shape: height, width and channels of a resized image.
        fit: resizes uint8 `[1, any height, any width, 3]`.
        edges: maps the height and width of an image, int32 `[2]`, to the positions, int32 `[any]`,
            at which `fit` crops it. An image that is much too large is decoded at a fraction of its
            size if these positions remain whole numbers; None disables that.

    Returns:
        uint8 `[batch, *shape]`.
    """
    # Missing files are read as empty ones.
    paths = tf.where(files[:, 0] == b"", os.devnull, files[:, 0])

    def decode_one(given: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        file, path = given
        content = tf.io.read_file(path)
        # Fast path for nearly all photos: each branch costs some percent of decoding a photo.
        return tf.cond(
            _is_jpeg(content) & (file[1] == b"1"),
            lambda: fit(_jpeg(content, tf.constant(1), shape[:2], edges)[None])[0],
            lambda: decode_other(file, content),
        )

    def decode_other(file: tf.Tensor, content: tf.Tensor) -> tf.Tensor:
        return tf.cond(
            file[0] == b"",
            lambda: tf.zeros(shape, tf.uint8),
            lambda: fit(_decode(content, file[1], shape[:2], edges)[None])[0],
        )

    # Batches are already made in parallel; more images at once would only thrash the CPU caches.
    return tf.map_fn(
        decode_one,
        (files, paths),
        parallel_iterations=1,
        fn_output_signature=tf.TensorSpec(shape, tf.uint8),
    )


def _decode(
    content: tf.Tensor,
    info: tf.Tensor,
    target: tuple[int, int] = (1, 1),
    edges: Callable[[tf.Tensor], tf.Tensor] | None = None,
) -> tf.Tensor:
    """Pixels of an image file: upright, RGB, transparency over white.

    Args:
        content: content of the file, a string.
        info: its EXIF orientation, a string.
        target: height and width that the image will be resized to.
        edges: as in `decode_batch`; None decodes at full size.

    Returns:
        uint8 `[any height, any width, 3]`.
    """
    orientation = tf.strings.to_number(info, tf.int32)
    is_png = tf.strings.substr(content, 0, len(_PNG)) == _PNG
    depth = tf.strings.substr(content, _PNG_DEPTH, 1)
    is_deep = (depth == b"\x08") | (depth == b"\x10")
    decoder = tf.where(_is_jpeg(content), 0, tf.where(is_png & is_deep, 1, 2))
    pixels = tf.switch_case(
        decoder,
        [
            lambda: _jpeg(content, orientation, target, edges),
            lambda: _png(content),
            lambda: _decode_with_pillow(content),
        ],
    )
    return _upright(pixels, tf.where(decoder < 2, orientation, 1))


def _is_jpeg(content: tf.Tensor) -> tf.Tensor:
    return tf.strings.substr(content, 0, len(_JPEG)) == _JPEG


def _jpeg(
    content: tf.Tensor,
    orientation: tf.Tensor,
    target: tuple[int, int],
    edges: Callable[[tf.Tensor], tf.Tensor] | None,
) -> tf.Tensor:
    def decode_at(ratio: int) -> Callable[[], tf.Tensor]:
        # Bit-identical to Pillow, and as fast as the default method.
        return lambda: tf.io.decode_jpeg(
            content, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE"
        )

    if edges is None:
        return decode_at(1)()
    stored = tf.io.extract_jpeg_shape(content)[:2]
    size = tf.where(orientation < TRANSPOSED, stored, stored[::-1])
    ratios = tf.constant(_RATIOS)
    is_large = tf.reduce_min(size // (_MIN_OVERSIZE * tf.constant(target))) >= ratios
    # Half a source pixel at an edge is up to a fifth of a pixel of the result.
    is_whole = tf.reduce_all(edges(size)[:, None] % ratios == 0, axis=0)
    return tf.switch_case(
        tf.reduce_max(tf.where(is_large & is_whole, tf.range(len(_RATIOS)), 0)),
        [decode_at(ratio) for ratio in _RATIOS],
    )


def _png(content: tf.Tensor) -> tf.Tensor:
    pixels = tf.io.decode_png(content, channels=4)
    colours, opacity = pixels[..., :3], pixels[..., 3:]

    def over_white() -> tf.Tensor:
        share = tf.cast(opacity, tf.float32) / 255.0
        return tf.cast(tf.cast(colours, tf.float32) * share + 255.0 * (1.0 - share) + 0.5, tf.uint8)

    return tf.cond(tf.reduce_all(opacity == 255), lambda: colours, over_white)


def _decode_with_pillow(content: tf.Tensor) -> tf.Tensor:
    pixels = tf.numpy_function(_rgb_pixels, [content], tf.uint8, stateful=False)
    return tf.ensure_shape(pixels, [None, None, 3])


def _rgb_pixels(content: bytes | np.ndarray) -> np.ndarray:
    """RGB pixels; the content is bytes within a graph, and a 0-d array outside of one."""
    pixels = decode_image(np.asarray(content, object).item())
    # `repeat` copies, even if it has nothing to do, and takes as long as decoding.
    return pixels if pixels.shape[-1] == 3 else pixels.repeat(3, axis=-1)


def _upright(pixels: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Rotates and flips stored pixels by their EXIF orientation."""

    def rotate() -> tf.Tensor:
        transposed = tf.transpose(pixels, [1, 0, 2])
        return tf.reverse(
            tf.cond(orientation < TRANSPOSED, lambda: pixels, lambda: transposed),
            tf.where(tf.constant(_FLIPS)[orientation - 1])[:, 0],
        )

    return tf.cond(orientation == 1, lambda: pixels, rotate)


_CONVERSIONS = {
    "stretch": "are stretched to",
    "crop": "are cropped and resized to",
    "pad": "are resized and padded with black to",
}


_TRACING = threading.Lock()
"""Without it, each of the threads that check files would trace a decoder of its own."""


@cache
def _decoder() -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Decodes a file as the pipeline does, compiled because eager ops take longer than decoding."""
    text = tf.TensorSpec((), tf.string)
    function = tf.function(_decode, input_signature=[text, text], autograph=False)
    return function.get_concrete_function()  # Calls of it take half the time.


def decode_content(content: bytes, info: str) -> np.ndarray:
    """Pixels of an image file, decoded as in training: uint8 `[height, width, 3]`.

    Args:
        content: content of the file.
        info: its EXIF orientation.

    Raises:
        UnreadableError: it is damaged.
    """
    with _TRACING:
        decode = _decoder()
    try:
        with tf.device("CPU"):
            return decode(tf.constant(content), tf.constant(info)).numpy()
    # TensorFlow quotes the bytes of very short files, which may not be valid UTF-8.
    except (tf.errors.OpError, UnicodeDecodeError):
        decode_image(content)  # The error of Pillow is more specific.
        raise UnreadableError("the image is damaged") from None


def read_image(path: Path) -> np.ndarray:
    """Pixels of an image file, decoded as in training: uint8 `[height, width, 1 or 3]`.

    Raises:
        DataError: the file is missing, too large or not a readable image.
    """
    try:
        content = read_file(path, "image")
        header = read_image_header(content)
        pixels = decode_content(content, str(header.orientation))
    except UnreadableError as error:
        raise DataError(f"{path}: {error}") from error
    return pixels[..., :1] if header.is_greyscale else pixels


IMAGE_FILES = FileKind(
    type="image",
    noun="image",
    header=read_image_header,
    info=lambda header: str(header.orientation),
    find_flaw=lambda content, info: find_image_flaw(content, decode_content(content, info)),
)


def conversion_notes(
    headers: Sequence[ImageHeader], shape: Sequence[int], resize: Resize
) -> tuple[str, ...]:
    """A note on how images of other sizes are resized, if there are any."""
    height, width = shape[:2]
    sizes = {(header.width, header.height) for header in headers}
    if sizes <= {(width, height)}:
        return ()
    smallest, *others = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    named = f"{smallest[0]}x{smallest[1]}"
    if others:
        largest = f"{others[-1][0]}x{others[-1][1]}"
        named = f"{len(sizes):,} sizes, from {named} to {largest},"
    return (f"images of {named} {_CONVERSIONS[resize]} {width}x{height}",)
