"""Many small pictures of one size as one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_LEAST_SIDE = 32
"""Smaller pictures are enlarged to about this many pixels, so that a frame of one pixel is thin."""
_FRAME = (163, 200, 233)
"""A blue that neither a white nor a black or grey picture melts into."""


def tiled(pictures: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """The pictures in rows of `columns` on white, pixel by pixel, each in a thin frame.

    Args:
        pictures: uint8 `[count, height, width, 1 or 3]`.
        columns: how many in a row.

    Returns:
        Uint8 `[height, width, 3]`.
    """
    factor = math.ceil(_LEAST_SIDE / min(pictures.shape[1:3]))
    large = pictures.repeat(factor, axis=1).repeat(factor, axis=2)
    if large.shape[3] == 1:
        large = large.repeat(3, axis=3)
    count, height, width, _ = large.shape
    frame = max(1, height // 32)
    framed = np.full((count, height + 2 * frame, width + 2 * frame, 3), _FRAME, np.uint8)
    framed[:, frame:-frame, frame:-frame] = large

    rows = math.ceil(count / columns)
    height, width = height + 4 * frame, width + 4 * frame
    canvas = np.full((rows * height, columns * width, 3), 255, np.uint8)
    for place, picture in enumerate(framed):
        top, left = place // columns * height + frame, place % columns * width + frame
        canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas
