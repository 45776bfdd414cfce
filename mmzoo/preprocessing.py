"""Preprocessing: the pipeline from a config's source to the arrays that batches are gathered from.

    frame = load_frame(config)                              # read, scan, apply_on_bad_row
    config, preprocessing = fit_config(config, frame)       # on the training split
    arrays = transform(config, frame, preprocessing)

`train` uses the rows of the source; `eval --data` and `predict --data` use those of another table
(`load_rows`) and the fitted preprocessing of the run; `check --data` collects errors instead of
stopping at the first.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from mmzoo.column_spec import ColumnSpec
from mmzoo.config import Config, Preprocessing
from mmzoo.data import Folder, InMemoryTable, Table, TableFormat, read_rows
from mmzoo.data.bad_rows import apply_on_bad_row
from mmzoo.data.duplicates import apply_on_duplicate, combined_keys, row_keys
from mmzoo.data.frame import Frame, OnBadRow, OtherColumns, Skipped, scanned_column
from mmzoo.data.in_memory import to_dataframe
from mmzoo.errors import DataError
from mmzoo.heads import Head
from mmzoo.lazy import np, pl
from mmzoo.missing_values import (
    label_array,
    missing_digests,
    missing_label_notes,
    missing_notes,
    require_monitored,
    require_present,
)
from mmzoo.modalities import Input
from mmzoo.modalities.abilities import HasCoverage, HasText
from mmzoo.modalities.run_encoder import RunEncoder
from mmzoo.modalities.scan import Files
from mmzoo.shared_encoders import copy_fitted_from, encoder_owner

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Arrays:
    """Model-ready arrays: token ids, normalized numbers, images, files to decode, labels.

    A missing label is -1 or NaN. A missing input has a placeholder value, and False in its presence
    mask.
    """

    splits: Mapping[str, Mapping[str, np.ndarray]]
    """Split -> name from `Config.columns` or `Config.presence` -> array; all arrays of a split have
    the same number of rows."""
    frame: Frame
    """Names and splits of the rows, without their data."""

    @property
    def name(self) -> str:
        return self.frame.name

    @property
    def fingerprint(self) -> str:
        return self.frame.fingerprint

    @property
    def fallback_for(self) -> str | None:
        return self.frame.fallback_for

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        return self.frame.skipped

    @property
    def row_names(self) -> dict[str, np.ndarray]:
        """Split -> names of its rows, str or int64 `[rows]`; empty if rows have no names."""
        return self.frame.row_names

    def examples(self, split: str) -> int:
        """Number of rows of a split."""
        return len(next(iter(self.splits[split].values())))

    def row_name(self, split: str, row: int) -> str:
        """Name of a row of a split, for messages."""
        return self.frame.row_name(int(self.frame.rows[split][row]))


def load_frame(config: Config, others: Mapping[str, ColumnSpec] = MappingProxyType({})) -> Frame:
    """Reads the source and scans it: files are probed, cells parsed, texts tokenized.

    Rows that cannot be used raise an error or are dropped, by the source's `on_bad_row`: they are
    never drawn into a split. So are duplicates in two splits of a table, by `on_duplicate`. The
    contents of the files become part of the fingerprint.

    Args:
        config: names the columns.
        others: columns to read besides those of the inputs and heads.

    Raises:
        DataError: the data cannot be read, or parts of it cannot be used.
    """
    policy = config.source.on_bad_row
    columns = {**others, **config.required_columns()}
    frame = config.source.read(columns, config.train.effective_split_seed)
    frame = scan(config, frame)
    frame = resolve_duplicates(config, apply_on_bad_row(frame, policy))
    require_present(frame, config.presence)
    return with_missing_notes(config, frame)


def load_rows(
    config: Config,
    data: str | Path | InMemoryTable,
    split: str,
    *,
    labelled: bool,
    on_bad_row: OnBadRow = "error",
    others: OtherColumns = "none",
) -> Frame:
    """Reads all rows of another table or folder as one split, scanned like the source.

    Args:
        config: config of the run.
        data: the path of a table, or of a folder with one subfolder per class; or a table in
            memory.
        split: name of the split.
        labelled: whether to read the columns of the heads as well.
        on_bad_row: handling of rows that cannot be used.
        others: which columns of a table to keep, see `Frame.other_columns`.

    Raises:
        DataError: there are no rows, or a column is missing.
    """
    specs = config.required_columns(labelled=labelled)
    source = config.source
    form = source if isinstance(source, TableFormat) else None
    if not isinstance(data, Path | str):
        frame = read_rows(to_dataframe(data), specs, split, form, others=others)
    elif os.path.isdir(data):
        folder = source if isinstance(source, Folder) else Folder(path=str(data))
        frame = folder.replace(path=str(data)).rows(specs, split)
    else:
        frame = read_rows(str(data), specs, split, form, others=others)
    frame = scan(config, frame)
    try:
        frame = apply_on_bad_row(frame, on_bad_row, "give `--on-bad-row skip`")
    except DataError as error:
        # The notes may explain why values are missing, such as files that were not found.
        notes = (f"Note: {note}." for note in frame.notes)
        raise DataError("\n".join([str(error), *notes])) from None
    return with_missing_notes(config, frame)


def scan(config: Config, frame: Frame) -> Frame:
    """Scans the columns of all inputs; adds a scanned column for each, and all issues.

    Args:
        config: config with named columns.
        frame: rows of the source, with `required_columns`.

    Raises:
        DataError: a column is not of its input's modality.
    """
    scans = {
        name: spec.scan(frame, f"{name}, {_at(config, name, frame)}")
        for name, spec in config.inputs.items()
    }
    columns = [result.values.alias(scanned_column(name)) for name, result in scans.items()]
    frame = replace(frame, table=frame.table.with_columns(columns))
    issues: dict[int, tuple[str | None, str]] = {}
    for name, result in scans.items():
        issues |= {row: (config.columns[name], why) for row, why in result.issues.items()}
    frame = frame.with_issues(issues)
    if all(spec.is_optional for spec in config.inputs.values()):
        names, several = ", ".join(config.inputs), len(config.inputs) > 1
        why = (
            f"all inputs are missing ({names})"
            if several
            else f"its only input, {names}, is missing"
        )
        is_empty = pl.all_horizontal(pl.col([column.name for column in columns]).is_null())
        empty = frame.table.select(is_empty).to_series().arg_true().to_list()
        frame = frame.with_issues(dict.fromkeys(empty, (None, why)))
    content = {
        config.columns[name]: result.content
        for name, result in scans.items()
        if result.content is not None
    }
    content |= missing_digests(frame, config.presence)
    if content:
        parts = json.dumps([frame.fingerprint, content], sort_keys=True)
        frame = replace(frame, fingerprint=hashlib.sha256(parts.encode()).hexdigest())
    notes = (f"{name}: {note}" for name, result in scans.items() for note in result.notes)
    warnings = (f"{name}: {each}" for name, result in scans.items() for each in result.warnings)
    return replace(frame, notes=(*frame.notes, *notes), warnings=(*frame.warnings, *warnings))


def resolve_duplicates(config: Config, frame: Frame) -> Frame:
    """The frame after `on_duplicate`, which tables have, for rows of which all inputs are equal.

    Raises:
        DataError: there are duplicates and `on_duplicate` is error, or too few rows remain.
    """
    if not isinstance(config.source, Table):
        return frame
    keys = combined_keys([*input_keys(config, frame).values()])
    return apply_on_duplicate(frame, keys, config.source.on_duplicate)


def input_keys(config: Config, frame: Frame) -> dict[str, np.ndarray]:
    """A key of each input's values in each row: uint64 `[rows, 2]`, zeros where it is missing.

    Files have the key of their content, whatever they are called.
    """
    keys = {}
    for name, spec in config.inputs.items():
        values = frame.table[scanned_column(name)]
        if isinstance(values.dtype, pl.Struct):
            fields = values.struct.unnest()
            columns = [fields["sha256"]] if "sha256" in fields.columns else fields.get_columns()
        else:
            columns = [frame.table[column] for column in spec.source_columns()]
        keys[name] = row_keys(columns)
    return keys


def fit_config(
    config: Config, frame: Frame, reused: Preprocessing = MappingProxyType({})
) -> tuple[Config, Preprocessing]:
    """Fits inputs and heads to the training split.

    Args:
        config: config with named columns.
        frame: from `load_frame`.
        reused: the preprocessing of inputs that start from the encoder of another run, which are
            not fitted: see `reused_preprocessing`.

    Returns:
        A copy of the config with all fitted fields, and the preprocessing files of the inputs:
        vocabularies and statistics.

    Raises:
        DataError: the data does not fit the inputs or heads, or has no labels for the monitored
            metric.
    """
    train = frame.rows["train"]
    heads: dict[str, Head] = dict(config.heads)
    for name, head in config.labelled_heads.items():
        column = config.columns[name]
        names, where = frame.class_names.get(column), f"heads.{name}, {_at(config, name, frame)}"
        labels = label_array(frame, column)[train]
        labels = labels[head.labelled(labels)]
        if not len(labels):
            raise DataError(f"{where}: no training row has a label")
        heads[name] = head.fit(labels, names, where)
    require_monitored(
        config.labelled_heads, config.columns, frame, config.monitor(), config.monitorable()
    )
    config = config.replace(heads=heads)
    inputs: dict[str, Input] = {}
    preprocessing: dict[str, Files] = {}
    for name, spec in config.inputs.items():
        if encoder_owner(spec) is not None:
            continue
        if isinstance(spec.encoder, RunEncoder):
            inputs[name], preprocessing[name] = spec, reused.get(name, {})
            continue
        values = frame.values(scanned_column(name), "train")
        if name in config.presence:
            values = values.drop_nulls()
        where = f"inputs.{name}, {_at(config, name, frame)}"
        inputs[name], preprocessing[name] = spec.fit(values, where)
    for name, spec in config.inputs.items():
        if (other := encoder_owner(spec)) is not None:
            inputs[name] = copy_fitted_from(spec, inputs[other])
            preprocessing[name] = preprocessing[other]
    inputs = {name: inputs[name] for name in config.inputs}
    return config.replace(inputs=inputs), preprocessing


def transform(config: Config, frame: Frame, preprocessing: Preprocessing) -> Arrays:
    """Transforms scanned columns to model-ready arrays: text to token ids, numbers normalized.

    Args:
        config: fitted config.
        frame: from `load_frame` or `load_rows`.
        preprocessing: from `fit_config`.

    Raises:
        DataError: labels do not fit a head.
    """
    _check_labels(config, frame)
    splits: dict[str, dict[str, np.ndarray]] = {split: {} for split in frame.splits}
    for name in config.labelled_heads:
        column = config.columns[name]
        if column in frame.table.columns:  # Rows for prediction have no labels.
            labels = label_array(frame, column)
            for split, rows in frame.rows.items():
                splits[split][column] = labels[rows]
    for name, spec in config.inputs.items():
        where = f"inputs.{name}, {_at(config, name, frame)}"
        values = {split: frame.values(scanned_column(name), split) for split in frame.splits}
        transformed = {
            split: spec.transform(of_split, preprocessing.get(name, {}), f"{where}, {split}")
            for split, of_split in values.items()
        }
        if isinstance(spec, HasCoverage) and (note := spec.coverage_note(values, transformed)):
            logger.info(f"{where}: {note}.")
        for split, of_split in values.items():
            splits[split][config.columns[name]] = transformed[split]
            if name in config.presence:
                splits[split][config.presence[name]] = of_split.is_not_null().to_numpy()
    return Arrays(splits, frame.only_rows())


def missing_mask(config: Config, name: str, columns: Mapping[str, np.ndarray]) -> list[bool]:
    """Whether an input is missing, for each row of a split's arrays."""
    if name not in config.presence:
        return [False] * len(columns[config.columns[name]])
    return (~columns[config.presence[name]]).tolist()


def as_text(
    config: Config, name: str, columns: Mapping[str, np.ndarray], preprocessing: Preprocessing
) -> list[str]:
    """The values of a `HasText` input, for each row of a split's arrays, as text."""
    spec = config.inputs[name]
    assert isinstance(spec, HasText)
    texts = spec.to_texts(columns[config.columns[name]], preprocessing.get(name, {}))
    missing = missing_mask(config, name, columns)
    return [
        "(absent)" if is_missing else text for is_missing, text in zip(missing, texts, strict=True)
    ]


def with_missing_notes(config: Config, frame: Frame) -> Frame:
    """Adds notes on missing inputs and labels to the frame."""
    inputs = missing_notes(frame, config.presence)
    labels = missing_label_notes(config.labelled_heads, config.columns, frame)
    return replace(frame, notes=(*frame.notes, *inputs, *labels))


def _check_labels(config: Config, frame: Frame) -> None:
    """Raises a DataError if labels do not fit a fitted head."""
    for name, head in config.labelled_heads.items():
        column = config.columns[name]
        if column not in frame.table.columns:
            continue
        labels = label_array(frame, column)
        for split, rows in frame.rows.items():
            values = labels[rows]
            where = f"{name}, {_at(config, name, frame)}, {split}"
            head.check(values[head.labelled(values)], where)


def _at(config: Config, name: str, frame: Frame) -> str:
    """Columns of an input or head, for errors."""
    part = config.inputs.get(name)
    columns = part.source_columns() if part else (config.columns[name],)
    if len(columns) > 1:
        return f"columns '{columns[0]}' to '{columns[-1]}' of {frame.name}"
    return f"column '{columns[0]}' of {frame.name}"
