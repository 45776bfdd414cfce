"""First-layer filters and feature maps of image networks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmzoo.devices import memory_errors
from mmzoo.errors import RunError
from mmzoo.evaluation.figures import INK, new_figure, write_figure
from mmzoo.lazy import keras
from mmzoo.modalities.base_encoder import Encoder
from mmzoo.visualization.drawing import (
    Drawing,
    open_image_model,
    require_png,
    tile_images,
    unused_path,
)

_MAX_FILTERS = 256
_TILE_INCHES = 0.45


@dataclass(frozen=True)
class Filters:
    """The kernels of a convolution.

    Attributes:
        layer: the layer's name.
        kernels: float32 `[filters, height, width, channels]`; three channels are RGB.
    """

    layer: str
    kernels: NDArray[np.float32]


@memory_errors()
def draw_filters(
    run: Path, *, input_name: str | None = None, output: Path | None = None
) -> Drawing:
    """Draws the filters of the first convolution of a trained network.

    Args:
        run: a run directory, `runs/<name>` for its newest run, or a weights file inside one.
        input_name: the image input; can be None if there is only one.
        output: the PNG to write; by default `filters/<input>.png` in the run.

    Raises:
        DataError: `output` is not a PNG.
        RunError: there is no such run or input, or its encoder has no convolution.
    """
    require_png(output)
    loaded = open_image_model(run, input_name)
    filters = first_filters(loaded.encoder, _expects_bgr(loaded.image.encoder.architecture))
    if filters is None:
        raise RunError(
            f"inputs.{loaded.name}: this {loaded.image.encoder.type} encoder has no convolution "
            "with filters to draw"
        )
    path = output or loaded.run.image_folder("filters") / f"{loaded.name}.png"
    _plot_filters(path, filters)
    count, height, width, channels = filters.kernels.shape
    facts = {"layer": filters.layer, "filters": count, "size": [height, width, channels]}
    text = f"{filters.layer}: {count} filters of {height} x {width} x {channels}"
    return Drawing(path, text, {"input": loaded.name, **facts})


def first_filters(encoder: keras.Model, bgr: bool = False) -> Filters | None:
    """The kernels of the first convolution in an encoder; None if there is none.

    Args:
        encoder: the encoder of an image input.
        bgr: whether the convolution expects BGR channels. The result is in RGB order.
    """
    for layer in encoder.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernels = np.asarray(layer.kernel.numpy()).transpose(3, 0, 1, 2)
            kernels = kernels[..., ::-1] if bgr else kernels
            return Filters(layer.name, kernels.astype(np.float32))
    return None


def filter_images(kernels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Kernels as images, each scaled to full contrast; a weight of 0 is mid-grey.

    Args:
        kernels: float32 `[filters, height, width, channels]`. Unless there are three channels
            (RGB), their mean is used.

    Returns:
        uint8 `[filters, height, width, 1 or 3]`.
    """
    if kernels.shape[3] != 3:
        kernels = kernels.mean(axis=3, keepdims=True)
    strongest = np.abs(kernels).max(axis=(1, 2, 3), keepdims=True)
    return np.round(127.5 + 127.5 * kernels / np.maximum(strongest, 1e-12)).astype(np.uint8)


def _expects_bgr(encoder: Encoder) -> bool:
    """Whether the pretrained weights expect BGR images, as those from Caffe do (VGG, ResNet)."""
    return getattr(encoder, "reversed_channels", False)


def _plot_filters(path: Path, filters: Filters) -> None:
    images = filter_images(filters.kernels[:_MAX_FILTERS])
    columns = math.ceil(math.sqrt(2 * len(images)))
    rows = math.ceil(len(images) / columns)
    count, height, width, channels = filters.kernels.shape
    figure = new_figure(max(4.5, columns * _TILE_INCHES), max(1.2, rows * _TILE_INCHES) + 0.7)
    axes = figure.add_subplot()
    axes.imshow(tile_images(images, columns), interpolation="nearest")
    axes.axis("off")
    shown = f"the first {_MAX_FILTERS} of {count}" if count > _MAX_FILTERS else str(count)
    axes.set_title(
        f"{filters.layer}: {shown} filters of {height} x {width} x {channels}; grey is 0",
        fontsize=9,
        color=INK,
    )
    write_figure(figure, path)


_MAX_MAPS = 16
_COLUMNS = 8
_WIDTH = 7.2
"""Width of the figure, in inches."""
_COLORMAP = "viridis"


@dataclass(frozen=True)
class StageMaps:
    """The feature maps at the end of a stage.

    Attributes:
        layer: the layer that outputs them.
        maps: float32 `[height, width, channels]`.
    """

    layer: str
    maps: NDArray[np.float32]

    def __str__(self) -> str:
        height, width, channels = self.maps.shape
        return f"{self.layer}: {channels} maps of {height} x {width}"


@memory_errors()
def draw_feature_maps(
    run: Path, file: Path, *, input_name: str | None = None, output: Path | None = None
) -> Drawing:
    """Draws the feature maps of an image file at each stage of a trained network.

    Args:
        run: a run directory, `runs/<name>` for its newest run, or a weights file inside one.
        file: the image.
        input_name: the image input; can be None if there is only one.
        output: the PNG to write; by default a new `maps/<file's stem>.png` in the run.

    Raises:
        DataError: the file cannot be read, or `output` is not a PNG.
        RunError: there is no such run or input, or its encoder has no feature maps.
    """
    require_png(output)
    loaded = open_image_model(run, input_name)
    stages = stage_maps(loaded.encoder, loaded.read(file))
    if not stages:
        raise RunError(
            f"inputs.{loaded.name}: this {loaded.image.encoder.type} encoder has no feature maps "
            "of height and width"
        )
    path = output or unused_path(loaded.run.image_folder("maps"), file)
    _plot_maps(path, stages)
    rows = [
        {"layer": stage.layer, "maps": stage.maps.shape[2], "size": stage.maps.shape[:2]}
        for stage in stages
    ]
    text = "\n".join([str(file), *map(str, stages)])
    return Drawing(path, text, {"file": str(file), "input": loaded.name, "stages": rows})


def stage_maps(encoder: keras.Model, values: NDArray[np.uint8]) -> list[StageMaps]:
    """The last feature maps of each size in an encoder: a stage ends where the size changes.

    Layers before the first convolution (scaling), padding and cropping layers are ignored.

    Args:
        encoder: the encoder of an image input.
        values: a preprocessed image, uint8 `[1, height, width, channels]`.
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


def highest_variance_channels(maps: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """The channels with the highest spatial variance, in descending order.

    Args:
        maps: float32 `[height, width, channels]`.
        most: maximum number of channels.

    Returns:
        float32 `[channels, height, width]`.
    """
    order = np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:most]
    return maps[..., order].transpose(2, 0, 1)


def _plot_maps(path: Path, stages: list[StageMaps]) -> None:
    rows = [
        tile_images(_colorize(highest_variance_channels(stage.maps, _MAX_MAPS)), _COLUMNS)
        for stage in stages
    ]
    heights = [_WIDTH * row.shape[0] / row.shape[1] + 0.35 for row in rows]
    figure = new_figure(_WIDTH, sum(heights))
    grid = figure.subplots(len(rows), 1, squeeze=False, height_ratios=heights)
    for axes, row, stage in zip(grid[:, 0], rows, stages, strict=True):
        height, width, channels = stage.maps.shape
        axes.imshow(row, interpolation="nearest")
        axes.axis("off")
        shown = (
            f"{_MAX_MAPS} with the highest variance of {channels}"
            if channels > _MAX_MAPS
            else str(channels)
        )
        axes.set_title(
            f"{stage.layer}: {shown} maps of {height} x {width}", fontsize=9, color=INK, loc="left"
        )
    write_figure(figure, path)


def _colorize(maps: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Maps in color, each scaled from its minimum to its maximum: uint8 `[maps, h, w, 3]`."""
    from matplotlib import colormaps

    low, high = (end(maps, axis=(1, 2), keepdims=True) for end in (np.min, np.max))
    shares = (maps - low) / np.maximum(high - low, 1e-12)
    return np.round(255 * colormaps[_COLORMAP](shares)[..., :3]).astype(np.uint8)
