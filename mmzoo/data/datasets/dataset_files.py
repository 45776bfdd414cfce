"""Files of named data sets: finding, verifying, downloading and listing them."""

from __future__ import annotations

import difflib
import hashlib
import logging
import os
import re
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

from mmzoo.data.datasets import COMBINED, NAMED, CombinedSet, NamedSet, OfficialFile
from mmzoo.data.datasets.dataset_entry import SUMS
from mmzoo.data.media_paths import MAX_BYTES
from mmzoo.directories import data_directories, data_directory
from mmzoo.download import DownloadError, digest_of, download
from mmzoo.errors import DataError

logger = logging.getLogger(__name__)


_LINE = re.compile(r"([0-9a-f]{64}) [ *](?:\./)?(.+)")
_MAX_NAMED = 5
"""Most files that a message names."""


def verify_checksums(sums: Path, folders: Collection[str], where: str) -> None:
    """Verifies the sha256 of all files in the given folders.

    Args:
        sums: A list in the format of `sha256sum`, itself verified. Its paths are relative to it.
        folders: The folders to verify, relative to the list: "recordings".
        where: The data set, for errors.

    Raises:
        DataError: A file is missing, cannot be read or has another checksum.
    """
    listed = list(_listed(sums, folders))
    wrong = []
    for name, digest in listed:
        problem = _problem(sums.parent / name, digest)
        if problem:
            wrong.append(f"{name}: {problem}")
    if wrong:
        raise DataError(
            f"{where}: {len(wrong):,} of {len(listed):,} files in {sums.parent} are not the "
            f"official ones:\n{_shortened(wrong)}\nReplace them by the official files."
        )


def _listed(sums: Path, folders: Collection[str]) -> Iterator[tuple[str, str]]:
    """The name and sha256 of each file in the folders."""
    for line in sums.read_text(encoding="utf-8").splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise DataError(f"{sums} is not a list of sha256: '{line[:80]}'.")
        digest, name = match.groups()
        if os.path.dirname(name) in folders:
            yield name, digest


def _problem(path: Path, digest: str) -> str | None:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return "it is not a regular file"  # Opening a pipe could block forever.
        if status.st_size > MAX_BYTES:
            return f"it has {status.st_size:,} bytes"
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return "there is no such file"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None if found == digest else f"its sha256 is {found}, expected {digest}"


def _shortened(lines: Sequence[str]) -> str:
    shown = [f"  {line}" for line in lines[:_MAX_NAMED]]
    if len(lines) > _MAX_NAMED:
        shown.append(f"  and {len(lines) - _MAX_NAMED:,} more")
    return "\n".join(shown)


_FEW = 4
"""Most input columns that are listed by name; of more, only the number is given."""


class UnobtainableError(DataError):
    """A data set is not on this machine and cannot be downloaded. `why` is the reason, one line."""

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


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
    fetchable: bool
    """Whether it can be downloaded."""
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
    """Downloads what is missing of a named data set and checks the rest.

    Args:
        name: A name in the catalogue.

    Returns:
        Its files; none if the data set is bundled with a package.

    Raises:
        DataError: There is no such data set, a file is not the official one, or no mirror serves
            it.
    """
    sets = _sets()
    if name not in sets:
        near = difflib.get_close_matches(name, sets, n=1)
        meant = f"Did you mean `{near[0]}`? " if near else ""
        raise DataError(f"no data set is named `{name}`. {meant}There are: {', '.join(sets)}.")
    _, parts = sets[name]
    return tuple(path for part in parts for path in obtain(part).values())


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
        fetchable=all(part.mirrors for part in parts),
        columns=entry.columns,
    )


def obtain(named: NamedSet) -> dict[str, Path]:
    """The verified files of a data set; missing ones are downloaded.

    The alternative files are used if all of them are available and the official files are not.

    Returns:
        File name -> path.

    Raises:
        UnobtainableError: A file is missing and cannot be downloaded.
        DataError: A file in `MMZOO_DATA_DIR`, or a media file, is not the official one.
    """
    files, mirrors = named.files, named.mirrors
    if named.alternatives and not _all_here(named, files) and _all_here(named, named.alternatives):
        files, mirrors = named.alternatives, ()
    found = {file.name: _obtain(named, file, mirrors) for file in files}
    if named.media:
        verify_checksums(found[SUMS], named.media, f"data set {named.name}")
    return found


def _all_here(named: NamedSet, files: Sequence[OfficialFile]) -> bool:
    folders = [directory / named.folder_name for directory in data_directories()]
    return all(any(os.path.exists(folder / file.name) for folder in folders) for file in files)


def _obtain(named: NamedSet, file: OfficialFile, mirrors: Sequence[str]) -> Path:
    *given, cache = (folder / named.folder_name / file.name for folder in data_directories())
    for path in (*given, cache):
        if not os.path.exists(path):  # Also False without permission to enter the folder.
            continue
        problem = _file_problem(path, file)
        if problem is None:
            return path
        if path in given or not mirrors:
            raise DataError(
                f"{path} is not the official file of {named.name}: {problem}.\n{_fix_hint(named)}"
            )
        logger.info(f"{path} is damaged and is downloaded again: {problem}")

    if not mirrors:
        raise _unobtainable(named, file, ["exactly this file is not published anywhere"])
    target = data_directory() / named.folder_name / file.name
    urls = [f"{mirror}/{file.name}" for mirror in mirrors]
    try:
        download(urls, target, file.size, file.sha256)
    except DownloadError as error:
        raise _unobtainable(named, file, error.reasons) from error
    return target


def _fix_hint(named: NamedSet) -> str:
    if named.mirrors:
        return f"Remove it and run `mmzoo data fetch {named.name}`, or replace it yourself."
    return f"Replace it. {named.provenance}."


def _file_problem(path: Path, file: OfficialFile) -> str | None:
    try:
        size = path.stat().st_size
        if size != file.size:
            return f"it has {size:,} bytes, expected {file.size:,}"
        found = digest_of(path)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None if found == file.sha256 else f"its sha256 is {found}, expected {file.sha256}"


def _unobtainable(named: NamedSet, file: OfficialFile, reasons: Sequence[str]) -> UnobtainableError:
    folders = " nor in ".join(str(folder / named.folder_name) for folder in data_directories())
    target = data_directory() / named.folder_name
    if named.mirrors:
        tried = "\n".join(f"  {reason}" for reason in reasons)
        why = f"no download of it succeeded:\n{tried}"
        ways = [f"put its official files ({named.homepage}) into {target}"]
    else:
        why = (
            f"exactly this file is not published anywhere. It has {file.size:,} bytes and the "
            f"sha256 {file.sha256}. {named.provenance}."
        )
        ways = [f"put it into {target}"]
    ways.append(f"set MMZOO_DATA_DIR to a folder that has {named.folder_name}/{file.name}")
    if named.mirrors:
        ways.append(f"run `mmzoo data fetch {named.name}` with a network connection")
    else:
        ways.append("read your own copy with a source of `type: table`")
    if named.has_only_images:
        ways.append(
            "add `fallback: digits` to a source of `type: dataset`, to use small bundled images"
        )
    listed = "\n".join(f"  {way}" for way in ways)
    return UnobtainableError(
        f"data set {named.name} is not available: {file.name} is not in {folders}, and {why}\n"
        f"To fix this, do one of:\n{listed}",
        why=f"{file.name}: {reasons[-1]}",
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
