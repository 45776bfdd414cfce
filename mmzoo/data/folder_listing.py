"""Listing of the folders and files of the source `folder`, and of what it ignores."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from mmzoo.errors import DataError
from mmzoo.spec.wording import escape

Nested = Literal["error", "include", "ignore"]

_SYSTEM_FOLDERS = {"__MACOSX", "@eaDir", "lost+found"}
"""Folders that archivers, network storage and file systems create; none of them is a class."""

_MAX_NAMED = 3


@dataclass
class Ignored:
    """Ignored files and folders by reason, as paths relative to the root."""

    hidden: list[str] = field(default_factory=list)
    """Files and folders whose name begins with a dot, and folders that systems create."""
    other: list[str] = field(default_factory=list)
    """Files with other suffixes."""
    nested: list[str] = field(default_factory=list)
    """Folders within class folders."""
    beside: list[str] = field(default_factory=list)
    """Folders next to those of the splits."""

    def notes(self, name: str) -> Iterator[str]:
        """A sentence for each reason, with the first paths and their number."""
        for paths, reason in (
            (self.hidden, "hidden files"),
            (self.other, "files with other suffixes"),
            (self.nested, "folders within class folders"),
            (self.beside, "folders next to those of the splits"),
        ):
            if paths:
                yield f"{name}: ignored {reason}: {first_few(paths)}"


def first_few(paths: list[str]) -> str:
    """The first few of some paths: `cat/a.txt, cat/b.txt, dog/c.txt and 12 more`."""
    shown = ", ".join(escape(path) for path in sorted(paths)[:_MAX_NAMED])
    return f"{shown} and {len(paths) - _MAX_NAMED:,} more" if len(paths) > _MAX_NAMED else shown


def folders_in(root: str, folder: str, suffixes: tuple[str, ...], ignored: Ignored) -> list[str]:
    """The sorted names of the folders in a folder that must contain only folders.

    Args:
        root: The source's folder.
        folder: The folder, relative to the root.
        suffixes: Lower-case suffixes of examples, which must not lie directly in it.
        ignored: Collects other files.

    Raises:
        DataError: There are no folders, or there are links to folders or examples without a class.
    """
    names: list[str] = []
    links: list[str] = []
    files: list[str] = []
    for entry in _entries(root, folder, ignored):
        is_folder = _leads_to_folder(entry)
        if is_folder and entry.is_symlink():
            links.append(entry.name)
        elif is_folder:
            names.append(entry.name)
        elif entry.name.lower().endswith(suffixes):
            files.append(entry.name)
        else:
            ignored.other.append(os.path.join(folder, entry.name))
    path = escape(os.path.join(root, folder) if folder else root)
    if files:
        count = "1 file lies" if len(files) == 1 else f"{len(files):,} files lie"
        raise DataError(
            f"{path}: {count} directly in the folder, so without a class: {first_few(files)}. "
            "Expected a folder per class: move each file into the folder of its class, or away."
        )
    if links:
        raise DataError(
            f"{path}: links to folders are not followed, as they may lead out of the source: "
            f"{first_few(links)}. Replace each link by the folder, or change `source.path`."
        )
    if not names:
        raise DataError(
            f"{path}: there are no folders in it. Expected a folder per class with its files; or "
            "folders train, validation and test, each with a folder per class."
        )
    return sorted(names)


def files_below(
    root: str, folder: str, suffixes: tuple[str, ...], nested: Nested, ignored: Ignored
) -> list[str]:
    """The sorted files of a class.

    Args:
        root: The source's folder.
        folder: The class folder, relative to the root.
        suffixes: Lower-case suffixes of examples.
        nested: What to do about folders within the folder; with "error" they are added to
            `ignored.nested`, for the caller to raise.
        ignored: Collects ignored files and folders.

    Returns:
        Paths relative to the root. If nested folders are included, links to folders are among
        them, and are later reported as bad files: they may lead out of the source or in a circle.

    Raises:
        DataError: A folder cannot be listed.
    """
    files: list[str] = []
    folders = [folder]
    while folders:
        where = folders.pop()
        for entry in _entries(root, where, ignored):
            path = os.path.join(where, entry.name)
            is_folder = _leads_to_folder(entry)
            if is_folder and nested != "include":
                ignored.nested.append(path)
            elif is_folder and not entry.is_symlink():
                folders.append(path)
            elif is_folder or entry.name.lower().endswith(suffixes):
                files.append(path)
            else:
                ignored.other.append(path)
    return sorted(files)


def _entries(root: str, folder: str, ignored: Ignored) -> Iterator[os.DirEntry[str]]:
    """The entries of a folder that are not hidden, in no particular order."""
    path = os.path.join(root, folder) if folder else root
    try:
        with os.scandir(path) as found:
            for entry in found:
                if entry.name.startswith(".") or entry.name in _SYSTEM_FOLDERS:
                    ignored.hidden.append(os.path.join(folder, entry.name))
                else:
                    yield entry
    except OSError as error:
        raise DataError(
            f"{escape(path)}: the folder cannot be listed ({error.strerror}). Change its "
            "permissions, or move it elsewhere."
        ) from None


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A link to itself.
        return False
