"""The training loop's speed as a share of a bare compiled step's; called by scripts/benchmark.

The bare step trains the same network on one constant batch: no data, no metrics read, nothing
logged. What the loop loses against it is the price of everything else.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from mmzoo.config import load_config
from mmzoo.devices import prepare_devices
from mmzoo.find_runs import new_run
from mmzoo.lazy import keras, tf
from mmzoo.model import build_model
from mmzoo.preprocessing import fit_config, load_frame, transform
from mmzoo.training.session import Session, open_session
from mmzoo.training.timer import Timer

ROOT = Path(__file__).resolve().parent.parent
STEPS = 400
ROUNDS = 5


def loop_seconds(session: Session, batches: object) -> float:
    began = time.perf_counter()
    session.loop.train(batches, STEPS)
    return time.perf_counter() - began


def main() -> None:
    config = load_config(ROOT / "configs" / "mnist_cnn.yaml").with_columns()
    frame = load_frame(config)
    config, preprocessing = fit_config(config, frame)
    data = transform(config, frame, preprocessing)
    devices = prepare_devices("auto", config.train)
    with tempfile.TemporaryDirectory() as folder:
        run = new_run("run", Path(folder) / "run")
        session = open_session(config, preprocessing, run, data, devices, Timer())
        batches = session.stage.training_batches(0)

        bare = build_model(config)
        bare.compile(
            optimizer=keras.optimizers.Adam(),
            jit_compile=False,
            **config.objective.compile_arguments(config.heads, config.soft_targets),
        )
        size = config.train.batch_size
        images = tf.constant(data.splits["train"]["image"][:size])
        labels = tf.constant(np.eye(10, dtype="float32")[data.splits["train"]["label"][:size]])

        @tf.function
        def step() -> None:
            bare.train_step(({"image": images}, {"digit": labels}))

        def bare_seconds() -> float:
            began = time.perf_counter()
            for _ in range(STEPS):
                step()
            return time.perf_counter() - began

        bare_seconds(), loop_seconds(session, batches)  # Tracing is not what is measured.
        timed = [(bare_seconds(), loop_seconds(session, batches)) for _ in range(ROUNDS)]
    ratios = [bare / loop for bare, loop in timed]
    rates = [f"{STEPS / statistics.median(side):.0f}" for side in zip(*timed, strict=True)]
    print(f"Training throughput of {config.name}: {rates[1]} steps/s, a bare step {rates[0]}:")
    print(
        f"  ratio          {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f})   (at least 0.95)"
    )


if __name__ == "__main__":
    main()
