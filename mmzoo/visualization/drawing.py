"""Drawings: a grid of images with captions, and the model and input they show."""

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

from mmzoo.anatomy import encoder_of
from mmzoo.config import Config
from mmzoo.devices import prepare_devices
from mmzoo.errors import DataError, RunError
from mmzoo.inputs import Image, Input
from mmzoo.lazy import keras, tf
from mmzoo.runs import Run
from mmzoo.spec import did_you_mean
from mmzoo.trained import load_trained, open_trained


@dataclass(frozen=True)
class Drawing:
    """A picture that was written, or what there is to read where nothing can be looked at.

    Attributes:
        path: the PNG; None where there is none.
        text: what is on it, for people.
        facts: the same for programs, as JSON takes it.
    """

    path: Path | None
    text: str
    facts: dict[str, Any]


def require_png(path: Path | None) -> None:
    """Raises a DataError where no picture can be written by this name: before any work is done."""
    if path is not None and path.suffix.lower() != ".png":
        raise DataError(f"{path}: expected a name that ends in .png")


def unused_path(folder: Path, file: Path) -> Path:
    """A PNG in the folder that is called like a file; numbered where there is one by that name.

    Another file of this name, or another class of the same file, keeps its picture.
    """
    names = (f"{file.stem}_{number}.png" for number in count(2))
    path = folder / f"{file.stem}.png"
    while os.path.lexists(path):
        path = folder / next(names)
    return path


_LEAST_SIDE = 32
"""Smaller pictures are enlarged to about this many pixels, so that a frame of one pixel is thin."""
_FRAME = (163, 200, 233)
"""A blue that neither a white nor a black or grey picture melts into."""


def tiled(pictures: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """The pictures in rows of `columns` on white, pixel by pixel, each in a thin frame.

    Args:
        pictures: uint8 `[count, height, width, 1 or 3]`.
        columns: how many in a row.

    Returns:
        Uint8 `[height, width, 3]`.
    """
    factor = math.ceil(_LEAST_SIDE / min(pictures.shape[1:3]))
    large = pictures.repeat(factor, axis=1).repeat(factor, axis=2)
    if large.shape[3] == 1:
        large = large.repeat(3, axis=3)
    count, height, width, _ = large.shape
    frame = max(1, height // 32)
    framed = np.full((count, height + 2 * frame, width + 2 * frame, 3), _FRAME, np.uint8)
    framed[:, frame:-frame, frame:-frame] = large

    rows = math.ceil(count / columns)
    height, width = height + 4 * frame, width + 4 * frame
    canvas = np.full((rows * height, columns * width, 3), 255, np.uint8)
    for place, picture in enumerate(framed):
        top, left = place // columns * height + frame, place % columns * width + frame
        canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas


@dataclass(frozen=True)
class Subject:
    """The model of a run, and the image input of it that is looked at.

    Attributes:
        run: where the model comes from, and where pictures of it go.
        config: the run's config.
        model: with the run's weights.
        name: the input's name.
        image: the input.
    """

    run: Run
    config: Config
    model: keras.Model
    name: str
    image: Image

    @property
    def encoder(self) -> keras.Model:
        """The network that reads the input."""
        return encoder_of(self.model, self.name)

    def read(self, file: Path) -> np.ndarray:
        """A picture file as the model gets it: uint8 `[1, height, width, channels]`.

        Raises:
            DataError: the file cannot be read, or is no picture.
        """
        pixels = self.image.read_file(file)
        return self.image.preprocess(tf.constant(pixels[None])).numpy()


def open_subject(path: Path, name: str | None) -> Subject:
    """The subject in a run.

    Args:
        path: a run directory, `runs/<name>` for its newest, or a weights file inside one.
        name: the input's name; None where there is but one that takes pictures.

    Raises:
        RunError: there is no such run or input, or the input is not one of pictures.
    """
    run, checkpoint = open_trained(path, "best")
    config = run.config()
    name, image = image_input(config.inputs, name, str(run.directory))
    devices = prepare_devices("auto", config.train)
    model, config = load_trained(run, checkpoint, devices.precision)
    return Subject(run, config, model, name, image)


def image_input(inputs: Mapping[str, Input], asked: str | None, where: str) -> tuple[str, Image]:
    """The input that takes pictures: the one that was asked for, or the only one.

    Raises:
        RunError: there is none such, or several; begins with `where`.
    """
    if asked is not None and asked not in inputs:
        meant = did_you_mean(asked, inputs) or "."
        raise RunError(f"{where}: has no input '{asked}'{meant} There are: {', '.join(inputs)}")
    images = {name: spec for name, spec in inputs.items() if isinstance(spec, Image)}
    if asked is not None and asked not in images:
        raise RunError(f"{where}: input '{asked}' is {inputs[asked].type}, not image")
    if not images:
        there_are = ", ".join(f"{name} ({spec.type})" for name, spec in inputs.items())
        raise RunError(f"{where}: has no input of pictures to look at, only {there_are}")
    if asked is None and len(images) > 1:
        raise RunError(
            f"{where}: has {len(images)} inputs of pictures: {', '.join(images)}. "
            "Say which by --input NAME."
        )
    name = asked or next(iter(images))
    return name, images[name]
