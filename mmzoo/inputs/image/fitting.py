"""Fitting: pictures of any size and colour brought to the size and channels of an input."""

from __future__ import annotations

from typing import Literal

from mmzoo.lazy import tf

Resize = Literal["stretch", "crop", "pad"]


def with_channels(images: tf.Tensor, channels: int) -> tf.Tensor:
    """Grey pictures as colour or colour as grey: uint8 `[batch, height, width, channels]`."""
    given = images.shape[-1]
    if given == channels:
        return images
    if given == 1:
        return tf.repeat(images, channels, axis=-1)
    # Rec. 601 luma in integers, as Pillow has it: a picture is as grey whoever greys it.
    weighted = tf.cast(images, tf.int32) * tf.constant([19595, 38470, 7471])
    luma = tf.reduce_sum(weighted, axis=-1, keepdims=True) + 2**15
    return tf.cast(tf.bitwise.right_shift(luma, 16), tf.uint8)


def fitted(images: tf.Tensor, height: int, width: int, resize: Resize) -> tf.Tensor:
    """The pictures at this size.

    Args:
        images: uint8 `[batch, any height, any width, channels]`, all but the batch static.
        height: To be had.
        width: To be had.
        resize: `stretch` changes the proportions, `crop` loses two edges, `pad` adds two black
            ones.

    Returns:
        Uint8 `[batch, height, width, channels]`; pictures of that size as they are.
    """
    if images.shape[1:3] == (height, width):
        return images
    if resize == "crop":
        return _resized(_cropped(images, height, width), height, width)
    if resize == "pad":
        return _padded(_resized(images, *_largest_within(images, height, width)), height, width)
    return _resized(images, height, width)


def _resized(images: tf.Tensor, height: int, width: int) -> tf.Tensor:
    # Without antialiasing a shrunken picture is made of every n-th pixel of the large one.
    resized = tf.image.resize(images, [height, width], method="bilinear", antialias=True)
    return tf.saturate_cast(tf.round(resized), tf.uint8)


def _cropped(images: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """The largest central part that has the proportions of height by width."""
    rows, columns = images.shape[1:3]
    kept_rows = max(1, min(rows, round(columns * height / width)))
    kept_columns = max(1, min(columns, round(rows * width / height)))
    top, left = (rows - kept_rows) // 2, (columns - kept_columns) // 2
    return images[:, top : top + kept_rows, left : left + kept_columns]


def _largest_within(images: tf.Tensor, height: int, width: int) -> tuple[int, int]:
    """The largest size within height by width that keeps the pictures' proportions."""
    rows, columns = images.shape[1:3]
    return (
        max(1, min(height, round(rows * width / columns))),
        max(1, min(width, round(columns * height / rows))),
    )


def _padded(images: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """The pictures in the middle of black ones of this size."""
    spare_rows, spare_columns = height - images.shape[1], width - images.shape[2]
    top, left = spare_rows // 2, spare_columns // 2
    edges = [[0, 0], [top, spare_rows - top], [left, spare_columns - left], [0, 0]]
    return tf.pad(images, edges)
