"""What readers of word vectors take and give, whatever the format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmzoo.errors import DataError

if TYPE_CHECKING:
    import numpy as np

Places = Mapping[bytes, int]
"""The words that are looked for, in UTF-8, each with its place in the vocabulary."""


@dataclass(frozen=True)
class Entry:
    """One word of a file.

    Attributes:
        place: where the word is in the vocabulary.
        vector: float `[dim]`.
        where: the line, byte or row of the file.
    """

    place: int
    vector: np.ndarray
    where: str


Entries = Iterator[Entry]


def damaged(path: Path, where: str, problem: str) -> DataError:
    """What is said of a file that is not as its format wants it."""
    return DataError(f"word vectors: {path}, {where}: {problem}")


def other_width(path: Path, width: int, dim: int) -> DataError:
    """What is said of vectors that are too narrow or too wide."""
    return DataError(
        f"word vectors: {path} has vectors of {width} numbers, expected {dim}, which is the "
        f"encoder's `dim`: set `dim: {width}`, or take another file"
    )
