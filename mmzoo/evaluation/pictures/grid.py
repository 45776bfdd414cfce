"""A grid of pictures with captions: mistakes in a report, a batch in TensorBoard."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmzoo.evaluation.pictures.figures import DPI, INK, drawable, figure_pixels, new_figure

_GAP = 18
_LINE = 24
_MOST_LINES = 3
_CHARACTER = 8
"""The width that a letter below a picture takes, in pixels."""


def captioned_grid(
    pictures: Sequence[NDArray[np.uint8]],
    captions: Sequence[str],
    in_a_row: int = 6,
    side: int = 180,
) -> NDArray[np.uint8]:
    """Pictures in rows, each with its caption beneath.

    Small pictures are enlarged by a whole factor, pixel by pixel, so that what the model saw is
    what is seen; large ones are reduced.

    Args:
        pictures: at least one uint8 [height, width, channels], of 1, 3 or 4 channels; or an array
            of them, [k, height, width, channels]. They may differ in size.
        captions: a text for each.
        in_a_row: how many pictures, at most.
        side: of the square that a picture is fitted into, in pixels.

    Returns:
        uint8 [height, width, 3].
    """
    if len(pictures) != len(captions) or len(pictures) == 0:
        raise ValueError(f"{len(pictures)} pictures and {len(captions)} captions")
    texts = [_wrapped(caption, side // _CHARACTER) for caption in captions]
    columns = min(in_a_row, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    cell_height = side + _GAP + _LINE * max(text.count("\n") + 1 for text in texts)
    height, width = _GAP + rows * cell_height, _GAP + columns * (side + _GAP)

    canvas = np.full((height, width, 3), 255, np.uint8)
    figure = new_figure(width / DPI, height / DPI)
    for place, (picture, text) in enumerate(zip(pictures, texts, strict=True)):
        top = _GAP + place // columns * cell_height
        left = _GAP + place % columns * (side + _GAP)
        canvas[top : top + side, left : left + side] = _tile(picture, side)
        figure.text(
            (left + side / 2) / width,
            1 - (top + side + 5) / height,
            text,
            ha="center",
            va="top",
            fontsize=9,
            color=INK,
            linespacing=1.25,
        )
    # Ink lies over the pictures nowhere, so the darker of the two is the picture of both.
    return np.minimum(canvas, figure_pixels(figure))


def _wrapped(caption: str, width: int) -> str:
    line = drawable(caption)
    if len(line) > width:  # Best the true class above and the predicted one below.
        line = line.replace(", said ", "\nsaid ").replace(" %", "\N{NO-BREAK SPACE}%")
    lines = [part for half in line.splitlines() for part in textwrap.wrap(half, width)]
    kept = lines[:_MOST_LINES]
    return "\n".join(kept) + ("…" if len(lines) > _MOST_LINES else "")


def _tile(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The picture in the middle of a pale square, uint8 [side, side, 3]."""
    tile = np.full((side, side, 3), 240, np.uint8)
    fitted = _fitted(_coloured(picture), side)
    top, left = (side - fitted.shape[0]) // 2, (side - fitted.shape[1]) // 2
    tile[top : top + fitted.shape[0], left : left + fitted.shape[1]] = fitted
    return tile


def _coloured(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Three channels: a grey one thrice; what is over, such as opacity, is left out."""
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture[:, :, :3]


def _fitted(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    from PIL import Image

    longest = max(picture.shape[:2])
    if longest <= side:
        return picture.repeat(side // longest, axis=0).repeat(side // longest, axis=1)
    height, width = (max(1, round(length * side / longest)) for length in picture.shape[:2])
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))
