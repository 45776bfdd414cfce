"""Unopened and opened: a column before an input looks into it, and what it makes of it then."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from mmzoo.lazy import np


@dataclass(frozen=True)
class Unopened:
    """A column as it was gathered from a source, and how far it is to be looked into."""

    values: Mapping[str, np.ndarray]
    """Split -> the column."""
    bad: Mapping[str, Collection[int]] = field(default_factory=dict)
    """Split -> rows that are known to be bad, whose files must not be opened."""
    decode: bool = False
    """Whether to find also what only decoding finds, which takes a pass over all files."""

    def known_bad(self, split: str) -> Collection[int]:
        """The rows of a split that are known to be bad."""
        return self.bad.get(split, ())


@dataclass(frozen=True)
class Opened:
    """A column of a source, looked into: arrays as they are, files as what must be known of them.

    A column of files has become bytes `[examples, parts]`, the first part being the path and the
    last a sha256 of what is in the file. Such a column can be cut, drawn from and given to
    TensorFlow like any other. Where an example has no file, the path is empty.
    """

    values: Mapping[str, np.ndarray]
    """Split -> the column."""
    bad: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    """Split -> row -> why its file cannot be read, as a clause."""
    content: str | None = None
    """sha256 of what is in all files that can be read, in order; None where there are no files."""
    notes: tuple[str, ...] = ()
    """Sentences that the user should see."""


def are_files(values: np.ndarray) -> bool:
    """Whether an opened column holds files that are yet to be decoded."""
    return values.dtype.kind == "S"


def has_file(files: np.ndarray) -> np.ndarray:
    """Which examples of an opened column of files have one: bool `[examples]`."""
    return files[:, 0] != b""
