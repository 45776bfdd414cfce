"""Where the files of named data sets are: looked for, checked, fetched, listed.

A file is `<folder>/<data set>/<file>`, under the name its authors gave it. The folders are
`MMZOO_DATA_DIR`, which may be read-only, then the user's cache.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmzoo.directories import data_directories, data_directory
from mmzoo.download import DownloadError, digest_of, download
from mmzoo.errors import DataError
from mmzoo.sources.named import NAMED, NamedSet, OfficialFile


class UnobtainableError(DataError):
    """A data set is nowhere here and cannot be downloaded. `why` is one line."""

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True)
class Listing:
    """One row of `mmzoo data list`."""

    name: str
    description: str
    examples: dict[str, int]
    """Of each official split."""
    classes: dict[str, int]
    """Of each target column, how many classes it has."""
    licence: str
    homepage: str
    citation: str
    size: int
    """Bytes to download."""
    place: Path | None
    """The folder that has all of its files, by name and length; None where none has."""
    bundled: bool
    """Comes with an installed package, so there is nothing to fetch."""


def catalogue() -> tuple[Listing, ...]:
    """Every named data set and where it is. Reads no file and needs no network."""
    return tuple(
        Listing(
            name=named.name,
            description=named.description,
            examples=named.examples,
            classes={column: len(names) for column, names in named.classes.items()},
            licence=named.licence,
            homepage=named.homepage,
            citation=named.citation,
            size=named.size,
            place=_place(named),
            bundled=not named.files,
        )
        for named in NAMED.values()
    )


def fetch(name: str, tell: Callable[[str], None]) -> tuple[Path, ...]:
    """Downloads what is missing of a named data set and checks the rest.

    Args:
        name: One of the catalogue's names.
        tell: Receives sentences on the progress.

    Returns:
        Its files; none where the set comes with an installed package.

    Raises:
        DataError: No such data set, a file that is not the official one, or no mirror gives it.
    """
    if name not in NAMED:
        near = difflib.get_close_matches(name, NAMED, n=1)
        meant = f"Did you mean `{near[0]}`? " if near else ""
        raise DataError(f"no data set is named `{name}`. {meant}There are: {', '.join(NAMED)}.")
    return tuple(obtain(NAMED[name], tell).values())


def obtain(named: NamedSet, tell: Callable[[str], None]) -> dict[str, Path]:
    """The official files of a data set by name, each checked; what is absent is downloaded.

    Raises:
        UnobtainableError: One is absent and cannot be downloaded.
        DataError: One in `MMZOO_DATA_DIR` is not the official file.
    """
    return {file.name: _obtain(named, file, tell) for file in named.files}


def _obtain(named: NamedSet, file: OfficialFile, tell: Callable[[str], None]) -> Path:
    *given, cache = (folder / named.name / file.name for folder in data_directories())
    for path in (*given, cache):
        if not os.path.exists(path):  # False too where a folder may not be entered.
            continue
        problem = _problem(path, file)
        if problem is None:
            return path
        if path in given:
            raise DataError(
                f"{path} is not the official file of {named.name}: {problem}.\n"
                f"Remove it and run `mmzoo data fetch {named.name}`, or put the right file there."
            )
        tell(f"{path} is damaged, so it is downloaded anew: {problem}")

    target = data_directory() / named.name / file.name
    urls = [f"{mirror}/{file.name}" for mirror in named.mirrors]
    try:
        download(urls, target, file.size, file.sha256, tell)
    except DownloadError as error:
        raise _unobtainable(named, file, error.reasons) from error
    return target


def _problem(path: Path, file: OfficialFile) -> str | None:
    try:
        size = path.stat().st_size
        if size != file.size:
            return f"it has {size:,} bytes, expected {file.size:,}"
        found = digest_of(path)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None if found == file.sha256 else f"its sha256 is {found}, expected {file.sha256}"


def _unobtainable(named: NamedSet, file: OfficialFile, reasons: Sequence[str]) -> UnobtainableError:
    folders = " nor in ".join(str(folder / named.name) for folder in data_directories())
    tried = "\n".join(f"  {reason}" for reason in reasons)
    return UnobtainableError(
        f"data set {named.name} cannot be had: {file.name} is not in {folders}, and no download "
        f"of it succeeded:\n{tried}\n"
        "To mend it, one of:\n"
        f"  put its official files ({named.homepage}) into {data_directory() / named.name}\n"
        f"  set MMZOO_DATA_DIR to a folder in which {named.name}/{file.name} is\n"
        f"  run `mmzoo data fetch {named.name}` where there is a network\n"
        "  add `fallback: digits` to the config's source, to do with small bundled images",
        why=f"{file.name}: {reasons[-1]}",
    )


def _place(named: NamedSet) -> Path | None:
    if not named.files:
        return None
    for folder in (directory / named.name for directory in data_directories()):
        if all(_has_length(folder / file.name, file.size) for file in named.files):
            return folder
    return None


def _has_length(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
