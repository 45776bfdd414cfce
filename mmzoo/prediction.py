"""`mmzoo predict`: what a trained model says of files it has not seen."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.config import Config
from mmzoo.devices import Kind, available_cores, memory_errors, prepare_devices
from mmzoo.errors import DataError
from mmzoo.lazy import tf
from mmzoo.runs import Run
from mmzoo.trained import load_trained, open_trained

if TYPE_CHECKING:
    import keras

Columns = dict[str, list[Any]]

_MAX_THREADS = 8


@memory_errors()
def predict(
    run: Run | Path | str,
    files: Iterable[Path | str] | Path | str,
    *,
    top: int = 0,
    checkpoint: str | Path = "best",
    device: Kind = "auto",
) -> Columns:
    """Predicts from files, one example each.

    Args:
        run: the run, its directory, `runs/<name>` for its newest, or a weights file inside one.
        files: the files of the model's only input, such as pictures; or one of them.
        top: how many of the most probable classes to give for each classification.
        checkpoint: "best", "last", or a weights file; not beside a weights file as `run`.
        device: "auto", "cpu" or "gpu".

    Returns:
        The columns of a table with a row for each file: `file`, and for each head its prediction
        and, where it has one, its probability.

    Raises:
        DataError: a file cannot be read, there is none, or the model needs more than one input.
        RunError: there is no such run or checkpoint.
    """
    run, checkpoint = open_trained(run, checkpoint)
    # A text is a sequence of texts too, which nobody means.
    paths = [Path(files)] if isinstance(files, Path | str) else [Path(file) for file in files]
    if not paths:
        raise DataError("there are no files to predict from")
    config = run.config()
    if len(config.inputs) > 1:
        raise DataError(
            f"{run.directory}: predicts from {len(config.inputs)} inputs together "
            f"({', '.join(config.inputs)}), which single files cannot give"
        )
    devices = prepare_devices(device, config.train)
    model, config = load_trained(run, checkpoint, devices.precision)
    parts = list(_predicted(model, config, paths))
    columns: Columns = {"file": [str(path) for path in paths]}
    for name, head in config.heads.items():
        rows = np.concatenate([part[name] for part in parts])
        columns |= {key: list(values) for key, values in head.written(rows, name, top).items()}
    return columns


def _predicted(
    model: keras.Model, config: Config, files: Sequence[Path]
) -> Iterator[dict[str, np.ndarray]]:
    """The predictions for a batch of files at a time, so that any number of them can be given."""
    [(name, spec)] = config.inputs.items()

    @tf.function(input_signature=[tf.TensorSpec(model.input[name].shape, model.input[name].dtype)])
    def run(values: tf.Tensor) -> dict[str, tf.Tensor]:
        return model({name: values}, training=False)

    with closing(_read_ahead(spec.read_file, files)) as contents:
        # Files differ in size, so each is made to fit by itself.
        fitted = (spec.preprocess(tf.constant(content[None])) for content in contents)
        while batch := list(islice(fitted, config.evaluation_batch_size)):
            outputs = run(tf.concat(batch, axis=0))
            yield {head: output.numpy() for head, output in outputs.items()}


def _read_ahead(
    read: Callable[[Path], np.ndarray], files: Sequence[Path]
) -> Generator[np.ndarray, None, None]:
    """What `read` gives for each file, in their order.

    Decoders let go of Python's lock, so threads read on while the model computes; only a few files
    ahead, since one picture may take much memory.
    """
    threads = min(available_cores(), _MAX_THREADS)
    reading: deque[Future[np.ndarray]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for file in files:
            reading.append(pool.submit(read, file))
            if len(reading) > 2 * threads:
                yield reading.popleft().result()
        while reading:
            yield reading.popleft().result()
