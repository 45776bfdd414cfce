"""Where the files of named data sets are: looked for, checked, fetched, listed.

A file is `<folder>/<data set>/<file>`, under the name its authors gave it. The folders are
`MMZOO_DATA_DIR`, which may be read-only, then the user's cache.
"""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

from mmzoo.directories import data_directories, data_directory
from mmzoo.download import DownloadError, digest_of, download
from mmzoo.errors import DataError
from mmzoo.sources.named import COMBINED, NAMED, CombinedSet, NamedSet, OfficialFile
from mmzoo.sources.named.entry import SUMS
from mmzoo.sources.sums import check_listed

logger = logging.getLogger(__name__)

_FEW = 4
"""How many input columns are listed by name."""


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
    """The folder that has all of its files, by name and length; None where none has. Of a set that
    is made of others, the one that their folders are in, be it not directly."""
    bundled: bool
    """Comes with an installed package, so there is nothing to fetch."""
    fetchable: bool
    """Can be downloaded."""
    columns: dict[str, Literal["input", "target"]]
    """All columns and what each is for."""

    @property
    def contents(self) -> str:
        """Its splits and columns, in a line; of many inputs only how many there are."""
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
    """Every named data set and where it is. Reads no file and needs no network."""
    return tuple(_listing(entry, parts) for entry, parts in _sets().values())


def fetch(name: str) -> tuple[Path, ...]:
    """Downloads what is missing of a named data set and checks the rest.

    Args:
        name: One of the catalogue's names.

    Returns:
        Its files; none where the set comes with an installed package.

    Raises:
        DataError: No such data set, a file that is not the official one, or no mirror gives it.
    """
    sets = _sets()
    if name not in sets:
        near = difflib.get_close_matches(name, sets, n=1)
        meant = f"Did you mean `{near[0]}`? " if near else ""
        raise DataError(f"no data set is named `{name}`. {meant}There are: {', '.join(sets)}.")
    _, parts = sets[name]
    return tuple(path for part in parts for path in obtain(part).values())


def _sets() -> dict[str, tuple[NamedSet | CombinedSet, tuple[NamedSet, ...]]]:
    """Every set by its name, with those whose files it needs: itself, or what it is made of."""
    return {
        **{name: (named, (named,)) for name, named in NAMED.items()},
        **{name: (made, made.parts) for name, made in COMBINED.items()},
    }


def _listing(entry: NamedSet | CombinedSet, parts: Sequence[NamedSet]) -> Listing:
    places = [_place(part) for part in parts]
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
        fetchable=all(part.mirrors for part in parts),
        columns=entry.columns,
    )


def obtain(named: NamedSet) -> dict[str, Path]:
    """The files of a data set by name, each checked; what is absent is downloaded.

    These are the official files, or those that serve instead where they are all there is.

    Raises:
        UnobtainableError: One is absent and cannot be downloaded.
        DataError: One in `MMZOO_DATA_DIR` is not the right file, or one of many that are listed.
    """
    files, mirrors = named.files, named.mirrors
    if named.instead and not _all_here(named, files) and _all_here(named, named.instead):
        files, mirrors = named.instead, ()
    found = {file.name: _obtain(named, file, mirrors) for file in files}
    if named.media:
        check_listed(found[SUMS], named.media, f"data set {named.name}")
    return found


def _all_here(named: NamedSet, files: Sequence[OfficialFile]) -> bool:
    folders = [directory / named.place for directory in data_directories()]
    return all(any(os.path.exists(folder / file.name) for folder in folders) for file in files)


def _obtain(named: NamedSet, file: OfficialFile, mirrors: Sequence[str]) -> Path:
    *given, cache = (folder / named.place / file.name for folder in data_directories())
    for path in (*given, cache):
        if not os.path.exists(path):  # False too where a folder may not be entered.
            continue
        problem = _problem(path, file)
        if problem is None:
            return path
        if path in given or not mirrors:
            raise DataError(
                f"{path} is not the official file of {named.name}: {problem}.\n{_mend(named)}"
            )
        logger.info(f"{path} is damaged, so it is downloaded anew: {problem}")

    if not mirrors:
        raise _unobtainable(named, file, ["nobody publishes exactly this file"])
    target = data_directory() / named.place / file.name
    urls = [f"{mirror}/{file.name}" for mirror in mirrors]
    try:
        download(urls, target, file.size, file.sha256)
    except DownloadError as error:
        raise _unobtainable(named, file, error.reasons) from error
    return target


def _mend(named: NamedSet) -> str:
    if named.mirrors:
        return f"Remove it and run `mmzoo data fetch {named.name}`, or put the right file there."
    return f"Put the right file there. {named.made}."


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
    folders = " nor in ".join(str(folder / named.place) for folder in data_directories())
    target = data_directory() / named.place
    if named.mirrors:
        tried = "\n".join(f"  {reason}" for reason in reasons)
        why = f"no download of it succeeded:\n{tried}"
        ways = [f"put its official files ({named.homepage}) into {target}"]
    else:
        why = (
            f"nobody publishes exactly this file. It has {file.size:,} bytes and the sha256 "
            f"{file.sha256}. {named.made}."
        )
        ways = [f"put it into {target}"]
    ways.append(f"set MMZOO_DATA_DIR to a folder in which {named.place}/{file.name} is")
    if named.mirrors:
        ways.append(f"run `mmzoo data fetch {named.name}` where there is a network")
    else:
        ways.append("read a copy of your own by a source of `type: table`")
    if named.pictured:
        ways.append(
            "add `fallback: digits` to a source of `type: dataset`, to do with small bundled images"
        )
    listed = "\n".join(f"  {way}" for way in ways)
    return UnobtainableError(
        f"data set {named.name} cannot be had: {file.name} is not in {folders}, and {why}\n"
        f"To mend it, one of:\n{listed}",
        why=f"{file.name}: {reasons[-1]}",
    )


def _place(named: NamedSet) -> Path | None:
    folders = [directory / named.place for directory in data_directories()]
    for folder, files in product(folders, filter(None, (named.files, named.instead))):
        has_files = all(_has_length(folder / file.name, file.size) for file in files)
        if has_files and all((folder / media).is_dir() for media in named.media):
            return folder
    return None


def _has_length(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
