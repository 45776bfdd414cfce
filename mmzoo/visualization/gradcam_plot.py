"""Plot of a Grad-CAM heat map over its image."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmzoo.evaluation.pictures.figures import FAINT, INK, drawable, new_figure, write_figure
from mmzoo.visualization.gradcam import Explanation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


_COLOURS = "inferno"
"""Evenly lighter all the way, so that twice the heat looks like it, also in grey."""
_HEAT_SHARE = 0.6
_LEAST_PIXELS = 224
_SIDE = 3.6
"""Of each of the two pictures, in inches."""


def cam_picture(path: Path, explanation: Explanation) -> None:
    """Writes a PNG: the picture as the model saw it, and beside it the heat over its grey."""
    from matplotlib.cm import ScalarMappable

    picture = _enlarged(explanation.picture)
    height, width = picture.shape[:2]
    figure = new_figure(2 * _SIDE * min(1.0, width / height) + 1.3, _figure_height(height, width))
    left, right = figure.subplots(1, 2)
    _show(left, picture)
    _show(right, overlay(picture, explanation.heat))
    label = drawable(explanation.score.label)
    left.set_title("what the model saw", fontsize=10, color=INK)
    right.set_title(f"what speaks for {label}", fontsize=10, color=INK)
    bar = figure.colorbar(ScalarMappable(cmap=_COLOURS), ax=right, shrink=0.8, pad=0.03, aspect=24)
    bar.set_ticks([0, 0.5, 1], labels=["none", "half", "most"])
    bar.ax.tick_params(labelsize=8, colors=INK, length=0)
    bar.outline.set_visible(False)
    caption = drawable(explanation.said_text())
    if explanation.centre is None:
        caption += f"\nno place in the picture speaks for {label}"
    figure.supxlabel(caption, fontsize=9, color=INK)
    write_figure(figure, path)


def overlay(picture: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The heat in colours over a picture in grey.

    Args:
        picture: uint8 `[height, width, channels]`.
        heat: float32 `[rows, columns]` from 0 to 1, spread over all of the picture.

    Returns:
        Uint8 `[height, width, 3]`.
    """
    from matplotlib import colormaps
    from PIL import Image

    height, width = picture.shape[:2]
    spread = Image.fromarray(heat).resize((width, height), Image.Resampling.BILINEAR)
    colours = colormaps[_COLOURS](np.asarray(spread))[..., :3]
    grey = picture.mean(axis=2, keepdims=True) / 255
    return np.round(255 * (_HEAT_SHARE * colours + (1 - _HEAT_SHARE) * grey)).astype(np.uint8)


def _figure_height(height: int, width: int) -> float:
    return _SIDE * min(1.0, height / width) + 0.9


def _enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture in three channels and, where it is small, several times as large, so that the
    heat can change within a pixel of it."""
    if picture.shape[2] == 1:
        picture = picture.repeat(3, axis=2)
    factor = math.ceil(_LEAST_PIXELS / min(picture.shape[:2]))
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def _show(axes: Axes, picture: NDArray[np.uint8]) -> None:
    axes.imshow(picture, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(FAINT)
