"""Feature maps: what each stage of a network makes of one picture."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmzoo.devices import memory_errors
from mmzoo.errors import RunError
from mmzoo.evaluation.pictures.figures import INK, new_figure, write_figure
from mmzoo.lazy import keras
from mmzoo.seeing.drawing import Drawing, require_png, unused_path
from mmzoo.seeing.subject import open_subject
from mmzoo.seeing.tiles import tiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 16
_COLUMNS = 8
_WIDTH = 7.2
"""Of the picture, in inches."""
_COLOURS = "viridis"


@dataclass(frozen=True)
class StageMaps:
    """The feature maps at the end of one stage.

    Attributes:
        layer: the layer that gives them.
        maps: float32 `[height, width, channels]`.
    """

    layer: str
    maps: NDArray[np.float32]

    def __str__(self) -> str:
        height, width, channels = self.maps.shape
        return f"{self.layer}: {channels} maps of {height} x {width}"


@memory_errors()
def draw_maps(
    run: Path, file: Path, *, input_name: str | None = None, output: Path | None = None
) -> Drawing:
    """Draws what each stage of a run's network makes of a picture file.

    Args:
        run: a run directory, `runs/<name>` for its newest, or a weights file inside one.
        file: the picture.
        input_name: the input that takes it.
        output: the PNG to write; by default `maps/<file's name>.png` in the run, numbered
            where there is one by that name.

    Raises:
        DataError: the file cannot be read, or the PNG has another ending.
        RunError: there is no such run or input, or its encoder has no feature maps.
    """
    require_png(output)
    subject = open_subject(run, input_name)
    stages = stage_maps(subject.encoder, subject.read(file))
    if not stages:
        raise RunError(
            f"inputs.{subject.name}: this {subject.image.encoder.type} encoder has no feature maps "
            "of height and width"
        )
    path = output or unused_path(subject.run.pictures("maps"), file)
    _picture(path, stages)
    rows = [
        {"layer": stage.layer, "maps": stage.maps.shape[2], "size": stage.maps.shape[:2]}
        for stage in stages
    ]
    text = "\n".join([str(file), *map(str, stages)])
    return Drawing(path, text, {"file": str(file), "input": subject.name, "stages": rows})


def stage_maps(encoder: keras.Model, values: NDArray[np.uint8]) -> list[StageMaps]:
    """The last feature maps of every size in an encoder: a stage ends where the size changes.

    What comes before the first convolution only scales the picture, and what pads or crops maps
    makes no others.

    Args:
        encoder: the sub-model of an image input.
        values: the picture as the model gets it, uint8 `[1, height, width, channels]`.
    """
    convolution, edges = keras.layers.Conv2D, (keras.layers.ZeroPadding2D, keras.layers.Cropping2D)
    last = {}
    for layer in dropwhile(lambda layer: not isinstance(layer, convolution), encoder.layers):
        size = layer.output.shape[1:-1]
        if len(size) == 2 and size != (1, 1) and not isinstance(layer, edges):
            last[size] = layer
    if not last:
        return []
    layers = list(last.values())
    to_maps = keras.Model(encoder.input, [layer.output for layer in layers])
    outputs = to_maps(values, training=False)
    return [
        StageMaps(layer.name, np.asarray(output[0]).astype(np.float32))
        for layer, output in zip(layers, outputs, strict=True)
    ]


def most_varied(maps: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """The channels that differ most from place to place, the most varied first.

    Args:
        maps: float32 `[height, width, channels]`.
        most: how many at most.

    Returns:
        Float32 `[channels, height, width]`.
    """
    order = np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:most]
    return maps[..., order].transpose(2, 0, 1)


def _picture(path: Path, stages: list[StageMaps]) -> None:
    rows = [tiled(_coloured(most_varied(stage.maps, _MOST)), _COLUMNS) for stage in stages]
    heights = [_WIDTH * row.shape[0] / row.shape[1] + 0.35 for row in rows]
    figure = new_figure(_WIDTH, sum(heights))
    grid = figure.subplots(len(rows), 1, squeeze=False, height_ratios=heights)
    for axes, row, stage in zip(grid[:, 0], rows, stages, strict=True):
        height, width, channels = stage.maps.shape
        axes.imshow(row, interpolation="nearest")
        axes.axis("off")
        shown = f"the {_MOST} most varied of {channels}" if channels > _MOST else str(channels)
        axes.set_title(
            f"{stage.layer}: {shown} maps of {height} x {width}", fontsize=9, color=INK, loc="left"
        )
    write_figure(figure, path)


def _coloured(maps: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Each map from its least to its greatest value in colours: uint8 `[maps, h, w, 3]`."""
    from matplotlib import colormaps

    low, high = (end(maps, axis=(1, 2), keepdims=True) for end in (np.min, np.max))
    shares = (maps - low) / np.maximum(high - low, 1e-12)
    return np.round(255 * colormaps[_COLOURS](shares)[..., :3]).astype(np.uint8)
