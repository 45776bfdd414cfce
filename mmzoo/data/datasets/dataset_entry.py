"""Entries of the data set registry: origin, files, columns and reader of a named data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mmzoo.data.frame import Splits

Kind = Literal["image", "file", "text", "number", "class"]
"""The content of a column: uint8 images, absolute paths of files, texts, numbers, or class ids."""

SUMS = "SHA256SUMS"
"""The file with the sha256 of media files, in the format of `sha256sum`."""


@dataclass(frozen=True)
class OfficialFile:
    """A file as its authors published it."""

    name: str
    size: int
    """Size in bytes."""
    sha256: str


@dataclass(frozen=True)
class NamedSet:
    """A public data set: its origin, its content and the reader of its files."""

    name: str
    description: str
    homepage: str
    licence: str
    citation: str
    examples: dict[str, int]
    """Official split -> number of examples."""
    classes: dict[str, tuple[str, ...]]
    """Target column of classes -> class names. Sampled splits are stratified by the first."""
    read: Callable[[Mapping[str, Path]], Splits]
    """Reader: file name -> path to the official splits, with all columns. It may add `name`, the
    names of rows. If there are `folds`, it adds `fold`, counted from 0."""
    files: tuple[OfficialFile, ...] = ()
    """The files to download; empty for data sets bundled with a package."""
    mirrors: tuple[str, ...] = ()
    """URLs of folders with the files, in the order to try them; empty if there are `archives`."""
    inputs: Mapping[str, Kind] = field(default_factory=lambda: {"image": "image"})
    """Input column -> its content."""
    numbers: tuple[str, ...] = ()
    """The target columns of numbers."""
    folds: int | None = None
    """Number of official cross-validation folds of the training examples."""
    groups: str | None = None
    """The column whose equal values stay in one split, such as the image of several questions."""
    folder: str | None = None
    """The folder of its files in a data directory; by default the data set's name."""
    alternatives: tuple[OfficialFile, ...] = ()
    """Other files with the same examples, used if they are available and `files` are not."""
    media: tuple[str, ...] = ()
    """Folders of media files next to `files`, each file listed in `SHA256SUMS`."""
    archives: tuple[str, ...] = ()
    """URLs of the authors' archives that `files` are built from, in the order to try them, if
    `files` themselves are not published."""
    build: Callable[[Path], dict[str, bytes]] | None = None
    """Builder: folder of an unpacked archive -> name -> content of all files and media."""

    @property
    def bundled(self) -> bool:
        """Whether it is bundled with an installed package."""
        return not self.files

    @property
    def repository(self) -> str | None:
        """The repository that the files are built from; None if there are no `archives`."""
        return self.archives[-1].partition("/archive/")[0] if self.archives else None

    @property
    def folder_name(self) -> str:
        """The folder of its files in a data directory."""
        return self.folder or self.name

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(file.size for file in self.files)

    @property
    def columns(self) -> dict[str, Literal["input", "target"]]:
        """Column -> whether it is an input or a target, inputs first."""
        targets = (*self.classes, *self.numbers)
        return {**dict.fromkeys(self.inputs, "input"), **dict.fromkeys(targets, "target")}

    @property
    def kinds(self) -> dict[str, Kind]:
        """Column -> its content."""
        return {
            **self.inputs,
            **dict.fromkeys(self.classes, "class"),
            **dict.fromkeys(self.numbers, "number"),
        }

    @property
    def has_only_images(self) -> bool:
        """Whether its inputs are images only, so that other images may replace them."""
        return set(self.inputs.values()) == {"image"}


@dataclass(frozen=True)
class CombinedSet:
    """A data set that a source of its own combines from the examples of named data sets."""

    name: str
    """The name, which is also the `type` of the source."""
    description: str
    citation: str
    parts: tuple[NamedSet, ...]
    """The data sets that it is combined from; it needs no other files."""
    examples: dict[str, int]
    """Split -> default number of examples."""
    inputs: Mapping[str, Kind]
    """Input column -> its content."""
    classes: dict[str, tuple[str, ...]]
    """Target column -> class names."""

    @property
    def licence(self) -> str:
        """The licences of all parts."""
        return "; ".join(f"{part.name}: {part.licence}" for part in self.parts)

    @property
    def homepage(self) -> str:
        """The homepages of all parts."""
        return " and ".join(part.homepage for part in self.parts)

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(part.size for part in self.parts)

    @property
    def columns(self) -> dict[str, Literal["input", "target"]]:
        """Column -> whether it is an input or a target, inputs first."""
        return {**dict.fromkeys(self.inputs, "input"), **dict.fromkeys(self.classes, "target")}

    @property
    def kinds(self) -> dict[str, Kind]:
        """Column -> its content."""
        return {**self.inputs, **dict.fromkeys(self.classes, "class")}
