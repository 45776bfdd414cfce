"""What is looked at: the model of a run, and one of its image inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmzoo.anatomy import encoder_of
from mmzoo.config import Config
from mmzoo.devices import prepare_devices
from mmzoo.errors import RunError
from mmzoo.inputs import Image, Input
from mmzoo.lazy import tf
from mmzoo.runs import Run
from mmzoo.spec import did_you_mean
from mmzoo.trained import load_trained, open_trained

if TYPE_CHECKING:
    import keras
    import numpy as np


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
