"""`mmzoo predict`: what a trained model says of files it has not seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.config import Config
from mmzoo.data import damaged_files, evaluation_batches
from mmzoo.devices import Kind, memory_errors, prepare_devices
from mmzoo.errors import DataError
from mmzoo.journal import to_stderr
from mmzoo.lazy import tf
from mmzoo.runs import Run
from mmzoo.spec.words import printable
from mmzoo.trained import load_trained, open_trained

if TYPE_CHECKING:
    import keras

Columns = dict[str, list[Any]]

_SPLIT = "files"
"""What the files to predict from are a split of, where one must be named."""
_NAMED = 10
"""How many unreadable files a message names."""


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
        DataError: files cannot be read, there is none, or the model needs more than one input.
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
    opened = _opened(config, paths)
    model, config = load_trained(run, checkpoint, devices.precision)
    try:
        predictions = _predicted(model, config, opened)
    except tf.errors.OpError:
        [(name, _)] = config.inputs.items()
        damaged = damaged_files(config, {config.columns[name]: opened}, to_stderr)
        _require_readable(paths, damaged)
        raise
    columns: Columns = {"file": [str(path) for path in paths]}
    for name, head in config.heads.items():
        written = head.written(predictions[name], name, top)
        columns |= {key: list(values) for key, values in written.items()}
    return columns


def _predicted(model: keras.Model, config: Config, files: np.ndarray) -> dict[str, np.ndarray]:
    """Each head's predictions, from opened files: decoded ahead, some batches at a time."""
    [(name, _)] = config.inputs.items()
    batches = evaluation_batches(config, {config.columns[name]: files}, labelled=False)

    @tf.function(input_signature=batches.element_spec, autograph=False)
    def run(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return model(inputs, training=False)

    parts = [run(inputs) for (inputs,) in batches]
    return {head: np.concatenate([part[head].numpy() for part in parts]) for head in config.heads}


def _opened(config: Config, paths: Sequence[Path]) -> np.ndarray:
    """The files as the input reads them, once all of them are found to be such."""
    [spec] = config.inputs.values()
    names = np.array([str(path) for path in paths], dtype=np.str_)
    opened = spec.opened({_SPLIT: names}, {}, decode=False, tell=to_stderr)
    _require_readable(paths, opened.bad.get(_SPLIT, {}))
    return opened.values[_SPLIT]


def _require_readable(paths: Sequence[Path], bad: Mapping[int, str]) -> None:
    """Raises a DataError that names the files that cannot be read, if there are such."""
    named = [f"{printable(str(paths[row]))}: {bad[row]}" for row in sorted(bad)]
    if len(named) == 1:
        raise DataError(named[0])
    if named:
        left_out = [f"and {len(named) - _NAMED:,} more"] if len(named) > _NAMED else []
        listed = "\n".join(f"  {line}" for line in [*named[:_NAMED], *left_out])
        raise DataError(f"{len(named):,} of {len(paths):,} files cannot be read:\n{listed}")
