"""Examples to generate from: rows of a table, files of an input, or a split of a run's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmzoo.column_spec import ColumnSpec
from mmzoo.config import Config
from mmzoo.data.frame import ROW, OnBadRow
from mmzoo.data.table_format import kind_of
from mmzoo.errors import DataError, RunError
from mmzoo.evaluation.evaluation_data import load_split
from mmzoo.preprocessing import load_rows, transform
from mmzoo.runs import Run
from mmzoo.single_input_rows import SPLIT_NAME, is_folder_of_files, single_input_rows

if TYPE_CHECKING:
    from mmzoo.data.frame import Frame
    from mmzoo.preprocessing import Arrays


@dataclass(frozen=True)
class Examples:
    """The examples to generate from.

    Attributes:
        data: arrays with a single split.
        split: its name.
        labels: column -> its values, which are copied to the table.
    """

    data: Arrays
    split: str
    labels: Mapping[str, Sequence[Any]]


def read_examples(
    run: Run,
    config: Config,
    paths: Sequence[Path],
    split: str | None,
    inputs: Sequence[str],
    on_bad_row: OnBadRow,
) -> Examples:
    """Reads examples, of which only `inputs` count as there."""
    if paths and split is not None:
        raise RunError("--from and --split cannot be combined: each names the examples")
    labels: dict[str, Sequence[Any]]
    if split is not None:
        frame = load_split(run, config, split, _targets(config))
        data = transform(config, frame, run.preprocessing())
        labels = _labels_of_split(config, frame, data, split)
    elif len(paths) == 1 and not _are_files(config, paths):
        split = SPLIT_NAME
        frame = load_rows(
            config, paths[0], split, labelled=False, on_bad_row=on_bad_row, others="unused"
        )
        data = transform(config, frame, run.preprocessing())
        given = frame.other_columns() or {frame.rows_are: frame.table[ROW]}
        labels = {name: list(values) for name, values in given.items()}
    else:
        split = SPLIT_NAME
        name = inputs[0] if len(config.inputs) > 1 and len(inputs) == 1 else None
        where = str(run.directory)
        frame, names = single_input_rows(config, where, paths, (), on_bad_row, name)
        data = transform(config, frame, run.preprocessing())
        labels = dict(names)
    arrays = dict(data.splits[split])
    for name, column in config.presence.items():
        if inputs and name not in inputs:
            arrays[column] = np.zeros_like(arrays[column])
    if config.presence.keys() == config.inputs.keys():
        there = np.any([arrays[column] for column in config.presence.values()], axis=0)
        if not there.all():
            row = data.row_name(split, int(np.flatnonzero(~there)[0]))
            count = int((~there).sum())
            raise DataError(
                f"{row}: has none of the inputs {', '.join(inputs or config.inputs)}"
                + (f", like {count - 1:,} other examples" if count > 1 else "")
            )
    return Examples(replace(data, splits={split: arrays}), split, labels)


def _are_files(config: Config, paths: Sequence[Path]) -> bool:
    """Whether the paths are files with an example each, not a table or a folder of classes."""
    [path, *others] = paths
    if others or is_folder_of_files(config, path):
        return True
    if path.is_dir():
        return False
    try:
        kind_of(path.name)
    except DataError:
        return True
    return False


def _targets(config: Config) -> dict[str, ColumnSpec]:
    """The target columns of a data set that no head reads, to be copied."""
    known = config.source.columns() or {}
    read = config.required_columns()
    return {
        column: ColumnSpec("value", lambda random, rows: random.normal(size=rows))
        for column, purpose in known.items()
        if purpose == "target" and column not in read
    }


def _labels_of_split(
    config: Config, frame: Frame, data: Arrays, split: str
) -> dict[str, Sequence[Any]]:
    """The labels of a split of the run's data, and the names of its rows."""
    labels: dict[str, Sequence[Any]] = {}
    for name, head in config.labelled_heads.items():
        column = config.columns[name]
        labels[head.column or name] = list(head.true_labels(data.splits[split][column]))
    for column in _targets(config):
        values = frame.values(column, split).to_list()
        names = frame.class_names.get(column)
        labels[column] = [names[value] for value in values] if names else values
    rows = [data.row_name(split, row) for row in range(data.examples(split))]
    return {**labels, "example": rows}
