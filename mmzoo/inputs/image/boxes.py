"""Boxes in pictures: what random erasing paints over and cutmix pastes."""

from __future__ import annotations

from mmzoo.lazy import tf


def inside_box(boxes: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Which pixels lie in each picture's box: bool `[batch, height, width, 1]`.

    Args:
        boxes: float32 `[batch, 4]`: top, left, bottom, right in whole pixels, the last two
            excluded.
        height: Of the pictures.
        width: Of the pictures.
    """
    top, left, bottom, right = tf.split(boxes, 4, axis=1)
    rows, columns = tf.range(float(height)), tf.range(float(width))
    in_rows = (rows >= top) & (rows < bottom)
    in_columns = (columns >= left) & (columns < right)
    return in_rows[:, :, None, None] & in_columns[:, None, :, None]
