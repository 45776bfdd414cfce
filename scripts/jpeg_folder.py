"""The speed at which a folder of JPEGs is read, against a bare loop; called by scripts/benchmark.

The bare loop is what a tutorial has: tf.data reads, decodes and resizes files in parallel, and
makes batches of them. Both sides resize with antialiasing, then both without, and take turns.
Beside wall time, which other programs on the machine change, CPU time is measured: that is what
each picture costs.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmzoo.batches import training_batches
from mmzoo.config import Config, load_config
from mmzoo.lazy import tf
from mmzoo.order import TrainingOrder
from mmzoo.preprocessing import fit_config, load_frame, transform

PICTURES = 600
HEIGHT, WIDTH = 375, 500
SHAPE = (224, 224, 3)
EPOCHS = 8
WARM_UP = 10
"""Batches that are not measured: pipelines are built and tuned with the first ones."""


class Cost(NamedTuple):
    """Of one picture, in milliseconds."""

    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=32)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "photos"
        write_photos(folder)
        print(f"{PICTURES} JPEGs of {WIDTH}x{HEIGHT} to {SHAPE[1]}x{SHAPE[0]}, mmzoo and bare:")
        for antialias in (True, False):
            compare(config(folder, antialias, given.batch_size), given.rounds)


def write_photos(folder: Path) -> None:
    """Two classes of photos: crops of the two that scikit-learn has, each under its own noise."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    random = np.random.RandomState(0)
    for photo, label in zip(load_sample_images().images, ("china", "flower"), strict=True):
        (folder / label).mkdir(parents=True)
        for number in range(PICTURES // 2):
            top = random.randint(photo.shape[0] - HEIGHT)
            left = random.randint(photo.shape[1] - WIDTH)
            crop = photo[top : top + HEIGHT, left : left + WIDTH].astype(int)
            noisy = np.clip(crop + random.randint(-8, 9, crop.shape), 0, 255).astype("uint8")
            Image.fromarray(noisy).save(folder / label / f"{number:03}.jpg", quality=90)


def config(folder: Path, antialias: bool, batch_size: int) -> Config:
    return load_config(
        {
            "name": "photos",
            "source": {"type": "folder", "path": str(folder)},
            "inputs": {
                "photo": {
                    "type": "image",
                    "shape": list(SHAPE),
                    "antialias": antialias,
                    "encoder": {"type": "cnn", "filters": [8]},
                }
            },
            "heads": {"label": {"type": "classification", "classes": 2}},
            "train": {"batch_size": batch_size},
        }
    ).with_columns()


def compare(config: Config, rounds: int) -> None:
    frame = load_frame(config)
    config, preprocessing = fit_config(config, frame)
    data = transform(config, frame, preprocessing)
    antialias, size = config.inputs["photo"].antialias, config.train.batch_size

    def mmzoo() -> tf.data.Dataset:
        order = TrainingOrder(0, data.examples("train"), size)
        steps = EPOCHS * order.steps_per_epoch
        return training_batches(config, data.splits["train"], order, 0, steps)

    def bare() -> tf.data.Dataset:
        paths = tf.data.Dataset.from_tensor_slices(data.splits["train"]["file"][:, 0])
        resized = paths.repeat(EPOCHS).map(read, num_parallel_calls=tf.data.AUTOTUNE)
        return resized.batch(size).prefetch(tf.data.AUTOTUNE)

    def read(path: tf.Tensor) -> tf.Tensor:
        photo = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return tf.image.resize(photo, SHAPE[:2], antialias=antialias)

    pictures = EPOCHS * data.examples("train") - WARM_UP * size
    timed = [(cost(iter(mmzoo()), pictures), cost(iter(bare()), pictures)) for _ in range(rounds)]
    print(f"  antialias: {str(antialias).lower()}")
    for part, what in enumerate(("wall", "CPU")):
        ours, theirs = ([side[part] for side in sides] for sides in zip(*timed, strict=True))
        ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
        print(
            f"    {what:<5} {statistics.median(ours):.2f} and {statistics.median(theirs):.2f} ms a "
            f"picture, ratio {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f})   (at least 0.90)"
        )


def cost(batches: Iterator[tf.Tensor], pictures: int) -> Cost:
    for _ in range(WARM_UP):
        next(batches)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in batches:
        pass
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Cost(wall * 1e3 / pictures, cpu * 1e3 / pictures)


if __name__ == "__main__":
    main()
