"""What becomes of rows that cannot be read: an error that names them, or they are left out."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.sources.data import BadRows, Data, OnBadRow, Skipped
from mmzoo.spec.wording import printable

_NAMED = 10
"""How many files a message names; a folder may hold thousands that are no pictures."""
_IN_CONFIG = "write `on_bad_row: skip` into the config's source"
_DONE = {"file": "read", "row": "used"}
_MEND = {"file": "Replace", "row": "Mend"}


def settled(data: Data, bad: BadRows, on_bad_row: OnBadRow, way_to_skip: str = _IN_CONFIG) -> Data:
    """The data once `on_bad_row` is applied to the rows that it or others found bad.

    Of a row that is bad in two ways the data's own word counts: others saw it later.

    Raises:
        DataError: There are such rows, and they are not to be skipped or nothing would be left.
    """
    bad = {split: {**bad.get(split, {}), **data.bad.get(split, {})} for split in data.splits}
    if on_bad_row == "skip":
        return without_rows(data, bad)
    rows = _skipped(data, bad)
    if rows:
        raise unreadable(data.name, rows, data.rows_are, way_to_skip)
    return data


def with_column(
    data: Data, column: str, files: np.ndarray, bad: Mapping[int, str]
) -> dict[int, str]:
    """What keeps files from being decoded, with column and file where a row is called by neither.

    Args:
        data: What the files are of.
        column: That has them.
        files: Of a split of the column, as the input opened them: bytes `[examples, parts]`, a path
            first.
        bad: Row of the split -> why its file cannot be decoded.
    """
    if data.rows_are == "file":
        return dict(bad)
    return {
        row: f"its `{column}`, {printable(os.path.basename(os.fsdecode(files[row, 0])))}: {reason}"
        for row, reason in bad.items()
    }


def without_rows(data: Data, bad: BadRows) -> Data:
    """The data without some rows, which it then lists as skipped. All others keep their order.

    The fingerprint tells which rows are gone.

    Raises:
        DataError: A split would have no rows left, or a class none to train on.
    """
    rows = _skipped(data, bad)
    if not rows:
        return data
    gone = {split: sorted(bad.get(split, ())) for split in data.splits}
    for split, numbers in gone.items():
        if len(numbers) == data.examples(split):
            listed = _listed([row for row in rows if row.split == split])
            raise DataError(
                f"{data.name}: nothing is left of its {split} split, as no {data.rows_are} of it "
                f"can be {_DONE[data.rows_are]}:\n{listed}\n{_MEND[data.rows_are]} some of them."
            )
    # Rows for a model that is trained already may lack a class.
    for column, names in data.class_names.items() if "train" in data.splits else ():
        _require_all_classes(data, column, names, gone["train"])
    told = json.dumps([data.fingerprint, gone])
    return replace(
        data,
        splits={
            split: {column: _delete(values, gone[split]) for column, values in columns.items()}
            for split, columns in data.splits.items()
        },
        row_names={split: _delete(names, gone[split]) for split, names in data.row_names.items()},
        fingerprint=hashlib.sha256(told.encode()).hexdigest(),
        notes=(*data.notes, *_notes(data, gone)),
        bad={},
        skipped=(*data.skipped, *rows),
    )


def unreadable(
    where: str,
    rows: Sequence[Skipped],
    rows_are: Literal["file", "row"] = "file",
    way_to_skip: str = _IN_CONFIG,
) -> DataError:
    """The error for rows that cannot be read: names the first of them, and the ways to mend it.

    Args:
        where: What they are of: the data's name.
        rows: One or more.
        rows_are: What to call one.
        way_to_skip: How to go on without them.
    """
    one = len(rows) == 1
    them = "it" if one else "them"
    return DataError(
        f"{where}: {len(rows):,} {rows_are}{'' if one else 's'} cannot be {_DONE[rows_are]}:\n"
        f"{_listed(rows)}\n"
        f"{_MEND[rows_are]} or remove {them}, or {way_to_skip} to go on without {them}."
    )


def _listed(rows: Sequence[Skipped]) -> str:
    lines = [f"  {row.file}: {row.reason}" for row in rows[:_NAMED]]
    if len(rows) > _NAMED:
        lines.append(f"  and {len(rows) - _NAMED:,} more")
    return "\n".join(lines)


def _skipped(data: Data, bad: BadRows) -> tuple[Skipped, ...]:
    return tuple(
        Skipped(printable(data.row_name(split, row)), split, bad[split][row])
        for split in data.splits
        for row in sorted(bad.get(split, ()))
    )


def _require_all_classes(
    data: Data, column: str, names: Sequence[str], gone: Sequence[int]
) -> None:

    classes = data.splits["train"][column]
    if classes.ndim == 2:  # Labels, of which a row can have several.
        has = classes > 0  # In rows without labels they are -1.
        lost = np.flatnonzero(has.any(axis=0) & ~np.delete(has, gone, axis=0).any(axis=0))
    else:
        # Rows without a class have the number -1.
        lost = np.setdiff1d(classes[gone], np.append(np.delete(classes, gone), -1))
    if len(lost):
        has_it = has[:, lost[0]] if classes.ndim == 2 else classes == lost[0]
        rows = np.flatnonzero(has_it)
        raise DataError(
            f"{data.name}: no {data.rows_are} of class '{printable(names[lost[0]])}' can be "
            f"{_DONE[data.rows_are]}, of {len(rows):,} to train on, such as "
            f"{printable(data.row_name('train', int(rows[0])))}. "
            f"{_MEND[data.rows_are]} some of them, or remove the class."
        )


def _notes(data: Data, gone: Mapping[str, Sequence[int]]) -> Iterator[str]:
    for split, rows in gone.items():
        if rows:
            names = ", ".join(printable(data.row_name(split, row)) for row in rows[:3])
            more = f" and {len(rows) - 3:,} more" if len(rows) > 3 else ""
            yield (
                f"{data.name}: left out {len(rows):,} of {data.examples(split):,} {split} examples "
                f"that cannot be {_DONE[data.rows_are]}: {names}{more}"
            )


def _delete(values: np.ndarray, rows: Sequence[int]) -> np.ndarray:

    # Without this, columns of splits that lose nothing would be copied.
    return np.delete(values, rows, axis=0) if rows else values
