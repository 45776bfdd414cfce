"""Opening: what must be known of picture files before a pipeline decodes them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from mmzoo.inputs.image.decoding import decoded_picture
from mmzoo.inputs.image.files import picture_header, picture_pixels
from mmzoo.inputs.image.fitting import Resize
from mmzoo.inputs.opened import Opened
from mmzoo.inputs.opening import FileKind, opened_files
from mmzoo.inputs.reading import Tell, UnreadableError, read_file
from mmzoo.lazy import tf

if TYPE_CHECKING:
    import numpy as np

_FITTED = {
    "stretch": "are stretched to",
    "crop": "are cropped and resized to",
    "pad": "are resized and padded with black to",
}


def opened_pictures(
    columns: Mapping[str, np.ndarray],
    known: Mapping[str, Collection[int]],
    shape: Sequence[int],
    resize: Resize,
    decode: bool,
    tell: Tell,
) -> Opened:
    """Reads picture files once, as `opened_files` does.

    Args:
        columns: Split -> paths, text `[examples]`.
        known: Split -> rows whose paths must not be opened.
        shape: Of the pictures that they will become.
        resize: How they will.
        decode: Whether to decode every picture too.
        tell: Receives sentences on what takes long.

    Returns:
        Columns of bytes `[examples, 3]`: path, EXIF orientation, sha256.
    """
    opened, headers = opened_files(columns, known, PICTURES, decode, tell)
    sizes = {(header.width, header.height) for header in headers}
    return replace(opened, notes=_notes(sizes, shape, resize))


@cache
def _decoder() -> Callable[[tf.Tensor], tf.Tensor]:
    """Decodes a file as a pipeline does; compiled, as single operations cost more than pictures."""

    @tf.function(input_signature=[tf.TensorSpec((3,), tf.string)], autograph=False)
    def decode(file: tf.Tensor) -> tf.Tensor:
        return tf.shape(decoded_picture(file, edges=lambda size: size))

    return decode


def _damage(file: np.ndarray) -> str | None:
    """Why a file's picture cannot be decoded, in the words of Pillow, which has more of them."""
    try:
        with tf.device("CPU"):
            _decoder()(tf.constant(file))
    # TensorFlow quotes the bytes of very short files, of which Python can make no message.
    except (tf.errors.OpError, UnicodeDecodeError):
        try:
            picture_pixels(read_file(os.fsdecode(file[0]), "picture"))
        except UnreadableError as error:
            return str(error)
        return "the picture is damaged"
    return None


PICTURES = FileKind(
    type="image",
    noun="picture",
    header=picture_header,
    told=lambda header: str(header.orientation),
    damage=_damage,
)


def _notes(sizes: set[tuple[int, int]], shape: Sequence[int], resize: Resize) -> tuple[str, ...]:
    """A sentence on what is done about pictures of other sizes, if there are such."""
    height, width = shape[:2]
    if sizes <= {(width, height)}:
        return ()
    smallest, *others = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    named = f"{smallest[0]}x{smallest[1]}"
    if others:
        largest = f"{others[-1][0]}x{others[-1][1]}"
        named = f"{len(sizes):,} sizes, from {named} to {largest},"
    return (f"pictures of {named} {_FITTED[resize]} {width}x{height}",)
