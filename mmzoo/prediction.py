"""Inference: predictions of a trained model for files or for the rows of a table."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from mmzoo.batches import evaluation_batches
from mmzoo.config import Config
from mmzoo.data.frame import ROW, SPLIT, Frame, OnBadRow, path_text
from mmzoo.decoded_files import find_corrupt_files, reraise_with_file_names
from mmzoo.devices import Kind, memory_errors, prepare_devices
from mmzoo.errors import DataError, RunError
from mmzoo.fitted_probes import CollectedPredictions, Probes, usable_probes, with_features
from mmzoo.heads import WritesPredictions
from mmzoo.lazy import keras, np, pl, tf
from mmzoo.preprocessing import load_rows, scan, transform
from mmzoo.runs import Run
from mmzoo.spec.wording import escape
from mmzoo.trained_model import load_trained, open_trained

logger = logging.getLogger(__name__)

Columns = dict[str, list[Any]]

_SPLIT = "data"
"""Name of the split of the rows to predict from."""
_MAX_LISTED = 10
"""Maximum number of files or columns that a message lists."""
_MAX_TEXT_BYTES = 10_000_000
"""Maximum size of a text file, which is one text."""


@memory_errors()
def predict(
    run: Run | Path | str,
    files: Iterable[Path | str] | Path | str = (),
    *,
    data: Path | str | None = None,
    on_bad_row: OnBadRow = "error",
    top: int = 0,
    checkpoint: str | Path = "best",
    device: Kind = "auto",
) -> Columns:
    """Predicts from files, one example each, or from the rows of a table.

    Args:
        run: a run, its directory, `runs/<name>` for the newest run, or a weights file of a run.
        files: one or more files for the model's only input, such as images.
        data: instead of files, a table with the columns of all inputs.
        on_bad_row: handling of table rows that cannot be used: "error" or "skip".
        top: number of most probable classes to return for each classification.
        checkpoint: "best", "last", or a weights file; not allowed if `run` is a weights file.
        device: "auto", "cpu" or "gpu".

    Returns:
        Columns of a table with one row per example: `file`, or the columns of the given table that
        the model does not read, such as ids; and for each head its prediction and, if it has one,
        its probability.

    Raises:
        DataError: there is nothing to predict from, the data cannot be read, or the model needs a
            table.
        RunError: the run or checkpoint does not exist, or no head writes predictions.
    """
    run, checkpoint = open_trained(run, checkpoint)
    # A str is also an iterable of str.
    paths = [Path(files)] if isinstance(files, Path | str) else [Path(file) for file in files]
    if paths and data is not None:
        raise DataError("expected files or a table to predict from, not both")
    if not paths and data is None:
        raise DataError("no files to predict from")
    config = run.config()
    writing = {
        name: head for name, head in config.heads.items() if isinstance(head, WritesPredictions)
    }
    if not writing:
        heads = ", ".join(f"{name} ({head.type})" for name, head in config.heads.items())
        raise RunError(f"{run.directory}: none of its heads can write predictions: {heads}")
    devices = prepare_devices(device, config.train)
    if data is None:
        frame = _files(config, run, paths)
        given: Columns = {"file": [str(path) for path in paths]}
    else:
        frame = load_rows(
            config, str(data), _SPLIT, labelled=False, on_bad_row=on_bad_row, others=True
        )
        for note in frame.notes:
            logger.info(f"Note: {note}.")
        others = frame.other_columns() or {frame.rows_are: frame.table[ROW]}
        given = {column: values.to_list() for column, values in others.items()}
    rows = transform(config, frame, run.preprocessing())
    model, config = load_trained(run, checkpoint, devices.precision)
    probes = usable_probes(run, config, model, checkpoint)
    try:
        with reraise_with_file_names(config, rows, _SPLIT) if data is not None else nullcontext():
            outputs = _predict_batches(model, config, rows.splits[_SPLIT], probes)
    except tf.errors.OpError:
        _require_readable(paths, find_corrupt_files(config, rows, _SPLIT))
        raise
    predicted: Columns = {}
    predictions, probed = outputs.predictions, outputs.probed
    for name, head in writing.items():
        columns = head.decode(predictions[name], name, top)
        predicted |= {key: list(values) for key, values in columns.items()}
        for kind, of_probe in probed.get(name, {}).items():
            predicted |= probes[name][kind].decode(of_probe, name)
    return _rename_clashes(given, predicted) | predicted


def _predict_batches(
    model: keras.Model, config: Config, columns: Mapping[str, np.ndarray], probes: Probes
) -> CollectedPredictions:
    """Outputs of all heads and probes; files are decoded some batches ahead."""
    batches = evaluation_batches(config, columns, labelled=False)
    network = with_features(model, list(probes))

    @tf.function(input_signature=batches.element_spec, autograph=False)
    def run(inputs: dict[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], Any]:
        return network(inputs, training=False)

    outputs = CollectedPredictions(config.heads, probes)
    for (inputs,) in batches:
        outputs.add(*run(inputs))
    return outputs


def _files(config: Config, run: Run, paths: Sequence[Path]) -> Frame:
    """The files as scanned rows of the model's only input; raises if any cannot be read."""
    if len(config.inputs) > 1:
        optional = ", ".join(config.presence)
        raise DataError(
            f"{run.directory}: the model has {len(config.inputs)} inputs "
            f"({', '.join(config.inputs)}), so it needs a table with their columns: use --data"
            + (f". Values may be missing for {optional}" if optional else "")
        )
    [spec] = config.inputs.values()
    if spec.role == "file":
        values = [path_text(str(path)) for path in paths]
    elif spec.role == "text":
        values = _texts(paths)
    else:
        raise DataError(
            f"{run.directory}: the model needs a table with the columns {_listed(config)}: use "
            "--data"
        )
    [column] = spec.source_columns()
    names = [escape(str(path)) for path in paths]
    table = pl.DataFrame({column: values, SPLIT: [_SPLIT] * len(paths), ROW: names})
    raw = Frame(table, name="the files", fingerprint="")
    frame = scan(config, raw)
    if not frame.issues.is_empty():
        frame = scan(config, raw, decode=True)  # Report all unreadable files at once.
    _require_readable(paths, {row: why for row, (_, why) in frame.found_issues().items()})
    return frame


def _texts(paths: Sequence[Path]) -> list[str]:
    """Contents of text files."""
    bad, texts = {}, []
    for row, path in enumerate(paths):
        try:
            with path.open("rb") as file:
                content = file.read(_MAX_TEXT_BYTES + 1)
            texts.append(content.decode("utf-8-sig"))
        except OSError as error:
            bad[row] = str(error.strerror)
        except UnicodeDecodeError as error:
            bad[row] = f"expected UTF-8 text, but byte {error.start} is invalid"
        else:
            if len(content) > _MAX_TEXT_BYTES:
                bad[row] = (
                    f"has more than {_MAX_TEXT_BYTES:,} bytes, which is too long for one text"
                )
    _require_readable(paths, bad)
    return texts


def _rename_clashes(given: Columns, predicted: Collection[str]) -> Columns:
    """The given columns, with `_given` appended to names that a prediction has."""
    renamed: Columns = {}
    for name, values in given.items():
        clashes = name in predicted
        while name in predicted or (clashes and (name in given or name in renamed)):
            name += "_given"
        renamed[name] = values
    return renamed


def _listed(config: Config) -> str:
    columns = [column for spec in config.inputs.values() for column in spec.source_columns()]
    more = f" and {len(columns) - _MAX_LISTED:,} more" if len(columns) > _MAX_LISTED else ""
    return ", ".join(escape(column) for column in columns[:_MAX_LISTED]) + more


def _require_readable(paths: Sequence[Path], bad: Mapping[int, str]) -> None:
    """Raises a DataError that lists the files that cannot be read, if there are any."""
    named = [f"{escape(str(paths[row]))}: {bad[row]}" for row in sorted(bad)]
    if len(named) == 1:
        raise DataError(named[0])
    if named:
        remaining = [f"and {len(named) - _MAX_LISTED:,} more"] if len(named) > _MAX_LISTED else []
        listed = "\n".join(f"  {line}" for line in [*named[:_MAX_LISTED], *remaining])
        raise DataError(f"{len(named):,} of {len(paths):,} files cannot be read:\n{listed}")
