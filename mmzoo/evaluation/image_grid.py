"""A grid of captioned images: mistakes in a report, a batch in TensorBoard."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmzoo.evaluation.figures import INK, drawable, font_runs
from mmzoo.files import replacing

_GAP = 18
_LINE = 20
_FONT_SIZE = 15
_MOST_LINES = 3
_CHARACTER = 8
"""Width of a letter of a caption, in pixels."""


def captioned_grid(
    images: Sequence[NDArray[np.uint8]],
    captions: Sequence[str],
    in_a_row: int = 6,
    side: int = 180,
) -> NDArray[np.uint8]:
    """Images in rows, each with its caption beneath.

    Small images are enlarged by an integer factor without interpolation, to show what the model
    sees; large ones are downscaled.

    Args:
        images: at least one uint8 [height, width, channels], of 1, 3 or 4 channels; or an array of
            them, [k, height, width, channels]. They may differ in size.
        captions: a text for each.
        in_a_row: how many images, at most.
        side: of the square that an image is fitted into, in pixels.

    Returns:
        uint8 [height, width, 3].
    """
    if len(images) != len(captions) or len(images) == 0:
        raise ValueError(f"{len(images)} images and {len(captions)} captions")
    texts = [_wrapped(caption, side // _CHARACTER) for caption in captions]
    columns = min(in_a_row, len(images))
    rows = math.ceil(len(images) / columns)
    cell_height = side + _GAP + _LINE * max(text.count("\n") + 1 for text in texts)
    height, width = _GAP + rows * cell_height, _GAP + columns * (side + _GAP)

    canvas = np.full((height, width, 3), 255, np.uint8)
    places = []
    for place, (image, text) in enumerate(zip(images, texts, strict=True)):
        top = _GAP + place // columns * cell_height
        left = _GAP + place % columns * (side + _GAP)
        canvas[top : top + side, left : left + side] = _tile(image, side)
        places.append((text, left + side / 2, top + side))
    return _with_captions(canvas, places)


def write_png(path: Path, image: NDArray[np.uint8]) -> None:
    """Writes an image, uint8 [height, width, 3], whole or not at all."""
    from PIL import Image

    with replacing(path) as temporary:
        Image.fromarray(image).save(temporary, format="PNG")


def _with_captions(
    canvas: NDArray[np.uint8], captions: Sequence[tuple[str, float, int]]
) -> NDArray[np.uint8]:
    """The canvas with texts, each with its horizontal centre and its upper edge."""
    from PIL import Image, ImageDraw

    image = Image.fromarray(canvas)
    draw = ImageDraw.Draw(image)
    for text, centre, top in captions:
        for number, line in enumerate(text.splitlines(), start=1):
            runs = font_runs(line, _FONT_SIZE)
            x = centre - sum(font.getlength(run) for font, run in runs) / 2
            for font, run in runs:
                draw.text((x, top + number * _LINE), run, INK, font, anchor="ls")
                x += font.getlength(run)
    return np.array(image)


def _wrapped(caption: str, width: int) -> str:
    line = drawable(caption)
    if len(line) > width:  # Best with the true class above and the predicted one below.
        line = line.replace(", predicted ", "\npredicted ").replace(" %", "\N{NO-BREAK SPACE}%")
    lines = [part for half in line.splitlines() for part in textwrap.wrap(half, width)]
    kept = lines[:_MOST_LINES]
    return "\n".join(kept) + ("…" if len(lines) > _MOST_LINES else "")


def _tile(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The image in the middle of a pale square, uint8 [side, side, 3]."""
    tile = np.full((side, side, 3), 240, np.uint8)
    fitted = _fitted(_as_rgb(image), side)
    top, left = (side - fitted.shape[0]) // 2, (side - fitted.shape[1]) // 2
    tile[top : top + fitted.shape[0], left : left + fitted.shape[1]] = fitted
    return tile


def _as_rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Three channels: greyscale is repeated, and an alpha channel is left out."""
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image[:, :, :3]


def _fitted(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    from PIL import Image

    longest = max(image.shape[:2])
    if longest <= side:
        return image.repeat(side // longest, axis=0).repeat(side // longest, axis=1)
    height, width = (max(1, round(length * side / longest)) for length in image.shape[:2])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS))
