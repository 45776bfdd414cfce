"""Images that a GAN generates: some of every class to look at, and one for each example."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmzoo.batches import Columns, evaluation_batches
from mmzoo.config import Config, Preprocessing
from mmzoo.evaluation.image_grid import captioned_grid
from mmzoo.heads import ChoosesClass
from mmzoo.lazy import keras, tf
from mmzoo.modalities.abilities import HasText
from mmzoo.preprocessing import Arrays, as_text

_SEED = 0
_MOST_SHOWN = 80
_MOST_OF_A_CLASS = 8
_SIDE = 96
"""Pixels of an image in the grid."""


@dataclass(frozen=True)
class GeneratedImages:
    """Generated images with their conditions (a class or text), to be shown.

    Attributes:
        images: uint8 `[height, width, 1 or 3]` each.
        captions: the class or text of each.
        in_a_row: images of a class.
    """

    images: list[NDArray[np.uint8]] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    in_a_row: int = _MOST_OF_A_CLASS

    def grid(self) -> NDArray[np.uint8]:
        """The images in rows, uint8 `[height, width, 3]`."""
        return captioned_grid(self.images, self.captions, self.in_a_row, _SIDE)


def class_head(config: Config) -> tuple[str, ChoosesClass] | None:
    """The name of the head whose classes the model generates, and the head."""
    for name, head in config.heads.items():
        if isinstance(head, ChoosesClass):
            return name, head
    return None


def draw_noise(model: keras.Model, rows: int, seed: int = _SEED) -> NDArray[np.float32]:
    """Standard normal random vectors for the generator, float32 `[rows, dim]`."""
    random = np.random.RandomState(seed)
    return random.normal(size=(rows, model.settings.dim)).astype(np.float32)


def sample_images(
    model: keras.Model, config: Config, data: Arrays, split: str, preprocessing: Preprocessing
) -> GeneratedImages:
    """A few images of every class, always of the same noise; or those for the first examples.

    Other inputs, such as a text, are those of the first examples of each class.

    Args:
        model: with a generator.
        config: of the model.
        data: transformed data.
        split: whose examples have the other inputs.
        preprocessing: the fitted preprocessing of the inputs.
    """
    columns, found = data.splits[split], class_head(config)
    if found is None:
        return _for_rows(model, config, columns, np.arange(_MOST_SHOWN), preprocessing)
    name, head = found
    names = (head.class_names or ())[:_MOST_SHOWN]
    each = max(1, min(_MOST_OF_A_CLASS, _MOST_SHOWN // len(names)))
    if len(config.inputs) > 1:
        labels = head.class_labels(columns[config.columns[name]])
        rows = np.concatenate([np.flatnonzero(labels == one)[:each] for one in range(len(names))])
        return _for_rows(model, config, columns, rows, preprocessing)
    classes = np.repeat(np.arange(len(names)), each)
    noise = np.tile(draw_noise(model, each), (len(names), 1))
    images = as_images(config, model, model.generate(noise, classes, {}))
    return GeneratedImages([*images], [names[one] for one in classes], each)


def _for_rows(
    model: keras.Model,
    config: Config,
    columns: Columns,
    rows: NDArray[np.int64],
    preprocessing: Preprocessing,
) -> GeneratedImages:
    """An image for each of some rows, with its class and its texts, or a number, as caption."""
    chosen = {name: values[rows[rows < len(values)]] for name, values in columns.items()}
    images: list[NDArray[np.uint8]] = []
    captions: list[list[str]] = []
    for _, generated, _ in images_of_examples(model, config, chosen):
        images += [*generated]
    if found := class_head(config):
        name, head = found
        names = head.class_names or ()
        captions.append([names[one] for one in head.class_labels(chosen[config.columns[name]])])
    for name, spec in config.inputs.items():
        if isinstance(spec, HasText):
            captions.append(as_text(config, name, chosen, preprocessing))
    if not captions:
        captions.append([str(number) for number in range(1, len(images) + 1)])
    return GeneratedImages(images, [" ".join(parts) for parts in zip(*captions, strict=True)])


def images_of_examples(
    model: keras.Model, config: Config, columns: Columns
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int64] | None]]:
    """Yields the real images of a split in batches, and one generated for each.

    Yields:
        Both as uint8 `[batch, height, width, channels]`, and the classes, int64 `[batch]`; None
        without a head.
    """
    found, done = class_head(config), 0
    rows = len(next(iter(columns.values())))
    noise = draw_noise(model, rows)
    classes = found and found[1].class_labels(columns[config.columns[found[0]]])
    for (inputs,) in evaluation_batches(config, columns, labelled=False):
        real = inputs[model.generated].numpy()
        batch = slice(done, done + len(real))
        done += len(real)
        asked = None if classes is None else classes[batch]
        yield real, as_images(config, model, model.generate(noise[batch], asked, inputs)), asked


def as_images(config: Config, model: keras.Model, values: tf.Tensor) -> NDArray[np.uint8]:
    """Values from `GanModel.generate` as images, uint8 `[batch, height, width, channels]`."""
    spec: Any = config.inputs[model.generated]
    pixels = spec.from_reconstruction(values).numpy()
    # A network that diverged gives no numbers, which have no pixel.
    return np.rint(np.nan_to_num(pixels)).clip(0, 255).astype(np.uint8)
