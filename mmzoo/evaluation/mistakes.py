"""The worst mistakes: what a model is sure of and wrong about, as pictures to look at."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmzoo.evaluation.figures import (
    DPI,
    INK,
    class_labels,
    drawable,
    figure_pixels,
    new_figure,
)
from mmzoo.files import replacing

_COLUMNS = 6
_TILE = 180
"""Side of the square that a picture is fitted into, in pixels."""
_GAP = 18
_LINE = 24
_MOST_LINES = 3
_CHARACTERS = 22
"""How many fit on a line below a picture."""


def worst_mistakes(
    true: NDArray[Any], said: NDArray[Any], confidence: NDArray[Any], most: int = 24
) -> NDArray[np.int64]:
    """The wrong predictions, the most confident first.

    Args:
        true: integers [n].
        said: integers [n], the classes that were predicted.
        confidence: float [n], the probability of what was said.
        most: how many at most.

    Returns:
        Numbers of examples, int64 [k]; examples that tie keep their order.
    """
    wrong = np.flatnonzero(said != true)
    order = np.argsort(-confidence[wrong], kind="stable")
    return wrong[order][:most].astype(np.int64)


def mistake_captions(
    true: NDArray[Any], said: NDArray[Any], confidence: NDArray[Any], names: Sequence[str]
) -> list[str]:
    """A line for each example, as "true 4, said 9 (98 %)".

    Args:
        true: integers [k].
        said: integers [k].
        confidence: float [k].
        names: the classes' names.
    """
    labels = class_labels(names)
    return [
        f"true {labels[was]}, said {labels[one]} ({math.floor(100 * share)} %)"
        for was, one, share in zip(true, said, confidence, strict=True)
    ]


def mistakes_picture(
    path: Path, pictures: Sequence[NDArray[np.uint8]], captions: Sequence[str]
) -> NDArray[np.uint8]:
    """Writes `mistakes_grid` as a PNG, whole or not at all, and returns it."""
    from PIL import Image

    grid = mistakes_grid(pictures, captions)
    with replacing(path) as temporary:
        Image.fromarray(grid).save(temporary, format="PNG")
    return grid


def mistakes_grid(
    pictures: Sequence[NDArray[np.uint8]], captions: Sequence[str]
) -> NDArray[np.uint8]:
    """Pictures in rows of six, each with its caption beneath.

    Small pictures are enlarged by a whole factor, pixel by pixel, so that what the model saw is
    what is seen; large ones are reduced.

    Args:
        pictures: at least one uint8 [height, width, channels], of 1, 3 or 4 channels; or an array
            of them, [k, height, width, channels]. They may differ in size.
        captions: a text for each.

    Returns:
        uint8 [height, width, 3].
    """
    if len(pictures) != len(captions) or len(pictures) == 0:
        raise ValueError(f"{len(pictures)} pictures and {len(captions)} captions")
    texts = [_wrapped(caption) for caption in captions]
    columns = min(_COLUMNS, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    cell_height = _TILE + _GAP + _LINE * max(text.count("\n") + 1 for text in texts)
    height, width = _GAP + rows * cell_height, _GAP + columns * (_TILE + _GAP)

    canvas = np.full((height, width, 3), 255, np.uint8)
    figure = new_figure(width / DPI, height / DPI)
    for place, (picture, text) in enumerate(zip(pictures, texts, strict=True)):
        top = _GAP + place // columns * cell_height
        left = _GAP + place % columns * (_TILE + _GAP)
        canvas[top : top + _TILE, left : left + _TILE] = _tile(picture)
        figure.text(
            (left + _TILE / 2) / width,
            1 - (top + _TILE + 5) / height,
            text,
            ha="center",
            va="top",
            fontsize=9,
            color=INK,
            linespacing=1.25,
        )
    # Ink lies over the pictures nowhere, so the darker of the two is the picture of both.
    return np.minimum(canvas, figure_pixels(figure))


def _wrapped(caption: str) -> str:
    line = drawable(caption)
    if len(line) > _CHARACTERS:  # Best the true class above and the predicted one below.
        line = line.replace(", said ", "\nsaid ").replace(" %", "\N{NO-BREAK SPACE}%")
    lines = [part for half in line.splitlines() for part in textwrap.wrap(half, _CHARACTERS)]
    kept = lines[:_MOST_LINES]
    return "\n".join(kept) + ("…" if len(lines) > _MOST_LINES else "")


def _tile(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture in the middle of a pale square of the tile's side, uint8 [side, side, 3]."""
    tile = np.full((_TILE, _TILE, 3), 240, np.uint8)
    fitted = _fitted(_coloured(picture))
    top, left = (_TILE - fitted.shape[0]) // 2, (_TILE - fitted.shape[1]) // 2
    tile[top : top + fitted.shape[0], left : left + fitted.shape[1]] = fitted
    return tile


def _coloured(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Three channels: a grey one thrice; what is over, such as opacity, is left out."""
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture[:, :, :3]


def _fitted(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from PIL import Image

    longest = max(picture.shape[:2])
    if longest <= _TILE:
        return picture.repeat(_TILE // longest, axis=0).repeat(_TILE // longest, axis=1)
    height, width = (max(1, round(side * _TILE / longest)) for side in picture.shape[:2])
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))
