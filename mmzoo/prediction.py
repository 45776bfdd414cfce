"""Inference: predictions of a trained model for files or for the rows of a table."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from mmzoo.batches import evaluation_batches
from mmzoo.config import Config
from mmzoo.data import InMemoryTable
from mmzoo.data.frame import ROW, Frame, OnBadRow, OtherColumns
from mmzoo.decoded_files import find_corrupt_files, reraise_with_file_names
from mmzoo.devices import Kind, memory_errors, prepare_devices
from mmzoo.errors import DataError, RunError
from mmzoo.fitted_probes import CollectedPredictions, Probes, usable_probes, with_features
from mmzoo.heads import ChoosesClass, WritesPredictions
from mmzoo.lazy import keras, np, pl, tf
from mmzoo.preprocessing import Arrays, load_rows, transform
from mmzoo.runs import Run
from mmzoo.single_input_rows import (
    SPLIT_NAME,
    is_folder_of_files,
    require_readable,
    single_input_rows,
)
from mmzoo.trained_model import load_trained, open_trained

logger = logging.getLogger(__name__)

Columns = dict[str, list[Any]]


class Predictions(Columns):
    """Predictions as columns of a table: a dict of lists, one row per example.

    Attributes:
        given: columns that identify the rows, in their own types: `file`, `text`, or columns of the
            given table.
        predicted: the columns of predictions; no name is also one of `given`.
        classes: the names of all classes of the model.
    """

    def __init__(
        self,
        given: Mapping[str, Sequence[Any] | pl.Series],
        predicted: Columns,
        classes: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__({name: list(values) for name, values in given.items()} | predicted)
        self.given, self.predicted, self.classes = given, predicted, classes


@memory_errors()
def predict(
    run: Run | Path | str,
    files: Iterable[Path | str] | Path | str = (),
    *,
    texts: Iterable[str] | str = (),
    data: Path | str | InMemoryTable | None = None,
    on_bad_row: OnBadRow = "error",
    top: int = 0,
    probabilities: bool = False,
    keep_inputs: bool = False,
    checkpoint: str | Path = "best",
    device: Kind = "auto",
) -> Predictions:
    """Predicts from files or texts, one example each, or from the rows of a table.

    Args:
        run: a run, its directory, `runs/<name>` for the newest run, or a weights file of a run.
        files: one or more files for the model's only input, such as images, or folders of them.
        texts: one or more texts for the model's only input, instead of text files.
        data: instead of files, a table with the columns of all inputs: its path, a pandas or polars
            DataFrame, or a mapping of column names to arrays, such as uint8 images
            `[rows, height, width, channels]`.
        on_bad_row: handling of files or rows that cannot be used: "error" or "skip".
        top: number of most probable classes to return for each classification.
        probabilities: whether to return the probabilities of all classes.
        keep_inputs: whether to return the columns of the table that the model reads, too.
        checkpoint: "best", "last", or a weights file; not allowed if `run` is a weights file.
        device: "auto", "cpu" or "gpu".

    Returns:
        Columns of a table with one row per example, as a dict of lists: `file`, `text`, or the
        columns of the given table that the model does not read, such as ids; and for each head its
        prediction and, if it has one, its probability.

    Raises:
        DataError: there is nothing to predict from, the data cannot be read, or the model needs a
            table.
        RunError: the run or checkpoint does not exist, or no head writes predictions.
    """
    # A str is also an iterable of str.
    paths = [Path(files)] if isinstance(files, Path | str) else [Path(file) for file in files]
    texts = [texts] if isinstance(texts, str) else list(texts)
    run, checkpoint = open_trained(run, checkpoint)
    if sum((bool(paths), bool(texts), data is not None)) > 1:
        raise DataError("expected only one of files, texts and a table to predict from")
    if not paths and not texts and data is None:
        raise DataError("no files to predict from")
    config = run.config()
    writing = {
        name: head for name, head in config.heads.items() if isinstance(head, WritesPredictions)
    }
    if not config.heads:
        raise RunError(
            f"{run.directory}: has no head, so there is nothing to predict; its objective is "
            f"{config.objective.type}"
        )
    if not writing:
        heads = ", ".join(f"{name} ({head.type})" for name, head in config.heads.items())
        raise RunError(f"{run.directory}: none of its heads can write predictions: {heads}")
    if isinstance(data, Path | str) and is_folder_of_files(config, Path(data)):
        paths, data = [Path(data)], None
    devices = prepare_devices(device, config.train)
    given: Mapping[str, Sequence[Any] | pl.Series]
    if data is None:
        frame, given = single_input_rows(config, str(run.directory), paths, texts, on_bad_row)
    else:
        others: OtherColumns = "all" if keep_inputs else "unused"
        frame = load_rows(
            config, data, SPLIT_NAME, labelled=False, on_bad_row=on_bad_row, others=others
        )
        given = frame.other_columns() or {frame.rows_are: frame.table[ROW]}
        for message in frame.messages():
            logger.info(message)
    rows = transform(config, frame, run.preprocessing())
    model, config = load_trained(run, checkpoint, devices.precision)
    probes = usable_probes(run, config, model, checkpoint)
    with named_corrupt_files(config, frame, rows, SPLIT_NAME, from_files=data is None):
        outputs = _predict_batches(model, config, rows.splits[SPLIT_NAME], probes)
    predicted = _decode(writing, outputs, probes, top, probabilities)
    choosing = [head for head in writing.values() if isinstance(head, ChoosesClass)]
    classes = frozenset(name for head in choosing for name in head.class_names or ())
    return Predictions(_rename_clashes(given, predicted), predicted, classes)


@contextmanager
def named_corrupt_files(
    config: Config, frame: Frame, rows: Arrays, split: str, from_files: bool
) -> Iterator[None]:
    """A block in which errors name the files that cannot be decoded.

    Args:
        config: the config of the rows.
        frame: the rows, with one split.
        rows: the same, transformed.
        split: the split's name.
        from_files: whether each row is a file, not a row of a table.
    """
    try:
        with nullcontext() if from_files else reraise_with_file_names(config, rows, split):
            yield
    except tf.errors.OpError:
        corrupt = find_corrupt_files(config, rows, split)
        require_readable([str(frame.row_name(row)) for row in range(frame.table.height)], corrupt)
        raise


def _decode(
    heads: Mapping[str, WritesPredictions],
    outputs: CollectedPredictions,
    probes: Probes,
    top: int,
    probabilities: bool,
) -> Columns:
    """The columns of all heads and their probes."""
    predicted: Columns = {}
    predictions, probed = outputs.predictions, outputs.probed
    for name, head in heads.items():
        columns = head.decode(predictions[name], name, top)
        predicted |= {key: list(values) for key, values in columns.items()}
        if probabilities and isinstance(head, ChoosesClass):
            shares = head.class_probabilities(predictions[name]).T.tolist()
            names = [f"{name}_{label}_probability" for label in head.class_names or ()]
            predicted |= dict(zip(names, shares, strict=True))
        for kind, of_probe in probed.get(name, {}).items():
            predicted |= probes[name][kind].decode(of_probe, name)
    return predicted


def _predict_batches(
    model: keras.Model, config: Config, columns: Mapping[str, np.ndarray], probes: Probes
) -> CollectedPredictions:
    """Outputs of all heads and probes; files are decoded some batches ahead."""
    batches = evaluation_batches(config, columns, labelled=False)
    network = with_features(model, list(probes))

    outputs = CollectedPredictions(config.heads, probes)

    @tf.function(input_signature=batches.element_spec, autograph=False)
    def run(inputs: dict[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], Any]:
        predicted, features = network(inputs, training=False)
        return outputs.of_batch(predicted, inputs), features

    for (inputs,) in batches:
        outputs.add(*run(inputs))
    return outputs


def _rename_clashes(
    given: Mapping[str, Sequence[Any] | pl.Series], predicted: Collection[str]
) -> dict[str, Sequence[Any] | pl.Series]:
    """The given columns, with `_given` appended to names that a prediction has."""
    renamed: dict[str, Sequence[Any] | pl.Series] = {}
    for name, values in given.items():
        clashes = name in predicted
        while name in predicted or (clashes and (name in given or name in renamed)):
            name += "_given"
        renamed[name] = values
    return renamed
