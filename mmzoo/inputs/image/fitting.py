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
    red, green, blue = tf.unstack(tf.cast(images, tf.int32), axis=-1)
    luma = 19595 * red + 38470 * green + 7471 * blue + 2**15
    return tf.cast(tf.bitwise.right_shift(luma, 16), tf.uint8)[..., None]


def fitted(
    images: tf.Tensor, height: int, width: int, resize: Resize, antialias: bool = True
) -> tf.Tensor:
    """The pictures at this size.

    Args:
        images: uint8 `[batch, any height, any width, channels]`; height and width may be known
            only when the graph runs.
        height: To be had.
        width: To be had.
        resize: `stretch` changes the proportions, `crop` loses two edges, `pad` adds two black
            ones.
        antialias: Whether a picture that shrinks is made of all its pixels, as Pillow makes it, or
            only of those next to the places that are left, as Keras' own loaders do.

    Returns:
        Uint8 `[batch, height, width, channels]`; pictures of that size as they are.
    """
    if images.shape[1:3].as_list() == [height, width]:
        return images
    resample = _averaged if antialias else _interpolated
    if resize == "crop":
        images = resample(_cropped(images, height, width), height, width)
    elif resize == "pad":
        images = _padded(resample(images, *_largest_within(images, height, width)), height, width)
    else:
        images = resample(images, height, width)
    return tf.ensure_shape(images, [None, height, width, images.shape[-1]])


def edges(size: tf.Tensor, height: int, width: int, resize: Resize) -> tf.Tensor:
    """Where a picture is cut before it is resampled: its own edges, or those that cropping makes.

    Args:
        size: Of the picture: height and width, int32 `[2]`.
        height: To be had.
        width: To be had.
        resize: As of `fitted`.

    Returns:
        Places in pixels from its top or left, int32 `[2]` or `[6]`.
    """
    if resize != "crop":
        return size
    return tf.concat([size, tf.stack(_central_part(size[0], size[1], height, width))], 0)


def _interpolated(images: tf.Tensor, height: int | tf.Tensor, width: int | tf.Tensor) -> tf.Tensor:
    return _rounded(tf.image.resize(images, [height, width]))


def _averaged(images: tf.Tensor, height: int | tf.Tensor, width: int | tf.Tensor) -> tf.Tensor:
    """Resampled with a triangle that is wider the more a picture shrinks.

    TensorFlow resizes rows much faster than columns, and both at once slowest of all. So rows are
    resized, and then, with the pictures lying on their sides, what were columns.
    """
    rows = _resized_rows(images, height)
    lying = _resized_rows(tf.transpose(rows, [0, 2, 1, 3]), width)
    return tf.transpose(_rounded(lying), [0, 2, 1, 3])


def _resized_rows(images: tf.Tensor, height: int | tf.Tensor) -> tf.Tensor:
    """Float32 `[batch, height, width, channels]` of another height."""
    batch, rows, columns, channels = tf.unstack(tf.shape(images))
    # Each row as one pixel of many channels, which are what the kernel vectorises.
    lines = tf.reshape(images, [batch, rows, 1, columns * channels])
    resized = tf.image.resize(lines, [height, 1], antialias=True)
    return tf.reshape(resized, [batch, height, columns, images.shape[-1]])


def _rounded(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(images + 0.5, tf.uint8)


def _cropped(images: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """The largest central part that has the proportions of height by width."""
    top, left, bottom, right = _central_part(*_size(images), height, width)
    return images[:, top:bottom, left:right]


def _central_part(
    rows: tf.Tensor, columns: tf.Tensor, height: int, width: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """The top, left, bottom and right of what cropping leaves."""
    kept_rows = tf.clip_by_value(_scaled(columns, height, width), 1, rows)
    kept_columns = tf.clip_by_value(_scaled(rows, width, height), 1, columns)
    top, left = (rows - kept_rows) // 2, (columns - kept_columns) // 2
    return top, left, top + kept_rows, left + kept_columns


def _largest_within(images: tf.Tensor, height: int, width: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The largest size within height by width that keeps the pictures' proportions."""
    rows, columns = _size(images)
    return (
        tf.clip_by_value(_scaled(rows, width, columns), 1, height),
        tf.clip_by_value(_scaled(columns, height, rows), 1, width),
    )


def _padded(images: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """The pictures in the middle of black ones of this size."""
    rows, columns = _size(images)
    top, left = (height - rows) // 2, (width - columns) // 2
    edges = [[0, 0], [top, height - rows - top], [left, width - columns - left], [0, 0]]
    return tf.pad(images, edges)


def _size(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    shape = tf.shape(images)
    return shape[1], shape[2]


def _scaled(side: tf.Tensor, numerator: int | tf.Tensor, denominator: int | tf.Tensor) -> tf.Tensor:
    """A side's length in whole pixels, int32; float64 holds every product of two lengths."""
    whole = tf.cast(side, tf.float64) * tf.cast(numerator, tf.float64)
    return tf.cast(tf.round(whole / tf.cast(denominator, tf.float64)), tf.int32)
