"""Opening: what must be known of picture files before a pipeline decodes them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache

from mmzoo.inputs.image.decoding import decoded_picture
from mmzoo.inputs.image.files import Header, picture_header, picture_pixels
from mmzoo.inputs.image.fitting import Resize
from mmzoo.inputs.opening import FileKind
from mmzoo.inputs.reading import UnreadableError, read_file
from mmzoo.lazy import np, tf

_FITTED = {
    "stretch": "are stretched to",
    "crop": "are cropped and resized to",
    "pad": "are resized and padded with black to",
}


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


def fitting_notes(
    headers: Sequence[Header], shape: Sequence[int], resize: Resize
) -> tuple[str, ...]:
    """A sentence on what is done about pictures of other sizes, if there are such."""
    height, width = shape[:2]
    sizes = {(header.width, header.height) for header in headers}
    if sizes <= {(width, height)}:
        return ()
    smallest, *others = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    named = f"{smallest[0]}x{smallest[1]}"
    if others:
        largest = f"{others[-1][0]}x{others[-1][1]}"
        named = f"{len(sizes):,} sizes, from {named} to {largest},"
    return (f"pictures of {named} {_FITTED[resize]} {width}x{height}",)
