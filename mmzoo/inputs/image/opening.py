"""Opening: what must be known of picture files before a pipeline decodes them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from mmzoo.inputs.found_whole import newly_damaged
from mmzoo.inputs.image.decoding import decoded_picture
from mmzoo.inputs.image.files import Header, picture_header, picture_pixels
from mmzoo.inputs.image.fitting import Resize
from mmzoo.inputs.opened import Opened
from mmzoo.inputs.reading import Tell, UnreadableError, in_threads, read_file
from mmzoo.lazy import tf

if TYPE_CHECKING:
    import numpy as np

_UNREAD = "0" * 64
"""In the place of a hash, where there is nothing to hash."""
_FITTED = {
    "stretch": "are stretched to",
    "crop": "are cropped and resized to",
    "pad": "are resized and padded with black to",
}


def opened_files(
    columns: Mapping[str, np.ndarray],
    known: Mapping[str, Collection[int]],
    shape: Sequence[int],
    resize: Resize,
    decode: bool,
    tell: Tell,
) -> Opened:
    """Reads picture files once, for what their headers say and for a hash of what is in them.

    Args:
        columns: Split -> paths, text `[examples]`.
        known: Split -> rows whose paths must not be opened.
        shape: Of the pictures that they will become.
        resize: How they will.
        decode: Whether to decode every picture too, for damage that no header tells of, save those
            that were found whole before.
        tell: Receives sentences on what takes long.

    Returns:
        Columns of bytes `[examples, 3]`: path, EXIF orientation, sha256.
    """
    values, bad, sizes, content = {}, {}, set(), hashlib.sha256()
    for split, paths in columns.items():
        shut = set(known.get(split, ()))
        names = ["" if row in shut else path for row, path in enumerate(paths.tolist())]
        found = in_threads(_opened, names, "Opened", "pictures", tell)
        values[split] = _column(paths.tolist(), found)
        bad[split] = {
            row: file for row, file in enumerate(found) if isinstance(file, str) and row not in shut
        }
        if decode:
            whole = [row for row, file in enumerate(found) if not isinstance(file, str)]
            damaged = newly_damaged("image", values[split][whole], damaged_files, tell)
            bad[split] |= {whole[place]: reason for place, reason in damaged.items()}
        for row, file in enumerate(found):
            if row not in bad[split] and not isinstance(file, str):
                header, sha256 = file
                sizes.add((header.width, header.height))
                content.update(sha256.encode())
    return Opened(values, bad, content.hexdigest(), _notes(sizes, shape, resize))


def damaged_files(files: np.ndarray, tell: Tell) -> dict[int, str]:
    """Decodes all pictures; row -> why it cannot be, as a clause, for those that cannot.

    Args:
        files: Bytes `[examples, 3]`, as `opened_files` has them.
        tell: Receives sentences on the progress, if it takes long.
    """
    reasons = in_threads(_damage, list(files), "Looked for damage in", "pictures", tell)
    return {row: reason for row, reason in enumerate(reasons) if reason is not None}


def _opened(path: str) -> tuple[Header, str] | str:
    """Header and hash of a file, or why it cannot be read."""
    try:
        content = read_file(path, "picture")
        return picture_header(content), hashlib.sha256(content).hexdigest()
    except UnreadableError as error:
        return str(error)


def _column(paths: Sequence[str], found: Sequence[tuple[Header, str] | str]) -> np.ndarray:
    import numpy as np

    parts = [("1", _UNREAD) if isinstance(f, str) else (str(f[0].orientation), f[1]) for f in found]
    rows = [
        (os.fsencode(path), orientation.encode(), sha256.encode())
        for path, (orientation, sha256) in zip(paths, parts, strict=True)
    ]
    return np.array(rows, dtype=np.bytes_).reshape(-1, 3)


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
