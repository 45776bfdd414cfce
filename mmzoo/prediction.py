"""`mmzoo predict`: what a trained model says of examples that it has not seen."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.absence import without_any
from mmzoo.config import Config
from mmzoo.data import damaged_files, evaluation_batches, naming_files
from mmzoo.devices import Kind, memory_errors, prepare_devices
from mmzoo.errors import DataError
from mmzoo.examples import load_rows, prepare
from mmzoo.inputs import Unopened
from mmzoo.lazy import keras, tf
from mmzoo.probing import Probes, Said, usable_probes, with_features
from mmzoo.runs import Run
from mmzoo.sources import Data, OnBadRow, TableFormat, read_frame
from mmzoo.spec.wording import printable
from mmzoo.trained import load_trained, open_trained

logger = logging.getLogger(__name__)

Columns = dict[str, list[Any]]

_SPLIT = "data"
"""What the examples to predict from are a split of, where one must be named."""
_NAMED = 10
"""How many unreadable files a message names."""
_LONGEST_TEXT = 10_000_000
"""Bytes of a file that is read as one text."""


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
        run: the run, its directory, `runs/<name>` for its newest, or a weights file inside one.
        files: the files of the model's only input, such as pictures; or one of them.
        data: in their place, a table that has the columns of all inputs.
        on_bad_row: what becomes of a table's rows that cannot be used: "error" or "skip".
        top: how many of the most probable classes to give for each classification.
        checkpoint: "best", "last", or a weights file; not beside a weights file as `run`.
        device: "auto", "cpu" or "gpu".

    Returns:
        The columns of a table with a row for each example: `file`, or those columns of the given
        table that the model does not read, such as ids; and for each head its prediction and, where
        it has one, its probability.

    Raises:
        DataError: there is nothing to predict from, it cannot be read, or single files cannot give
            what the model needs.
        RunError: there is no such run or checkpoint.
    """
    run, checkpoint = open_trained(run, checkpoint)
    # A text is a sequence of texts too, which nobody means.
    paths = [Path(files)] if isinstance(files, Path | str) else [Path(file) for file in files]
    if paths and data is not None:
        raise DataError("expected files to predict from or a table, not both")
    if not paths and data is None:
        raise DataError("there are no files to predict from")
    config = run.config()
    devices = prepare_devices(device, config.train)
    if data is None:
        rows = _files(config, run, paths)
        given: Columns = {"file": [str(path) for path in paths]}
    else:
        rows = load_rows(config, str(data), _SPLIT, labelled=False, on_bad_row=on_bad_row)
        for note in rows.notes:
            logger.info(f"Note: {note}.")
        given = _unread_columns(config, str(data), rows)
    prepared = prepare(config, rows, run.preprocessing())
    model, config = load_trained(run, checkpoint, devices.precision)
    probes = usable_probes(run, config, model, checkpoint)
    try:
        with naming_files(config, rows, _SPLIT) if data is not None else nullcontext():
            of_rows = _predicted(model, config, prepared.splits[_SPLIT], probes)
    except tf.errors.OpError:
        _require_readable(paths, damaged_files(config, rows, _SPLIT))
        raise
    said: Columns = {}
    predictions, probed = of_rows.predictions, of_rows.probed
    for name, head in config.heads.items():
        written = head.written(predictions[name], name, top)
        said |= {key: list(values) for key, values in written.items()}
        for kind, of_probe in probed.get(name, {}).items():
            said |= probes[name][kind].written(of_probe, name)
    return _renamed(given, said) | said


def _predicted(
    model: keras.Model, config: Config, columns: Mapping[str, np.ndarray], probes: Probes
) -> Said:
    """What each head says, and each of its probes: files are decoded some batches ahead."""
    batches = evaluation_batches(config, columns, labelled=False)
    whole = with_features(model, list(probes))

    @tf.function(input_signature=batches.element_spec, autograph=False)
    def run(inputs: dict[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], Any]:
        return whole(inputs, training=False)

    said = Said(config.heads, probes)
    for (inputs,) in batches:
        said.add(*run(inputs))
    return said


def _files(config: Config, run: Run, paths: Sequence[Path]) -> Data:
    """The files as rows of the model's only input, once all of them are found to be such."""
    if len(config.inputs) > 1:
        lacking = ", ".join(config.presence)
        raise DataError(
            f"{run.directory}: predicts from {len(config.inputs)} inputs together "
            f"({', '.join(config.inputs)}), which single files cannot give; give a table that has "
            "them as columns by --data"
            + (f". It need not have all: absent may be {lacking}" if lacking else "")
        )
    [(name, spec)] = config.inputs.items()
    if spec.role == "file":
        values = np.array([str(path) for path in paths], dtype=np.str_)
    elif spec.role == "text":
        values = _texts(paths)
    else:
        raise DataError(
            f"{run.directory}: predicts from the columns of a table ({_listed(config)}): give one "
            "that has them by --data"
        )
    column = Unopened({_SPLIT: values})
    opened = spec.opened(column)
    if opened.bad.get(_SPLIT):  # What only decoding finds belongs into the same message.
        opened = spec.opened(replace(column, decode=True))
    bad = opened.bad
    if spec.may_be_absent:
        bad = without_any({name: {_SPLIT: spec.present(opened.values[_SPLIT])}}, bad)
    _require_readable(paths, bad.get(_SPLIT, {}))
    return Data(
        name="the files",
        fingerprint="",
        splits={_SPLIT: {config.columns[name]: opened.values[_SPLIT]}},
        class_names={},
        notes=(),
        row_names={_SPLIT: np.array([printable(str(path)) for path in paths], dtype=np.str_)},
    )


def _texts(paths: Sequence[Path]) -> np.ndarray:
    """What is in the files, objects `[files]`, each a str."""
    bad, texts = {}, np.empty(len(paths), dtype=object)
    for row, path in enumerate(paths):
        try:
            with path.open("rb") as file:
                content = file.read(_LONGEST_TEXT + 1)
            texts[row] = content.decode("utf-8-sig")
        except OSError as error:
            bad[row] = str(error.strerror)
        except UnicodeDecodeError as error:
            bad[row] = f"expected text in UTF-8, and its byte {error.start} is none"
        else:
            if len(content) > _LONGEST_TEXT:
                bad[row] = f"has more than {_LONGEST_TEXT:,} bytes, expected one text"
    _require_readable(paths, bad)
    return texts


def _unread_columns(config: Config, path: str, rows: Data) -> Columns:
    """The columns of the table that no input reads, of the rows that are left; or row numbers."""
    form = config.source if isinstance(config.source, TableFormat) else None
    numbers = rows.row_names[_SPLIT]
    frame = read_frame(path, form)[numbers - 1]
    read = {column for spec in config.inputs.values() for column in spec.source_columns()}
    kept = {column: frame[column].to_list() for column in frame.columns if column not in read}
    return kept or {"row": numbers.tolist()}


def _renamed(given: Columns, said: Collection[str]) -> Columns:
    """The given columns by names that are not those of what is said: no column is lost."""
    renamed: Columns = {}
    for name, values in given.items():
        own = name in said
        while name in said or (own and (name in given or name in renamed)):
            name += "_given"
        renamed[name] = values
    return renamed


def _listed(config: Config) -> str:
    columns = [column for spec in config.inputs.values() for column in spec.source_columns()]
    more = f" and {len(columns) - _NAMED:,} more" if len(columns) > _NAMED else ""
    return ", ".join(printable(column) for column in columns[:_NAMED]) + more


def _require_readable(paths: Sequence[Path], bad: Mapping[int, str]) -> None:
    """Raises a DataError that names the files that cannot be read, if there are such."""
    named = [f"{printable(str(paths[row]))}: {bad[row]}" for row in sorted(bad)]
    if len(named) == 1:
        raise DataError(named[0])
    if named:
        left_out = [f"and {len(named) - _NAMED:,} more"] if len(named) > _NAMED else []
        listed = "\n".join(f"  {line}" for line in [*named[:_NAMED], *left_out])
        raise DataError(f"{len(named):,} of {len(paths):,} files cannot be read:\n{listed}")
