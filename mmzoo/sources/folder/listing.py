"""What is in the folders of the source `folder`, and what is left aside there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from mmzoo.errors import DataError
from mmzoo.spec.wording import printable

Nested = Literal["error", "include", "ignore"]

_LEFT_BY_SYSTEMS = {"__MACOSX", "@eaDir", "lost+found"}
"""Folders that archives, storage boxes and disks leave behind; none of them is a class."""

_NAMED = 3


@dataclass
class Aside:
    """What is left aside, by the reason: paths relative to the root."""

    hidden: list[str] = field(default_factory=list)
    """Files and folders whose name begins with a dot, and what systems leave behind."""
    other: list[str] = field(default_factory=list)
    """Files with other suffixes."""
    nested: list[str] = field(default_factory=list)
    """Folders within class folders."""
    beside: list[str] = field(default_factory=list)
    """Folders beside those of the splits."""

    def notes(self, name: str) -> Iterator[str]:
        """A sentence for each reason: how many, and the first of them."""
        for paths, what in (
            (self.hidden, "hidden"),
            (self.other, "with another suffix"),
            (self.nested, "a folder within a class folder"),
            (self.beside, "a folder beside those of the splits"),
        ):
            if paths:
                yield f"{name}: ignored, as {what}: {first_of(paths)}"


def first_of(paths: list[str]) -> str:
    """The first few of some paths: `cat/a.txt, cat/b.txt, dog/c.txt and 12 more`."""
    shown = ", ".join(printable(path) for path in sorted(paths)[:_NAMED])
    return f"{shown} and {len(paths) - _NAMED:,} more" if len(paths) > _NAMED else shown


def folders_in(root: str, folder: str, suffixes: tuple[str, ...], aside: Aside) -> list[str]:
    """The names of the folders in a folder that is to have nothing but those, in their order.

    Args:
        root: The source's folder.
        folder: The folder, relative to the root.
        suffixes: Endings, in lower case, of files that must not lie in it.
        aside: Takes what else is in it.

    Raises:
        DataError: There are no folders, links to folders, or files which thus have no class.
    """
    names: list[str] = []
    links: list[str] = []
    files: list[str] = []
    for entry in _entries(root, folder, aside):
        is_folder = _leads_to_folder(entry)
        if is_folder and entry.is_symlink():
            links.append(entry.name)
        elif is_folder:
            names.append(entry.name)
        elif entry.name.lower().endswith(suffixes):
            files.append(entry.name)
        else:
            aside.other.append(os.path.join(folder, entry.name))
    path = printable(os.path.join(root, folder) if folder else root)
    if files:
        count = "1 file lies" if len(files) == 1 else f"{len(files):,} files lie"
        raise DataError(
            f"{path}: {count} directly in the folder, and so without a class: {first_of(files)}. "
            "Expected a folder per class: move each file into the folder of its class, or away."
        )
    if links:
        raise DataError(
            f"{path}: links to folders are not followed, as they may lead anywhere: "
            f"{first_of(links)}. Put the folder itself there, or set `source.path` to where it is."
        )
    if not names:
        raise DataError(
            f"{path}: there are no folders in it. Expected a folder per class with its files in "
            "it; or folders train, validation and test, each with a folder per class."
        )
    return sorted(names)


def files_below(
    root: str, folder: str, suffixes: tuple[str, ...], nested: Nested, aside: Aside
) -> list[str]:
    """The files of a class, in the order of their names.

    Args:
        root: The source's folder.
        folder: The class folder, relative to the root.
        suffixes: Endings of the files that are wanted, in lower case.
        nested: What to do with folders within the folder; with "error" they are in `aside` too.
        aside: Takes what is left aside.

    Returns:
        Paths relative to the root. If folders within folders are included, links to folders are
        among them, to be refused as any bad file: they may lead anywhere, and round in circles.

    Raises:
        DataError: A folder cannot be listed.
    """
    files: list[str] = []
    folders = [folder]
    while folders:
        where = folders.pop()
        for entry in _entries(root, where, aside):
            path = os.path.join(where, entry.name)
            is_folder = _leads_to_folder(entry)
            if is_folder and nested != "include":
                aside.nested.append(path)
            elif is_folder and not entry.is_symlink():
                folders.append(path)
            elif is_folder or entry.name.lower().endswith(suffixes):
                files.append(path)
            else:
                aside.other.append(path)
    return sorted(files)


def _entries(root: str, folder: str, aside: Aside) -> Iterator[os.DirEntry[str]]:
    """What is in a folder, in no order, without what is hidden."""
    path = os.path.join(root, folder) if folder else root
    try:
        with os.scandir(path) as found:
            for entry in found:
                if entry.name.startswith(".") or entry.name in _LEFT_BY_SYSTEMS:
                    aside.hidden.append(os.path.join(folder, entry.name))
                else:
                    yield entry
    except OSError as error:
        raise DataError(
            f"{printable(path)}: the folder cannot be listed ({error.strerror}). Change its "
            "permissions, or move it elsewhere."
        ) from None


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A link that leads to itself.
        return False
