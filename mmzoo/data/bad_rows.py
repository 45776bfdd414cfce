"""Bad rows: the field `on_bad_row` of sources, which raises an error or drops and records them."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from mmzoo.data.frame import Frame, OnBadRow, Skipped
from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.spec.wording import escape

_MAX_NAMED = 10
"""Most rows that a message names; a folder may hold thousands of files that are not images."""
_UNKNOWN_CLASS = re.compile(
    r"its `(.+)` has (class|label) '(.+)', expected one of the (.+)", re.DOTALL
)
"""The reason of `encode_names`: column, class or label, its name, and the known ones."""
_SKIP_IN_CONFIG = "write `on_bad_row: skip` into the config's source"
_USE = {"file": "read", "row": "used"}
_FIX = {"file": "Replace", "row": "Fix"}


def apply_on_bad_row(frame: Frame, on_bad_row: OnBadRow, skip_hint: str = _SKIP_IN_CONFIG) -> Frame:
    """The frame without its bad rows, which no sampled split has.

    Args:
        frame: A frame with all its issues.
        on_bad_row: Whether bad rows are an error or dropped.
        skip_hint: How to skip bad rows, for the error.

    Raises:
        DataError: There are bad rows and `on_bad_row` is "error", or dropping them would empty a
            split or a class.
    """
    if frame.issues.is_empty():
        return frame
    if on_bad_row == "skip":
        return drop_bad_rows(frame.assign_again())
    rows = bad_rows(frame)
    _refuse_other_classes(frame, rows, skip_hint)
    raise bad_rows_error(frame.name, rows, frame.rows_are, skip_hint)


def drop_bad_rows(frame: Frame) -> Frame:
    """The frame without its bad rows, which are listed in `Frame.skipped`.

    The fingerprint depends on which rows were dropped.

    Raises:
        DataError: A split would be empty, or a class would have no training rows.
    """
    bad = frame.issues["row"].to_numpy()
    rows = bad_rows(frame)
    _refuse_other_classes(frame, rows)
    dropped = {
        split: np.flatnonzero(np.isin(rows, bad)).tolist() for split, rows in frame.rows.items()
    }
    for split, indices in dropped.items():
        if len(indices) == frame.examples(split):
            listed = _listed([row for row in rows if row.split == split])
            raise DataError(
                f"{frame.name}: the {split} split would be empty, as none of its "
                f"{frame.rows_are}s can be {_USE[frame.rows_are]}:\n{listed}\n"
                f"{_FIX[frame.rows_are]} some of them."
            )
    # Rows for a trained model need not have every class.
    for column, names in frame.class_names.items() if "train" in frame.splits else ():
        _require_all_classes(frame, column, names)
    content = json.dumps([frame.fingerprint, dropped])
    return replace(
        frame.drop(bad.tolist()),
        fingerprint=hashlib.sha256(content.encode()).hexdigest(),
        notes=(*frame.notes, *_notes(frame, dropped)),
        skipped=(*frame.skipped, *rows),
    )


def _refuse_other_classes(
    frame: Frame, rows: Sequence[Skipped], skip_hint: str | None = None
) -> None:
    """Raises a DataError if most rows have classes that are not known: it is the wrong table.

    So does a folder whose only bad files are those of unknown classes, unless they are skipped.
    """
    found = [_UNKNOWN_CLASS.fullmatch(row.reason) for row in rows]
    unknown = [one for one in found if one]
    total = sum(map(frame.examples, frame.splits))
    is_folder = frame.rows_are == "file"
    is_most = 2 * len(unknown) > total and len(unknown) > 1
    is_all = skip_hint is not None and is_folder and len(unknown) == len(rows)
    if not is_most and not is_all:
        return
    [((column, what, expected), _)] = Counter(one.group(1, 2, 4) for one in unknown).most_common(1)
    names = [*dict.fromkeys(one[3] for one in unknown)]
    listed = ", ".join(f"'{name}'" for name in names[:_MAX_NAMED])
    more = f" and {len(names) - _MAX_NAMED:,} more" if len(names) > _MAX_NAMED else ""
    fix = f": is this the right {'folder' if is_folder else 'table'}?"
    if not is_most:
        fix = f". Remove the others, or {skip_hint} to go on without them."
    raise DataError(
        f"{frame.name}: {len(unknown):,} of {total:,} {frame.rows_are}s have an unknown {what} in "
        f"`{column}`: {listed}{more}. Expected the {expected}{fix}"
    )


def bad_rows(frame: Frame) -> tuple[Skipped, ...]:
    """The rows that have issues, split by split."""
    issues = frame.found_issues()
    return tuple(
        Skipped(escape(frame.row_name(row)), split, issues[row][1])
        for split, rows in frame.rows.items()
        for row in rows.tolist()
        if row in issues
    )


def bad_rows_error(
    where: str,
    rows: Sequence[Skipped],
    rows_are: Literal["file", "row"] = "file",
    skip_hint: str = _SKIP_IN_CONFIG,
) -> DataError:
    """The error for bad rows, which lists the first of them and says how to fix or skip them.

    Args:
        where: The name of the data.
        rows: One bad row or more.
        rows_are: Whether the rows are files or rows of a table.
        skip_hint: How to skip bad rows.
    """
    one = len(rows) == 1
    them = "it" if one else "them"
    return DataError(
        f"{where}: {len(rows):,} {rows_are}{'' if one else 's'} cannot be {_USE[rows_are]}:\n"
        f"{_listed(rows)}\n"
        f"{_FIX[rows_are]} or remove {them}, or {skip_hint} to go on without {them}."
    )


def _listed(rows: Sequence[Skipped]) -> str:
    lines = [f"  {row.file}: {row.reason}" for row in rows[:_MAX_NAMED]]
    if len(rows) > _MAX_NAMED:
        lines.append(f"  and {len(rows) - _MAX_NAMED:,} more")
    return "\n".join(lines)


def _require_all_classes(frame: Frame, column: str, names: Sequence[str]) -> None:
    """Raises a DataError if all training rows of a class have issues."""
    train = frame.rows["train"]
    good = np.setdiff1d(train, frame.issues["row"].to_numpy())
    has, remains = (
        classes_present(frame.table[column].gather(rows), len(names)) for rows in (train, good)
    )
    if len(lost := np.flatnonzero(has & ~remains)):
        values = frame.table[column].gather(train)
        is_lost = values == lost[0] if values.dtype.is_integer() else values.arr.get(lost[0]) == 1
        rows = train[is_lost.fill_null(False).to_numpy()]
        raise DataError(
            f"{frame.name}: none of the {len(rows):,} training {frame.rows_are}s of class "
            f"'{escape(names[lost[0]])}' can be {_USE[frame.rows_are]}, such as "
            f"{escape(frame.row_name(int(rows[0])))}. "
            f"{_FIX[frame.rows_are]} some of them, or remove the class."
        )


def classes_present(values: pl.Series, classes: int) -> np.ndarray:
    """Which classes occur among class ids or multi-hot labels: bool `[classes]`."""
    present = values.drop_nulls()
    if present.dtype.is_integer():
        return np.isin(np.arange(classes), present.unique().to_numpy())
    return np.any(present.to_numpy() > 0, axis=0) if len(present) else np.zeros(classes, bool)


def _notes(frame: Frame, dropped: dict[str, list[int]]) -> Iterator[str]:
    for split, indices in dropped.items():
        if indices:
            rows = frame.rows[split][indices].tolist()
            names = ", ".join(escape(frame.row_name(row)) for row in rows[:3])
            more = f" and {len(rows) - 3:,} more" if len(rows) > 3 else ""
            yield (
                f"{frame.name}: skipped {len(rows):,} of {frame.examples(split):,} {split} "
                f"examples that cannot be {_USE[frame.rows_are]}: {names}{more}"
            )
