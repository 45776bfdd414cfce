"""The kernels of a network's first convolution, which are small pictures themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmzoo.devices import memory_errors
from mmzoo.encoders.image import ImageEncoder
from mmzoo.encoders.image.pretrained.base import Pretrained
from mmzoo.errors import RunError
from mmzoo.evaluation.pictures.figures import INK, new_figure, write_figure
from mmzoo.lazy import keras
from mmzoo.seeing.drawing import Drawing, require_png
from mmzoo.seeing.subject import open_subject
from mmzoo.seeing.tiles import tiled

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
