"""First-layer filters and feature maps of a network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmzoo.devices import memory_errors
from mmzoo.errors import RunError
from mmzoo.evaluation.pictures.figures import INK, new_figure, write_figure
from mmzoo.lazy import keras
from mmzoo.modalities.image.encoders import ImageEncoder
from mmzoo.modalities.image.encoders.pretrained import Pretrained
from mmzoo.visualization.drawing import Drawing, open_subject, require_png, tiled, unused_path

if TYPE_CHECKING:
    from numpy.typing import NDArray


_MOST = 256
_TILE_INCHES = 0.45


@dataclass(frozen=True)
class Filters:
    """The kernels of one convolution.

    Attributes:
        layer: its name.
        kernels: float32 `[filters, height, width, channels]`; three channels are red, green, blue.
    """

    layer: str
    kernels: NDArray[np.float32]


@memory_errors()
def draw_filters(
    run: Path, *, input_name: str | None = None, output: Path | None = None
) -> Drawing:
    """Draws the first filters that a run has learnt.

    Args:
        run: a run directory, `runs/<name>` for its newest, or a weights file inside one.
        input_name: the input whose encoder is meant.
        output: the PNG to write; by default `filters/<input>.png` in the run.

    Raises:
        DataError: the PNG has another ending.
        RunError: there is no such run or input, or its encoder begins otherwise.
    """
    require_png(output)
    subject = open_subject(run, input_name)
    filters = first_filters(subject.encoder, _sees_blue_first(subject.image.encoder))
    if filters is None:
        raise RunError(
            f"inputs.{subject.name}: this {subject.image.encoder.type} encoder has no convolution "
            "whose filters could be shown"
        )
    path = output or subject.run.pictures("filters") / f"{subject.name}.png"
    _picture(path, filters)
    count, height, width, channels = filters.kernels.shape
    facts = {"layer": filters.layer, "filters": count, "size": [height, width, channels]}
    text = f"{filters.layer}: {count} filters of {height} x {width} x {channels}"
    return Drawing(path, text, {"input": subject.name, **facts})


def first_filters(encoder: keras.Model, blue_first: bool = False) -> Filters | None:
    """The kernels of the first convolution in an encoder; None where there is none.

    Args:
        encoder: the sub-model of an image input.
        blue_first: whether it turns red, green and blue round before the convolution.
    """
    for layer in encoder.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernels = np.asarray(layer.kernel.numpy()).transpose(3, 0, 1, 2)
            kernels = kernels[..., ::-1] if blue_first else kernels
            return Filters(layer.name, kernels.astype(np.float32))
    return None


def filter_pictures(kernels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Kernels as pictures, each as strong in contrast as can be; a weight of 0 is middle grey.

    Args:
        kernels: float32 `[filters, height, width, channels]`. Where the channels are not three,
            for red, green and blue, their mean is shown.

    Returns:
        Uint8 `[filters, height, width, 1 or 3]`.
    """
    if kernels.shape[3] != 3:
        kernels = kernels.mean(axis=3, keepdims=True)
    strongest = np.abs(kernels).max(axis=(1, 2, 3), keepdims=True)
    return np.round(127.5 + 127.5 * kernels / np.maximum(strongest, 1e-12)).astype(np.uint8)


def _sees_blue_first(encoder: ImageEncoder) -> bool:
    """Whether the network's weights are of Caffe, as those of VGG and the first ResNets are."""
    return isinstance(encoder, Pretrained) and encoder.backbone.scaling.reversed_channels


def _picture(path: Path, filters: Filters) -> None:
    pictures = filter_pictures(filters.kernels[:_MOST])
    columns = math.ceil(math.sqrt(2 * len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    count, height, width, channels = filters.kernels.shape
    figure = new_figure(max(4.5, columns * _TILE_INCHES), max(1.2, rows * _TILE_INCHES) + 0.7)
    axes = figure.add_subplot()
    axes.imshow(tiled(pictures, columns), interpolation="nearest")
    axes.axis("off")
    shown = f"the first {_MOST} of {count}" if count > _MOST else str(count)
    axes.set_title(
        f"{filters.layer}: {shown} filters of {height} x {width} x {channels}; grey is 0",
        fontsize=9,
        color=INK,
    )
    write_figure(figure, path)


_FEATURE_MAPS_MOST = 16
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
    _feature_maps_picture(path, stages)
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


def _feature_maps_picture(path: Path, stages: list[StageMaps]) -> None:
    rows = [
        tiled(_coloured(most_varied(stage.maps, _FEATURE_MAPS_MOST)), _COLUMNS) for stage in stages
    ]
    heights = [_WIDTH * row.shape[0] / row.shape[1] + 0.35 for row in rows]
    figure = new_figure(_WIDTH, sum(heights))
    grid = figure.subplots(len(rows), 1, squeeze=False, height_ratios=heights)
    for axes, row, stage in zip(grid[:, 0], rows, stages, strict=True):
        height, width, channels = stage.maps.shape
        axes.imshow(row, interpolation="nearest")
        axes.axis("off")
        shown = (
            f"the {_FEATURE_MAPS_MOST} most varied of {channels}"
            if channels > _FEATURE_MAPS_MOST
            else str(channels)
        )
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
