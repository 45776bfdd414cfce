"""Drawings of Grad-CAM heat maps, for `mmzoo show RUN --cam IMAGE`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mmzoo.config import Config
from mmzoo.devices import memory_errors
from mmzoo.errors import RunError
from mmzoo.evaluation.figures import FAINT, INK, drawable, new_figure, write_figure
from mmzoo.spec import did_you_mean
from mmzoo.visualization.drawing import Drawing, open_image_model, require_png, unused_path
from mmzoo.visualization.gradcam import Explanation, explain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLORMAP = "inferno"
"""Perceptually uniform, also in greyscale."""
_HEAT_OPACITY = 0.6
_MIN_PIXELS = 224
_SIDE = 3.6
"""Width of each of the two images, in inches."""


@memory_errors()
def draw_gradcam(
    run: Path,
    file: Path,
    *,
    input_name: str | None = None,
    head: str | None = None,
    label: str | None = None,
    output: Path | None = None,
) -> Drawing:
    """Draws the Grad-CAM heat map of an image file for the model of a run.

    Args:
        run: a run directory, `runs/<name>` for its newest run, or a weights file inside one.
        file: the image.
        input_name: the image input; can be None if there is only one.
        head: the head to explain; can be None if there is only one.
        label: the class, by name or index; by default the predicted one.
        output: the PNG to write; by default a new `cam/<file's stem>.png` in the run.

    Raises:
        DataError: the file cannot be read, or `output` is not a PNG.
        RunError: there is no such run, input, head or class, or the model cannot be explained.
    """
    require_png(output)
    loaded = open_image_model(run, input_name)
    where = str(loaded.run.directory)
    if len(loaded.config.inputs) > 1:
        raise RunError(
            f"{where}: predicts from {len(loaded.config.inputs)} inputs "
            f"({', '.join(loaded.config.inputs)}), but Grad-CAM takes a single image file"
        )
    head = _head(loaded.config, head, where)
    explanation = explain(loaded.model, loaded.config, loaded.name, loaded.read(file), head, label)
    path = output or unused_path(loaded.run.image_folder("cam"), file)
    plot_gradcam(path, explanation)
    facts = {"file": str(file), "input": loaded.name, **explanation.as_dict()}
    return Drawing(path, f"{file}\n{explanation}", facts)


def _head(config: Config, requested: str | None, where: str) -> str:
    """The requested head, or the only one that has labels."""
    heads = config.labelled_heads
    if not heads:
        raise RunError(f"{where}: has no head with labels, so there is no prediction to explain")
    if requested is None and len(heads) > 1:
        raise RunError(
            f"{where}: has {len(heads)} heads: {', '.join(heads)}. "
            "Choose the one to explain with --head NAME."
        )
    head = requested or next(iter(heads))
    if head not in heads:
        meant = did_you_mean(head, heads) or "."
        raise RunError(f"{where}: has no head '{head}'{meant} There are: {', '.join(heads)}")
    return head


def plot_gradcam(path: Path, explanation: Explanation) -> None:
    """Writes a PNG with the model's input and, beside it, the heat map over its greyscale."""
    from matplotlib.cm import ScalarMappable

    image = _enlarge(explanation.image)
    height, width = image.shape[:2]
    figure = new_figure(2 * _SIDE * min(1.0, width / height) + 1.3, _figure_height(height, width))
    left, right = figure.subplots(1, 2)
    _show(left, image)
    _show(right, overlay(image, explanation.heatmap))
    label = drawable(explanation.score.label)
    left.set_title("model input", fontsize=10, color=INK)
    right.set_title(f"Grad-CAM for {label}", fontsize=10, color=INK)
    bar = figure.colorbar(ScalarMappable(cmap=_COLORMAP), ax=right, shrink=0.8, pad=0.03, aspect=24)
    bar.set_ticks([0, 0.5, 1], labels=["0", "0.5", "1"])
    bar.ax.tick_params(labelsize=8, colors=INK, length=0)
    bar.outline.set_visible(False)
    caption = drawable(explanation.prediction_text())
    if explanation.centre is None:
        caption += f"\nno image region raises the score of {label}"
    figure.supxlabel(caption, fontsize=9, color=INK)
    write_figure(figure, path)


def overlay(image: NDArray[np.uint8], heatmap: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A heat map in color over an image in greyscale.

    Args:
        image: uint8 `[height, width, channels]`.
        heatmap: float32 `[rows, columns]` from 0 to 1; resized to the image.

    Returns:
        uint8 `[height, width, 3]`.
    """
    from matplotlib import colormaps
    from PIL import Image

    height, width = image.shape[:2]
    resized = Image.fromarray(heatmap).resize((width, height), Image.Resampling.BILINEAR)
    colors = colormaps[_COLORMAP](np.asarray(resized))[..., :3]
    grey = image.mean(axis=2, keepdims=True) / 255
    return np.round(255 * (_HEAT_OPACITY * colors + (1 - _HEAT_OPACITY) * grey)).astype(np.uint8)


def _figure_height(height: int, width: int) -> float:
    return _SIDE * min(1.0, height / width) + 0.9


def _enlarge(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image with three channels; small images are enlarged, so that the heat map is smooth."""
    if image.shape[2] == 1:
        image = image.repeat(3, axis=2)
    factor = math.ceil(_MIN_PIXELS / min(image.shape[:2]))
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def _show(axes: Axes, image: NDArray[np.uint8]) -> None:
    axes.imshow(image, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(FAINT)
