"""What mmzoo knows of a named data set, before a byte of it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mmzoo.sources.data import Splits

Kind = Literal["image", "file", "text", "number", "class"]
"""What a column holds: uint8 pictures, absolute paths of files, texts, numbers, or classes."""

SUMS = "SHA256SUMS"
"""The file that lists the sha256 of others beside it, as `sha256sum` writes it."""


@dataclass(frozen=True)
class OfficialFile:
    """One file, known by its bytes, under the name that whoever published it gave it."""

    name: str
    size: int
    """In bytes."""
    sha256: str


@dataclass(frozen=True)
class NamedSet:
    """A public data set: where it comes from, what is in it, and how its files are read."""

    name: str
    description: str
    homepage: str
    licence: str
    citation: str
    examples: dict[str, int]
    """Of each official split."""
    classes: dict[str, tuple[str, ...]]
    """Of each target column of classes, their names; splits are stratified by the first."""
    files: tuple[OfficialFile, ...]
    """Empty where the set comes with an installed package."""
    mirrors: tuple[str, ...]
    """Addresses of folders that hold the files, asked in this order; none where nobody publishes
    exactly these files."""
    read: Callable[[Mapping[str, Path]], Splits]
    """From the path of each file to the official splits, all columns. Beside these it may give
    `name`, what people call each row, and must give `fold`, from 0 on, where there are `folds`."""
    inputs: Mapping[str, Kind] = field(default_factory=lambda: {"image": "image"})
    """What each input column holds."""
    numbers: tuple[str, ...] = ()
    """The target columns of numbers."""
    folds: int | None = None
    """Into how many folds its authors have dealt the training examples."""
    groups: str | None = None
    """The column whose equal values must not be in two splits, such as one picture's questions."""
    folder: str | None = None
    """The folder of its files in those of data sets; its name by default."""
    instead: tuple[OfficialFile, ...] = ()
    """Files with the very same examples, which serve where they are and `files` are not."""
    media: tuple[str, ...] = ()
    """Folders beside the files in which there are more, each listed in `SHA256SUMS`."""
    made: str = ""
    """A sentence without its full stop on what the files were made of, where they are not those of
    the authors."""

    @property
    def bundled(self) -> bool:
        """Whether it comes with an installed package."""
        return not self.files

    @property
    def place(self) -> str:
        """The folder of its files in those of data sets."""
        return self.folder or self.name

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(file.size for file in self.files)

    @property
    def columns(self) -> dict[str, Literal["input", "target"]]:
        """All columns and what each is for, inputs first."""
        targets = (*self.classes, *self.numbers)
        return {**dict.fromkeys(self.inputs, "input"), **dict.fromkeys(targets, "target")}

    @property
    def kinds(self) -> dict[str, Kind]:
        """What each column holds."""
        return {
            **self.inputs,
            **dict.fromkeys(self.classes, "class"),
            **dict.fromkeys(self.numbers, "number"),
        }

    @property
    def pictured(self) -> bool:
        """Whether its examples are pictures and nothing else, so that others may serve for them."""
        return set(self.inputs.values()) == {"image"}


@dataclass(frozen=True)
class CombinedSet:
    """A data set whose examples are made of those of named sets, by a source of its own."""

    name: str
    """Also the `type` of the source."""
    description: str
    citation: str
    parts: tuple[NamedSet, ...]
    """The sets that it is made of, whose files are all that it needs."""
    examples: dict[str, int]
    """Of each split, by default."""
    inputs: Mapping[str, Kind]
    """What each input column holds."""
    classes: dict[str, tuple[str, ...]]
    """Of each target column, the names of its classes."""

    @property
    def licence(self) -> str:
        """That of each part."""
        return "; ".join(f"{part.name}: {part.licence}" for part in self.parts)

    @property
    def homepage(self) -> str:
        """That of each part."""
        return " and ".join(part.homepage for part in self.parts)

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(part.size for part in self.parts)

    @property
    def columns(self) -> dict[str, Literal["input", "target"]]:
        """All columns and what each is for, inputs first."""
        return {**dict.fromkeys(self.inputs, "input"), **dict.fromkeys(self.classes, "target")}

    @property
    def kinds(self) -> dict[str, Kind]:
        """What each column holds."""
        return {**self.inputs, **dict.fromkeys(self.classes, "class")}
