"""What mmzoo knows of a named data set, before a byte of it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mmzoo.sources.data import Splits


@dataclass(frozen=True)
class OfficialFile:
    """One file as its authors published it, under the name they gave it."""

    name: str
    size: int
    """In bytes."""
    sha256: str


@dataclass(frozen=True)
class NamedSet:
    """A public data set: where it comes from, what is in it, and how its files are read.

    Its inputs are one column, `image`; its targets are the columns of `classes`.
    """

    name: str
    description: str
    homepage: str
    licence: str
    citation: str
    examples: dict[str, int]
    """Of each official split."""
    classes: dict[str, tuple[str, ...]]
    """Of each target column, its class names; splits are stratified by the first."""
    files: tuple[OfficialFile, ...]
    """Empty where the set comes with an installed package."""
    mirrors: tuple[str, ...]
    """Addresses of folders that hold the files, asked in this order."""
    read: Callable[[Mapping[str, Path]], Splits]
    """From the path of each file to the official splits, all columns."""

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(file.size for file in self.files)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, inputs first."""
        return ("image", *self.classes)
