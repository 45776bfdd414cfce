"""Duplicates: rows with equal inputs in two splits, a leakage that inflates metrics.

`train` applies `on_duplicate` to rows of which all inputs are equal; `check` reports those, and
files and texts that repeat. Both compare 128-bit keys of the scanned data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mmzoo.data.bad_rows import classes_present
from mmzoo.data.column_types import one_spelling
from mmzoo.data.frame import Frame, to_array
from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.spec.wording import shorten

OnDuplicate = Literal["warn", "error", "drop"]

_NAMED = 3
"""Most rows that a message names."""
_CHUNK = 4_096
"""Rows that are hashed at a time."""
_PAIRS = (("train", "test"), ("train", "validation"), ("validation", "test"))
"""Pairs of splits; duplicates are dropped from the first of a pair."""


@dataclass(frozen=True)
class Duplicates:
    """Rows of one split with equal rows in another split."""

    split: str
    other: str
    rows: np.ndarray
    """int64 `[duplicates]`, ascending: rows of `split`."""
    matches: np.ndarray
    """int64 `[duplicates]`: for each, the first row of `other` that is equal."""


def apply_on_duplicate(frame: Frame, keys: np.ndarray, on_duplicate: OnDuplicate) -> Frame:
    """The frame with a note on duplicates, or without them.

    Args:
        frame: Rows without issues.
        keys: uint64 `[rows, 2]`, the key of all inputs of a row.
        on_duplicate: What to do about rows in two splits.

    Raises:
        DataError: There are duplicates and `on_duplicate` is error; or dropping them leaves a split
            without rows, or a class without training rows.
    """
    found = []
    for split, other in _PAIRS:
        if split in frame.rows and other in frame.rows:
            mine, others = frame.rows[split], frame.rows[other]
            rows, matches = matching_rows(keys[mine], keys[others])
            if len(rows):
                found.append(Duplicates(split, other, mine[rows], others[matches]))
    if not found:
        return frame
    clauses = [_clause(one, frame.row_name) for one in found]
    if on_duplicate == "error":
        raise DataError(
            f"{frame.name}: rows with the same inputs are in two splits:\n  "
            + "\n  ".join(clauses)
            + "\nRemove them, or write `on_duplicate: drop` into the config's source to drop them "
            "from the split that is nearer to training."
        )
    if on_duplicate == "warn":
        note = (
            f"{frame.name}: rows with the same inputs are in two splits, so scores may be too "
            f"good: {'; '.join(clauses)}. `on_duplicate: drop` drops them"
        )
        return replace(frame, notes=(*frame.notes, note))
    dropped = np.unique(np.concatenate([one.rows for one in found]))
    _check_remaining(frame, dropped, found)
    content = json.dumps([frame.fingerprint, dropped.tolist()])
    note = f"{frame.name}: dropped rows whose inputs are in a later split too: {'; '.join(clauses)}"
    return replace(
        frame.drop(dropped.tolist()),
        fingerprint=hashlib.sha256(content.encode()).hexdigest(),
        notes=(*frame.notes, note),
    )


def _check_remaining(frame: Frame, dropped: np.ndarray, found: Sequence[Duplicates]) -> None:
    for one in found:
        if np.isin(frame.rows[one.split], dropped).all():
            raise DataError(
                f"{frame.name}: its {one.split} split is empty after dropping duplicates, as "
                f"{one.other} has all of its rows too."
            )
    train = np.setdiff1d(frame.rows["train"], dropped)
    for column, names in frame.class_names.items():
        before, after = (
            classes_present(frame.table[column].gather(rows), len(names))
            for rows in (frame.rows["train"], train)
        )
        if len(lost := np.flatnonzero(before & ~after)):
            raise DataError(
                f"{frame.name}: class '{shorten(names[lost[0]])}' has no training row after "
                "dropping duplicates, as later splits have all of them too. Remove some of those, "
                "or write `on_duplicate: warn` into the config's source."
            )


def matching_rows(keys: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows whose key is among others, and for each the first row of the others that has it.

    Args:
        keys: uint64 `[rows, 2]`; a key of zeros is that of a missing value and matches nothing.
        other: uint64 `[other rows, 2]`.
    """
    mine, others = (
        pl.DataFrame({"a": one[:, 0], "b": one[:, 1]}).with_row_index("row")
        for one in (keys, other)
    )
    mine = mine.filter((pl.col("a") != 0) | (pl.col("b") != 0))
    first = others.unique(["a", "b"], keep="first", maintain_order=True)
    pairs = mine.join(first, on=["a", "b"]).sort("row")
    return pairs["row"].cast(pl.Int64).to_numpy(), pairs["row_right"].cast(pl.Int64).to_numpy()


def distinct_count(keys: np.ndarray) -> int:
    """The number of different keys in uint64 `[rows, 2]`."""
    return pl.DataFrame({"a": keys[:, 0], "b": keys[:, 1]}).n_unique()


def row_keys(columns: Sequence[pl.Series]) -> np.ndarray:
    """A key of 128 bits for each row: uint64 `[rows, 2]`, zeros where all columns are null.

    Strings are equal however they are spelled, see `column_types.one_spelling`.
    """
    cells = [
        one_spelling(column.str.strip_chars()) if column.dtype == pl.String else column
        for column in columns
        if not column.dtype.is_nested()
    ]
    keys = [array_keys(to_array(one)) for one in columns if one.dtype.is_nested()]
    if cells:
        frame = pl.DataFrame([cell.alias(str(index)) for index, cell in enumerate(cells)])
        is_empty = frame.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
        hashes = [frame.hash_rows(seed).to_numpy() for seed in (1, 2)]
        keys.append(np.stack(hashes, axis=1) * ~is_empty[:, None])
    return combined_keys(keys)


def combined_keys(keys: Sequence[np.ndarray]) -> np.ndarray:
    """Keys of rows that have several parts, such as several inputs; zeros if all parts are."""
    return keys[0] if len(keys) == 1 else array_keys(np.concatenate(keys, axis=1))


def array_keys(values: np.ndarray) -> np.ndarray:
    """A key of 128 bits for each row of an array: uint64 `[rows, 2]`, zeros for None and for zeros.

    Args:
        values: `[rows, ...]` of numbers or dates, `[rows]` of objects or of structs.
    """
    if values.dtype.kind == "O" and values.ndim == 1:
        texts = [None if value is None else str(value) for value in values]
        return row_keys([pl.Series(texts, dtype=pl.String)])
    if values.dtype.names:
        parts = [array_keys(values[name]) for name in values.dtype.names]
        return _mixed(np.concatenate(parts, axis=1))
    if values.dtype.kind == "f":
        # 0 and -0 are equal and differ in their bytes, and so may NaN.
        values = np.where(np.isnan(values), np.nan, values + 0.0)
    flat = np.ascontiguousarray(values).reshape(len(values), -1)
    parts = [
        _mixed(_as_uint64(flat[start : start + _CHUNK])) for start in range(0, len(flat), _CHUNK)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, 2), np.uint64)


def _as_uint64(rows: np.ndarray) -> np.ndarray:
    """The bytes of each row, padded to uint64 `[rows, ...]`."""
    width = rows.shape[1] * rows.dtype.itemsize
    padded = np.zeros((len(rows), -(-width // 8) * 8), np.uint8)
    padded[:, :width] = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), width)
    return padded.view(np.uint64)


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """Two sums of each row's numbers, weighted by random odd numbers: uint64 `[rows, 2]`."""
    random = np.random.RandomState(0)
    weights = random.randint(0, 2**63, (numbers.shape[1], 2), dtype=np.int64).astype(np.uint64)
    # A sum alone would let the high bits of a number touch nothing but high bits.
    mixed = numbers ^ (numbers >> np.uint64(32))
    return mixed @ (weights * np.uint64(2) + np.uint64(1))


def _clause(one: Duplicates, name: Callable[[int], str]) -> str:
    count = "1 row is" if len(one.rows) == 1 else f"{len(one.rows):,} rows are"
    pairs = zip(one.rows[:_NAMED].tolist(), one.matches[:_NAMED].tolist(), strict=True)
    named = ", ".join(f"{name(row)} (as {name(match)})" for row, match in pairs)
    more = f" and {len(one.rows) - _NAMED:,} more" if len(one.rows) > _NAMED else ""
    return f"{count.replace('row', f'{one.split} row', 1)} in {one.other} too: {named}{more}"
