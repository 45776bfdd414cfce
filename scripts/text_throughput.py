"""The speed at which texts are trained on, against Keras' `fit`; called by scripts/benchmark.

Both sides train the tutorials' network (5,000 words, 100 of each text, vectors of 128, their
average, a dense layer of 128, dropout) on the same 5,000 reviews of IMDb, an epoch in turn. Keras'
side has its TextVectorization in the pipeline, as its own examples do.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmzoo.config import Config, load_config
from mmzoo.data.frame import Frame
from mmzoo.devices import prepare_devices
from mmzoo.find_runs import new_run
from mmzoo.lazy import keras, tf
from mmzoo.preprocessing import fit_config, load_frame, transform
from mmzoo.training.session import open_session
from mmzoo.training.timer import Timer

ROWS = 5_000
WORDS = 5_000
LENGTH = 100
WIDTH = 128
BATCH_SIZE = 32


class Cost(NamedTuple):
    """Seconds."""

    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    config = reviews_config()
    frame = some_rows(load_frame(config))
    texts = frame.values("text", "train").to_list()
    labels = frame.values("label", "train").to_numpy().astype("float32")
    with tempfile.TemporaryDirectory() as folder:
        ours, preparing_ours = mmzoo_epoch(config, frame, Path(folder) / "run")
        theirs, preparing_theirs = keras_epoch(texts, labels)
        ours(), theirs()  # Tracing is not what is measured.
        timed = [(cost(ours), cost(theirs)) for _ in range(given.rounds)]
    print(f"An epoch of {ROWS:,} reviews, mmzoo and Keras' `fit` with TextVectorization:")
    for part, what in enumerate(("wall", "CPU")):
        mine, plain = ([side[part] for side in sides] for sides in zip(*timed, strict=True))
        ratios = [b / a for a, b in zip(mine, plain, strict=True)]
        print(
            f"  {what:<5} {statistics.median(mine):.2f} and {statistics.median(plain):.2f} s, "
            f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            "   (at least 1.00)"
        )
    print(
        f"  before it, once: {preparing_ours.wall:.2f} seconds for vocabulary and ids, "
        f"{preparing_theirs.wall:.2f} for Keras' `adapt`"
    )


def cost(do: Callable[[], None]) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    do()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def reviews_config() -> Config:
    return load_config(
        {
            "name": "reviews",
            "source": {"type": "dataset", "name": "imdb"},
            "inputs": {
                "text": {
                    "type": "text",
                    "vocabulary_size": WORDS,
                    "length": LENGTH,
                    "encoder": {
                        "type": "embedding",
                        "dim": WIDTH,
                        "units": [128],
                        "dropout": 0.5,
                    },
                }
            },
            "heads": {"label": {"type": "binary"}},
            "train": {"batch_size": BATCH_SIZE},
        }
    ).with_columns()


def some_rows(frame: Frame) -> Frame:
    """Few of the training reviews, drawn at random; few of the others, which nobody looks at."""
    kept = set()
    for split, rows in frame.rows.items():
        drawn = np.random.RandomState(0).permutation(rows)
        kept.update(drawn[: ROWS if split == "train" else 32].tolist())
    return frame.drop(set(range(frame.table.height)) - kept)


def mmzoo_epoch(config: Config, frame: Frame, folder: Path) -> tuple[Callable[[], None], Cost]:
    found: dict[str, Any] = {}

    def fit() -> None:
        found["config"], found["files"] = fit_config(config, frame)
        found["arrays"] = transform(found["config"], frame, found["files"])

    preparing = cost(fit)
    devices = prepare_devices("cpu", config.train)
    run = new_run("run", folder)
    session = open_session(found["config"], found["files"], run, found["arrays"], devices, Timer())
    batches = session.stage.training_batches(0)
    steps = session.stage.order.steps_per_epoch
    return lambda: session.loop.train(batches, steps), preparing


def keras_epoch(texts: list[str], labels: np.ndarray) -> tuple[Callable[[], None], Cost]:
    def standardize(text: tf.Tensor) -> tf.Tensor:
        text = tf.strings.regex_replace(tf.strings.lower(text), "<br />", " ")
        return tf.strings.regex_replace(text, r"[!\"#$%&()*+,\-./:;<=>?@\[\]^_`{|}~\\]", "")

    vectorize = keras.layers.TextVectorization(
        max_tokens=WORDS + 2, standardize=standardize, output_sequence_length=LENGTH
    )
    texts = tf.constant(texts)
    preparing = cost(lambda: vectorize.adapt(tf.data.Dataset.from_tensor_slices(texts).batch(1024)))
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int64"),
            keras.layers.Embedding(WORDS + 2, WIDTH, mask_zero=True),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        optimizer="adam",
        loss="binary_crossentropy",
        metrics=["accuracy", keras.metrics.AUC()],  # As many as mmzoo's binary head has.
        jit_compile=False,
    )
    rows = tf.data.Dataset.from_tensor_slices((texts, labels)).shuffle(ROWS).batch(BATCH_SIZE)
    batches = rows.map(
        lambda text, label: (vectorize(text), label), num_parallel_calls=tf.data.AUTOTUNE
    ).prefetch(tf.data.AUTOTUNE)
    return lambda: model.fit(batches, epochs=1, verbose=0), preparing


if __name__ == "__main__":
    main()
