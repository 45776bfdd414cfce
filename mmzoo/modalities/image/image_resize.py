"""Resizing images and converting their channels, in TensorFlow."""

from __future__ import annotations

from typing import Literal

from mmzoo.lazy import tf

Resize = Literal["stretch", "crop", "pad"]


def convert_channels(images: tf.Tensor, channels: int) -> tf.Tensor:
    """Converts greyscale to RGB or RGB to greyscale: uint8 `[batch, height, width, channels]`."""
    given = images.shape[-1]
    if given == channels:
        return images
    if given == 1:
        return tf.repeat(images, channels, axis=-1)
    # Rec. 601 luma in integer arithmetic, bit-identical to Pillow.
    red, green, blue = tf.unstack(tf.cast(images, tf.int32), axis=-1)
    luma = 19595 * red + 38470 * green + 7471 * blue + 2**15
    return tf.cast(tf.bitwise.right_shift(luma, 16), tf.uint8)[..., None]


def resize_images(
    images: tf.Tensor, height: int, width: int, resize: Resize, antialias: bool = True
) -> tf.Tensor:
    """Resizes images; returns them unchanged if they have the target size.

    Args:
        images: uint8 `[batch, any height, any width, channels]`; height and width may be unknown
            until the graph runs.
        height: target height.
        width: target width.
        resize: `stretch` changes the aspect ratio, `crop` crops the center, `pad` pads with black.
        antialias: whether downscaling is antialiased, as in Pillow; otherwise pixels are
            interpolated bilinearly, as in Keras' own loaders.

    Returns:
        uint8 `[batch, height, width, channels]`.
    """
    if images.shape[1:3].as_list() == [height, width]:
        return images
    resample = _antialiased if antialias else _bilinear
    if resize == "crop":
        images = resample(_center_crop(images, height, width), height, width)
    elif resize == "pad":
        images = _padded(resample(images, *_largest_within(images, height, width)), height, width)
    else:
        images = resample(images, height, width)
    return tf.ensure_shape(images, [None, height, width, images.shape[-1]])


def crop_edges(size: tf.Tensor, height: int, width: int, resize: Resize) -> tf.Tensor:
    """Edges of the part of an image that is resampled: of the image, and of its crop if any.

    Args:
        size: height and width of the image, int32 `[2]`.
        height: target height.
        width: target width.
        resize: as in `resize_images`.

    Returns:
        Positions in pixels from its top or left, int32 `[2]` or `[6]`.
    """
    if resize != "crop":
        return size
    return tf.concat([size, tf.stack(_center_crop_box(size[0], size[1], height, width))], 0)


def _bilinear(images: tf.Tensor, height: int | tf.Tensor, width: int | tf.Tensor) -> tf.Tensor:
    return _rounded(tf.image.resize(images, [height, width]))


def _antialiased(images: tf.Tensor, height: int | tf.Tensor, width: int | tf.Tensor) -> tf.Tensor:
    """Resamples with a triangular filter whose width grows with the downscaling factor.

    TensorFlow resizes rows much faster than columns, and both at once is slowest. So rows are
    resized first, then the columns, as rows of the transposed images.
    """
    rows = _resized_rows(images, height)
    transposed = _resized_rows(tf.transpose(rows, [0, 2, 1, 3]), width)
    return tf.transpose(_rounded(transposed), [0, 2, 1, 3])


def _resized_rows(images: tf.Tensor, height: int | tf.Tensor) -> tf.Tensor:
    """Images of another height, float32 `[batch, height, width, channels]`."""
    batch, rows, columns, channels = tf.unstack(tf.shape(images))
    # Each row becomes one pixel with many channels, over which the kernel vectorizes.
    lines = tf.reshape(images, [batch, rows, 1, columns * channels])
    resized = tf.image.resize(lines, [height, 1], antialias=True)
    return tf.reshape(resized, [batch, height, columns, images.shape[-1]])


def _rounded(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(images + 0.5, tf.uint8)


def _center_crop(images: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """The largest center crop with the aspect ratio of the target size."""
    top, left, bottom, right = _center_crop_box(*_size(images), height, width)
    return images[:, top:bottom, left:right]


def _center_crop_box(
    rows: tf.Tensor, columns: tf.Tensor, height: int, width: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Top, left, bottom and right of the center crop."""
    crop_height = tf.clip_by_value(_scaled(columns, height, width), 1, rows)
    crop_width = tf.clip_by_value(_scaled(rows, width, height), 1, columns)
    top, left = (rows - crop_height) // 2, (columns - crop_width) // 2
    return top, left, top + crop_height, left + crop_width


def _largest_within(images: tf.Tensor, height: int, width: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The largest size within height by width that preserves the aspect ratio."""
    rows, columns = _size(images)
    return (
        tf.clip_by_value(_scaled(rows, width, columns), 1, height),
        tf.clip_by_value(_scaled(columns, height, rows), 1, width),
    )


def _padded(images: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Images centered on black ones of this size."""
    rows, columns = _size(images)
    top, left = (height - rows) // 2, (width - columns) // 2
    edges = [[0, 0], [top, height - rows - top], [left, width - columns - left], [0, 0]]
    return tf.pad(images, edges)


def _size(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    shape = tf.shape(images)
    return shape[1], shape[2]


def _scaled(side: tf.Tensor, numerator: int | tf.Tensor, denominator: int | tf.Tensor) -> tf.Tensor:
    """A scaled length in whole pixels, int32; float64 represents all such products exactly."""
    product = tf.cast(side, tf.float64) * tf.cast(numerator, tf.float64)
    return tf.cast(tf.round(product / tf.cast(denominator, tf.float64)), tf.int32)
