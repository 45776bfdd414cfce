"""The road from a config's source to examples in numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from mmzoo.absence import (
    absence_notes,
    absent_rows,
    digest_of_absent,
    presence_columns,
    require_present,
    without_any,
)
from mmzoo.config import Config, Preprocessing
from mmzoo.errors import DataError
from mmzoo.heads import BaseHead, Head
from mmzoo.inputs import Files, Input, Opened, Unopened, are_files
from mmzoo.lazy import np
from mmzoo.sharing import as_the_other, shared_with
from mmzoo.sources import BadRows, Data, OnBadRow, other_rows, settled, with_column
from mmzoo.unlabelled import require_monitored, unlabelled_notes

_ABSENT = "(absent)"


def load_data(config: Config) -> Data:
    """Reads the source and opens what the inputs have of it.

    Rows that cannot be used are refused or skipped, as the source says; what is in the files of
    the others becomes part of the fingerprint.

    Raises:
        DataError: the data cannot be had, or a part of it not be read.
    """
    data = config.source.load(config.wanted(), config.train.seed_of_splits)
    data, bad = open_data(config, data, config.source.on_bad_row)
    data = settled(data, bad, config.source.on_bad_row)
    require_present(data, config.presence)
    return _told_of_lacks(config, data)


def load_rows(
    config: Config, path: str, split: str, *, labelled: bool, on_bad_row: OnBadRow = "error"
) -> Data:
    """All rows of another table or folder as one split, opened like those of the source.

    Args:
        path: a table; or a folder with one for each class.
        split: what to call the split.
        labelled: whether the heads' columns are read too.
        on_bad_row: what becomes of rows that cannot be used.

    Raises:
        DataError: there is nothing to be read, or a column is missing.
    """
    data = other_rows(path, config.wanted(labelled=labelled), config.source, split)
    data, bad = open_data(config, data, on_bad_row)
    try:
        data = settled(data, bad, on_bad_row, "give `--on-bad-row skip`")
    except DataError as error:
        # Why a row has nothing may be that there are no files where they were looked for.
        told = (f"Note: {note}." for note in data.notes)
        raise DataError("\n".join([str(error), *told])) from None
    return _told_of_lacks(config, data)


def open_data(config: Config, data: Data, on_bad_row: OnBadRow) -> tuple[Data, BadRows]:
    """A source's data, once the inputs have looked into it, and the rows they found bad.

    Args:
        data: of the source, for `wanted`.
        on_bad_row: with `skip`, every file is decoded too.
    """
    opened = {
        config.columns[name]: spec.opened(
            Unopened(
                {split: spec.gathered(columns) for split, columns in data.splits.items()},
                bad=data.bad,
                decode=on_bad_row == "skip",
            )
        )
        for name, spec in config.inputs.items()
    }
    there = {
        name: {
            split: spec.present(values)
            for split, values in opened[config.columns[name]].values.items()
        }
        for name, spec in config.inputs.items()
        if spec.may_be_absent
    }
    bad = _bad_rows(data, opened)
    if len(there) == len(config.inputs):
        bad = without_any(there, bad)
    columns = presence_columns(config.presence, there)
    return _with_opened(config, data, opened, columns), bad


def fit_config(config: Config, data: Data) -> tuple[Config, Preprocessing]:
    """The same config with everything written in that can be read off the data.

    Returns:
        The config; and what its inputs were fitted to beside that, as text files.

    Raises:
        DataError: the data does not fit the inputs or heads, or has nothing to be watched.
    """
    train = data.splits["train"]
    heads = {}
    for name, head in config.heads.items():
        column = config.columns[name]
        names, where = data.class_names.get(column), f"heads.{name}, {_at(config, name, data)}"
        labels = train[column][head.labelled(train[column])]
        if not len(labels):
            raise DataError(f"{where}: no row to train on has a label")
        heads[name] = head.fit(labels, names, where)
    require_monitored(config.heads, config.columns, data, config.monitor(), config.watchable())
    _check(config, data, {**config.inputs, **heads})
    inputs: dict[str, Input] = {}
    preprocessing: dict[str, Files] = {}
    for name, spec in config.inputs.items():
        if shared_with(spec) is not None:
            continue
        values = train[config.columns[name]]
        if name in config.presence:
            values = values[train[config.presence[name]]]
        inputs[name], preprocessing[name] = spec.fit(
            values, f"inputs.{name}, {_at(config, name, data)}"
        )
    for name, spec in config.inputs.items():
        if (other := shared_with(spec)) is not None:
            inputs[name] = as_the_other(spec, inputs[other])
            preprocessing[name] = preprocessing[other]
    inputs = {name: inputs[name] for name in config.inputs}
    return config.replace(inputs=inputs, heads=heads), preprocessing


def prepare(config: Config, data: Data, preprocessing: Preprocessing) -> Data:
    """The data as batches are made of it: texts as numbers of words, numbers normalised.

    Args:
        data: of `load_data`.
        preprocessing: what the inputs were fitted to.

    Raises:
        DataError: values do not fit an input or a head.
    """
    _check(config, data, {**config.inputs, **config.heads})
    return replace(
        data,
        splits={
            split: columns
            | {
                config.columns[name]: spec.prepared(
                    columns[config.columns[name]],
                    preprocessing.get(name, {}),
                    f"inputs.{name}, {_at(config, name, data)}, {split}",
                )
                for name, spec in config.inputs.items()
            }
            for split, columns in data.splits.items()
        },
    )


def lacking(config: Config, name: str, columns: Mapping[str, np.ndarray]) -> list[bool]:
    """Whether each row of a split's columns lacks an input."""
    if name not in config.presence:
        return [False] * len(columns[config.columns[name]])
    return (~columns[config.presence[name]]).tolist()


def as_text(
    config: Config, name: str, columns: Mapping[str, np.ndarray], preprocessing: Preprocessing
) -> list[str]:
    """The rows of prepared columns as text, of an input that is `worded`."""
    spec = config.inputs[name]
    texts = spec.written(columns[config.columns[name]], preprocessing.get(name, {}))
    absent = lacking(config, name, columns)
    return [_ABSENT if one else text for one, text in zip(absent, texts, strict=True)]


def _check(config: Config, data: Data, parts: Mapping[str, Input | Head]) -> None:
    for split, columns in data.splits.items():
        for name, part in parts.items():
            if config.columns[name] not in columns:  # Rows to predict from have no labels.
                continue
            values = columns[config.columns[name]]
            if isinstance(part, BaseHead):
                values = values[part.labelled(values)]
            part.check(values, f"{name}, {_at(config, name, data)}, {split}")


def _at(config: Config, name: str, data: Data) -> str:
    """Where in the data the values of an input or head come from, for errors."""
    part = config.inputs.get(name)
    columns = part.source_columns() if part else (config.columns[name],)
    if len(columns) > 1:
        return f"columns '{columns[0]}' to '{columns[-1]}' of {data.name}"
    return f"column '{columns[0]}' of {data.name}"


def _told_of_lacks(config: Config, data: Data) -> Data:
    absent = absence_notes(data, absent_rows(data, config.presence))
    unlabelled = unlabelled_notes(config.heads, config.columns, data)
    return replace(data, notes=(*data.notes, *absent, *unlabelled))


def _with_opened(
    config: Config,
    data: Data,
    opened: Mapping[str, Opened],
    presence: Mapping[str, Mapping[str, np.ndarray]],
) -> Data:
    """The data with opened columns and those that say which inputs are there.

    What is in their files, and what is absent, becomes part of the fingerprint.
    """
    content = {column: one.content for column, one in opened.items() if one.content is not None}
    content |= digest_of_absent(presence)
    told = json.dumps([data.fingerprint, content], sort_keys=True)
    labels = {head.column for head in config.heads.values()}
    notes = (
        f"{name}: {note}" for name in config.inputs for note in opened[config.columns[name]].notes
    )
    return replace(
        data,
        splits={
            split: {column: columns[column] for column in columns if column in labels}
            | {column: one.values[split] for column, one in opened.items()}
            | {column: there[split] for column, there in presence.items()}
            for split, columns in data.splits.items()
        },
        fingerprint=hashlib.sha256(told.encode()).hexdigest() if content else data.fingerprint,
        notes=(*data.notes, *notes),
    )


def _bad_rows(data: Data, opened: Mapping[str, Opened]) -> dict[str, dict[int, str]]:
    bad: dict[str, dict[int, str]] = {}
    for column, one in opened.items():
        for split, rows in one.bad.items():
            if are_files(one.values[split]):
                rows = with_column(data, column, one.values[split], rows)
            bad.setdefault(split, {}).update(rows)
    return bad
