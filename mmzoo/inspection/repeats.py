"""Rows that are in the training split and in another: what was learnt by heart is no knowledge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmzoo.inputs import are_files, has_file
from mmzoo.inspection.found import Found, Repeats
from mmzoo.lazy import np, pl

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.sources import Data

_NAMED = 3
_ROWS_TOGETHER = 4_096
_EACH_ITS_OWN = 0.5
"""The share of different values from which on an input's values are meant to be unique: of 38,575
questions about pictures 107 are different, and that they come back is no leak."""
ALL = "all inputs"


def find_repeats(config: Config, data: Data, found: Found) -> None:
    """Finds validation and test rows that the training split has too, by each input and by all.

    Files are equal if their content is, whatever they are called. Of arrays 128 bits of a hash are
    compared.

    Args:
        config: with columns.
        data: opened.
        found: receives them, and warnings.
    """

    keys = {
        name: {
            split: _keys(columns[config.columns[name]]) for split, columns in data.splits.items()
        }
        for name in config.inputs
    }
    together = keys
    if len(keys) > 1:
        together = {
            **keys,
            ALL: {
                split: np.concatenate([of[split] for of in keys.values()], axis=1)
                for split in data.splits
            },
        }
    for name, of in together.items():
        is_own = _distinct(of["train"]) >= _EACH_ITS_OWN * len(of["train"])
        for split in data.splits:
            if split == "train":
                continue
            repeats = _repeats(data, of, split)
            if repeats is None:
                continue
            found.repeats.setdefault(name, {})[split] = repeats
            if is_own or name == ALL:
                _warn(name, split, repeats, found)


def _warn(name: str, split: str, repeats: Repeats, found: Found) -> None:
    mine, other = repeats.pairs[0]
    where = name if name == ALL else f"inputs.{name}"
    what = "row is" if repeats.rows == 1 else "rows are"
    found.warnings.append(
        f"{where}: {repeats.rows:,} {split} {what} in train too ({100 * repeats.share:.1f} %), "
        f"such as {mine}, which is {other}: {split} figures will be too good"
    )


def _repeats(data: Data, keys: dict[str, np.ndarray], split: str) -> Repeats | None:

    train, other = _records(keys["train"]), _records(keys[split])
    order = np.argsort(train, kind="stable")
    place = np.searchsorted(train, other, sorter=order)
    place = np.minimum(place, len(train) - 1)
    first = order[place]
    rows = np.flatnonzero((train[first] == other) & keys[split].any(axis=1))
    if not len(rows):
        return None
    pairs = tuple(
        (data.row_name(split, int(row)), data.row_name("train", int(first[row])))
        for row in rows[:_NAMED]
    )
    return Repeats(len(rows), len(rows) / max(1, len(other)), pairs)


def _distinct(keys: np.ndarray) -> int:

    return len(np.unique(_records(keys)))


def _records(keys: np.ndarray) -> np.ndarray:
    """Rows of numbers as one value each, which can be sorted and compared."""

    keys = np.ascontiguousarray(keys)
    return keys.view([(f"k{place}", keys.dtype) for place in range(keys.shape[1])])[:, 0]


def _keys(values: np.ndarray) -> np.ndarray:
    """Two numbers for each row, equal where rows are: uint64 `[rows, 2]`; 0 for what is missing."""

    if are_files(values):
        digests = pl.Series(values[:, -1].tolist(), dtype=pl.Binary)
        return _hashed(digests.set(pl.Series(~has_file(values)), None))
    if values.dtype.kind == "O" and values.ndim == 1:
        return _hashed(pl.Series([None if value is None else str(value) for value in values]))
    if values.dtype.names:
        parts = [_keys(values[name]) for name in values.dtype.names]
        return _mixed(np.concatenate(parts, axis=1))
    if values.dtype.kind == "f":
        # 0 and -0 are equal and differ in their bytes, and so may missing numbers.
        values = np.where(np.isnan(values), np.nan, values + 0.0)
    flat = np.ascontiguousarray(values).reshape(len(values), -1)
    parts = [
        _mixed(_as_numbers(flat[start : start + _ROWS_TOGETHER]))
        for start in range(0, len(flat), _ROWS_TOGETHER)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, 2), np.uint64)


def _as_numbers(rows: np.ndarray) -> np.ndarray:
    """The bytes of each row as uint64 `[rows, ...]`."""

    width = rows.shape[1] * rows.dtype.itemsize
    padded = np.zeros((len(rows), -(-width // 8) * 8), np.uint8)
    padded[:, :width] = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), width)
    return padded.view(np.uint64)


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """Two sums of each row's numbers, weighed by random odd ones, that differ where rows do."""

    random = np.random.RandomState(0)
    weights = random.randint(0, 2**63, (numbers.shape[1], 2), dtype=np.int64).astype(np.uint64)
    # A sum alone would let the high bits of a number touch nothing but high bits.
    mixed = numbers ^ (numbers >> np.uint64(32))
    return mixed @ (weights * np.uint64(2) + np.uint64(1))


def _hashed(values: object) -> np.ndarray:

    assert isinstance(values, pl.Series)
    there = values.is_not_null().to_numpy()
    hashes = [values.hash(seed).to_numpy() for seed in (1, 2)]
    return np.stack(hashes, axis=1) * there[:, None].astype(np.uint64)
