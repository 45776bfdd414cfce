"""Drawings, tiled images, and the trained model and image input that a drawing shows."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmzoo.config import Config
from mmzoo.devices import prepare_devices
from mmzoo.errors import DataError, RunError
from mmzoo.lazy import keras, tf
from mmzoo.modalities import Input
from mmzoo.modalities.abilities import ReadsImageFiles
from mmzoo.model_graph import encoder_of
from mmzoo.runs import Run
from mmzoo.spec import describe_missing_path, did_you_mean
from mmzoo.spec.wording import escape
from mmzoo.trained_model import load_trained, open_trained


@dataclass(frozen=True)
class Drawing:
    """A PNG that was written, or only text if no input can be drawn.

    Attributes:
        path: the PNG; None if there is only text.
        text: a description of what it shows.
        facts: the same as JSON-serializable values.
    """

    path: Path | None
    text: str
    facts: dict[str, Any]


def require_png(path: Path | None) -> None:
    """Raises a DataError unless the path ends in `.png`. Called before any other work."""
    if path is not None and path.suffix.lower() != ".png":
        raise DataError(f"{path}: expected a name that ends in .png")


def unused_path(folder: Path, file: Path) -> Path:
    """A path for a new PNG with the stem of a file: `digit.png`, or `digit_2.png` if that exists.

    So images of other files with this name, or of other classes, are not overwritten.
    """
    names = (f"{file.stem}_{number}.png" for number in count(2))
    path = folder / f"{file.stem}.png"
    while os.path.lexists(path):
        path = folder / next(names)
    return path


_MIN_SIDE = 32
"""Smaller images are enlarged to about this many pixels, so that a frame of 1 pixel looks thin."""
_FRAME = (163, 200, 233)
"""Light blue, which stands out against white, black and grey images."""


def tile_images(images: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """A grid of images on white, each in a thin frame. Small images are enlarged.

    Args:
        images: uint8 `[count, height, width, 1 or 3]`.
        columns: number of images per row.

    Returns:
        uint8 `[height, width, 3]`.
    """
    factor = math.ceil(_MIN_SIDE / min(images.shape[1:3]))
    large = images.repeat(factor, axis=1).repeat(factor, axis=2)
    if large.shape[3] == 1:
        large = large.repeat(3, axis=3)
    count, height, width, _ = large.shape
    frame = max(1, height // 32)
    framed = np.full((count, height + 2 * frame, width + 2 * frame, 3), _FRAME, np.uint8)
    framed[:, frame:-frame, frame:-frame] = large

    rows = math.ceil(count / columns)
    height, width = height + 4 * frame, width + 4 * frame
    canvas = np.full((rows * height, columns * width, 3), 255, np.uint8)
    for index, image in enumerate(framed):
        top, left = index // columns * height + frame, index % columns * width + frame
        canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
    return canvas


@dataclass(frozen=True)
class ImageModel:
    """A trained model and one of its image inputs.

    Attributes:
        run: the run of the model; drawings are written to its directory.
        config: the run's config.
        model: the model, with the run's weights.
        name: the input's name.
        image: the input.
    """

    run: Run
    config: Config
    model: keras.Model
    name: str
    image: ReadsImageFiles

    @property
    def encoder(self) -> keras.Model:
        """The encoder of the image input."""
        return encoder_of(self.model, self.name)

    def read(self, file: Path) -> np.ndarray:
        """A preprocessed image file: uint8 `[1, height, width, channels]`.

        Raises:
            DataError: the file cannot be read, or is not an image.
        """
        if not os.path.lexists(file):
            raise DataError(f"{escape(str(file))}: {describe_missing_path(file)}")
        pixels = self.image.read_file(file)
        return self.image.load(tf.constant(pixels[None])).numpy()


def open_image_model(path: Path, name: str | None) -> ImageModel:
    """Loads the model of a run and finds its image input.

    Args:
        path: a run directory, `runs/<name>` for its newest run, or a weights file inside one.
        name: the input's name; can be None if there is only one image input.

    Raises:
        RunError: there is no such run or input, or it is not an image input.
    """
    run, checkpoint = open_trained(path, "best")
    config = run.config()
    name, image = find_image_input(config.inputs, name, str(run.directory))
    devices = prepare_devices("auto", config.train)
    model, config = load_trained(run, checkpoint, devices.precision)
    return ImageModel(run, config, model, name, image)


def find_image_input(
    inputs: Mapping[str, Input], requested: str | None, where: str
) -> tuple[str, ReadsImageFiles]:
    """Name and spec of the requested image input, or of the only one.

    Raises:
        RunError: there is none, or there are several; the message starts with `where`.
    """
    if requested is not None and requested not in inputs:
        meant = did_you_mean(requested, inputs) or "."
        raise RunError(f"{where}: has no input '{requested}'{meant} There are: {', '.join(inputs)}")
    images = {name: spec for name, spec in inputs.items() if isinstance(spec, ReadsImageFiles)}
    if requested is not None and requested not in images:
        raise RunError(f"{where}: input '{requested}' is {inputs[requested].type}, not image")
    if not images:
        types = ", ".join(f"{name} ({spec.type})" for name, spec in inputs.items())
        raise RunError(f"{where}: has no image input, only {types}")
    if requested is None and len(images) > 1:
        raise RunError(
            f"{where}: has {len(images)} image inputs: {', '.join(images)}. "
            "Choose one with --input NAME."
        )
    name = requested or next(iter(images))
    return name, images[name]
