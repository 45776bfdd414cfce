"""Small data sets prepared by TensorFlow Datasets."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def images(count: int, shapes: Sequence[tuple[int, int, int]] = ((8, 8, 1),)) -> list[np.ndarray]:
    """Noise images of alternating shapes."""
    random = np.random.RandomState(0)
    return [random.randint(0, 256, shapes[i % len(shapes)]).astype(np.uint8) for i in range(count)]


def png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(file, "PNG")
    return file.getvalue()


def prepare(
    folder: Path,
    name: str = "things",
    splits: dict[str, int] | None = None,
    shapes: Sequence[tuple[int, int, int]] = ((8, 8, 1),),
    features: dict[str, Any] | None = None,
    labels: Sequence[int] = (0, 1),
    **kind: Any,
) -> Path:
    """Prepares a data set of `image` and `label` in a folder.

    Args:
        folder: The folder of data sets.
        name: What it is called; with `config=` and `version=` as the package has them.
        splits: How many examples each has: by default, 20 to train on.
        shapes: Of the pictures.
        features: Those that it has besides or instead, each with the value of every example.
        labels: Classes, which take turns.

    Returns:
        The folder of what was prepared.
    """
    tfds = pytest.importorskip("tensorflow_datasets", reason="needs mmzoo[tfds]")
    from mmzoo.lazy import tf

    shape = shapes[0] if len(set(shapes)) == 1 else (None, None, shapes[0][2])
    described = {
        "image": tfds.features.Image(shape=shape, encoding_format="png"),
        "label": tfds.features.ClassLabel(names=["cat", "dog"]),
        **{column: feature for column, (feature, _) in (features or {}).items()},
    }
    others = {column: value for column, (_, value) in (features or {}).items()}
    signature = {
        "image": tf.TensorSpec(shape, tf.uint8),
        "label": tf.TensorSpec((), tf.int64),
        **{column: tf.type_spec_from_value(tf.constant(value)) for column, value in others.items()},
    }

    def dataset(count: int) -> Any:
        def examples() -> Iterator[dict[str, Any]]:
            for row, pixels in enumerate(images(count, shapes)):
                yield {"image": pixels, "label": labels[row % len(labels)], **others}

        return tf.data.Dataset.from_generator(examples, output_signature=signature)

    kind.setdefault("version", "1.0.0")
    builder = tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        features=tfds.features.FeaturesDict(described),
        split_datasets={
            split: dataset(count) for split, count in (splits or {"train": 20}).items()
        },
        data_dir=folder,
        disable_shuffling=True,
        **kind,
    )
    return Path(builder.data_dir)
