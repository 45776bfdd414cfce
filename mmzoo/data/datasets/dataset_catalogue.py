"""Catalogue of named data sets: where each is, how to get it, and getting it by its name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

from mmzoo.data.datasets import COMBINED, NAMED, CombinedSet, NamedSet
from mmzoo.data.datasets.dataset_files import build_files, obtain
from mmzoo.directories import data_directories
from mmzoo.errors import DataError
from mmzoo.spec.wording import did_you_mean, list_choices, shorten

_FEW = 4
"""Most input columns that are listed by name; of more, only the number is given."""


@dataclass(frozen=True)
class Listing:
    """One row of `mmzoo data list`."""

    name: str
    description: str
    examples: dict[str, int]
    """Official split -> number of examples."""
    classes: dict[str, int]
    """Target column -> number of classes."""
    licence: str
    homepage: str
    citation: str
    size: int
    """Bytes to download."""
    place: Path | None
    """The folder with all of its files, by name and length; None if there is none. For a combined
    data set, the common parent of the folders of its parts."""
    bundled: bool
    """Whether it is bundled with an installed package, so that there is nothing to download."""
    repository: str | None
    """The repository that its files are built from, if they are not published."""
    parts: tuple[str, ...]
    """The names of the data sets that it is combined from."""
    how_to_get: str
    """The commands that get it, one line."""
    columns: dict[str, Literal["input", "target"]]
    """Column -> whether it is an input or a target."""

    @property
    def contents(self) -> str:
        """The splits and columns on one line; of many inputs only their number."""
        examples = ", ".join(f"{count:,} {split}" for split, count in self.examples.items())
        inputs = [column for column, use in self.columns.items() if use == "input"]
        if len(inputs) > _FEW:
            inputs = [f"{len(inputs)} inputs"]
        targets = (
            f"{column} ({self.classes[column]} classes)" if column in self.classes else column
            for column, use in self.columns.items()
            if use == "target"
        )
        return f"{examples}; {', '.join([*inputs, *targets])}"


def catalogue() -> tuple[Listing, ...]:
    """All named data sets and where they are. Reads no file and needs no network."""
    return tuple(_listing(entry, parts) for entry, parts in _sets().values())


def fetch(name: str) -> tuple[Path, ...]:
    """Downloads the missing files of a named data set, and verifies all of them.

    Args:
        name: A name in the catalogue.

    Returns:
        Its files; none if the data set is bundled with a package.

    Raises:
        DataError: There is no such data set, a file is not the official one, or no mirror serves
            it.
    """
    _, parts = _find(name)
    return tuple(path for part in parts for path in obtain(part).values())


def build(name: str, source: Path) -> tuple[Path, ...]:
    """Builds the files of a named data set in the folder for downloads, without a network.

    Args:
        name: A name in the catalogue.
        source: A clone of its authors' repository, or their archive, unpacked or not.

    Returns:
        The files, verified.

    Raises:
        DataError: There is no such data set, it is not built, or `source` is not the authors'
            repository or archive.
    """
    entry, _ = _find(name)
    if isinstance(entry, CombinedSet):
        ways = (
            f"`mmzoo data build {part.name} FOLDER`"
            if part.archives
            else f"`mmzoo data fetch {part.name}`"
            for part in entry.parts
        )
        raise DataError(
            f"{name} is combined from {' and '.join(part.name for part in entry.parts)}: use "
            f"{' and '.join(ways)}."
        )
    if not entry.archives:
        raise DataError(f"{name} need not be built: {_how_to_get(entry)}.")
    build_files(entry, source)
    return tuple(obtain(entry).values())


def _find(name: str) -> tuple[NamedSet | CombinedSet, tuple[NamedSet, ...]]:
    """The entry of a name, and the entries whose files it needs: itself, or its parts."""
    sets = _sets()
    if name not in sets:
        raise DataError(
            f"no data set is named '{shorten(name)}'{did_you_mean(name, sets) or '.'} "
            f"{list_choices(sets)}."
        )
    return sets[name]


def _how_to_get(entry: NamedSet | CombinedSet) -> str:
    fetching = f"`mmzoo data fetch {entry.name}`"
    if isinstance(entry, CombinedSet):
        return f"{fetching} gets {' and '.join(part.name for part in entry.parts)}"
    if entry.bundled:
        return "it comes with scikit-learn, nothing to download"
    if not entry.archives:
        return f"{fetching} downloads {max(entry.size / 1e6, 0.1):,.1f} MB"
    return (
        f"{fetching}, or `mmzoo data build {entry.name} FOLDER` with a clone or an archive of "
        f"{entry.repository}"
    )


def _sets() -> dict[str, tuple[NamedSet | CombinedSet, tuple[NamedSet, ...]]]:
    """Name -> entry, and the entries whose files it needs: itself, or the parts it combines."""
    return {
        **{name: (named, (named,)) for name, named in NAMED.items()},
        **{name: (combined, combined.parts) for name, combined in COMBINED.items()},
    }


def _listing(entry: NamedSet | CombinedSet, parts: Sequence[NamedSet]) -> Listing:
    places = [_find_folder(part) for part in parts]
    return Listing(
        name=entry.name,
        description=entry.description,
        examples=entry.examples,
        classes={column: len(names) for column, names in entry.classes.items()},
        licence=entry.licence,
        homepage=entry.homepage,
        citation=entry.citation,
        size=entry.size,
        place=None if None in places else Path(os.path.commonpath(filter(None, places))),
        bundled=all(part.bundled for part in parts),
        repository=entry.repository if isinstance(entry, NamedSet) else None,
        parts=tuple(part.name for part in parts) if isinstance(entry, CombinedSet) else (),
        how_to_get=_how_to_get(entry),
        columns=entry.columns,
    )


def _find_folder(named: NamedSet) -> Path | None:
    folders = [directory / named.folder_name for directory in data_directories()]
    for folder, files in product(folders, filter(None, (named.files, named.alternatives))):
        has_files = all(_has_length(folder / file.name, file.size) for file in files)
        if has_files and all((folder / media).is_dir() for media in named.media):
            return folder
    return None


def _has_length(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
