"""Listing of the folders and files of the source `folder`: splits, classes, and ignored files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mmzoo.errors import DataError
from mmzoo.spec import nearest
from mmzoo.spec.wording import escape

Nested = Literal["error", "include", "ignore"]
Layout = Literal["auto", "classes", "splits"]

_SPLITS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
"""Lower-case name of a folder -> split."""

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
        fix = "move each file into the folder of its class, or away"
        if folder:  # Competitions have test files whose classes nobody knows.
            fix += f"; or move {escape(folder)} away, and predict it by `mmzoo predict` later"
        raise DataError(
            f"{path}: {count} directly in the folder, so without a class: {first_few(files)}. "
            f"Expected a folder per class: {fix}."
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


def folder_root(path: str, field: str = "source.path") -> str:
    """The absolute path of the source's folder, with links resolved.

    Raises:
        DataError: The folder does not exist; suggests the most similar one.
    """
    root = os.path.realpath(os.path.expanduser(path))
    if os.path.isdir(root):
        return root
    if os.path.lexists(root):
        raise DataError(f"{field}: {escape(root)} is a file, expected a folder.")
    missing = root
    while not os.path.isdir(os.path.dirname(missing)):
        missing = os.path.dirname(missing)
    parent, name = os.path.split(missing)
    near = nearest(name, (entry.name for entry in _folders(parent)))
    needed = "" if missing == root else f", nor a folder {escape(name)} in {escape(parent)}"
    hint = "Create it, or correct the path."
    if near:
        hint = f"Did you mean {escape(os.path.join(parent, near))}?"
    elif field == "source.path":
        hint = "Create it, or use `--set source.path=YOUR_FOLDER`."
    raise DataError(f"{field}: there is no folder {escape(path)}{needed}. {hint}")


def _folders(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as found:
            return [entry for entry in found if entry.is_dir()]
    except OSError:
        return []


def class_folders(
    root: str, layout: Layout, suffixes: tuple[str, ...], ignored: Ignored
) -> dict[str, dict[str, str]]:
    """Split -> class -> folder, relative to the root.

    With "auto", folders are splits if all of them have names of splits. A single folder `train`
    among others may be a class of trains.

    Args:
        root: The source's folder.
        layout: Its layout, or "auto" to detect it.
        suffixes: Lower-case suffixes of examples, which must not lie next to these folders.
        ignored: Collects ignored files and folders.

    Raises:
        DataError: The folder does not have this layout, or its layout is ambiguous.
    """
    folders = folders_in(root, "", suffixes, ignored)
    split_folders = [name for name in folders if name.lower() in _SPLITS]
    others = [name for name in folders if name.lower() not in _SPLITS]
    if layout == "auto":
        layout = "classes" if others else "splits"
        mixed = [name for name in split_folders if others and _has_folders(root, name)]
        if mixed:
            raise DataError(
                f"{escape(root)}: there are folders of splits ({first_few(mixed)}) next to others "
                f"({first_few(others)}). Write `layout: splits` into the config's source to use "
                "only the folders of splits, or `layout: classes` if each is a class."
            )
    if layout == "classes":
        return {"train": {name: name for name in folders}}
    ignored.beside += others
    return {
        split: {
            name: os.path.join(folder, name) for name in folders_in(root, folder, suffixes, ignored)
        }
        for split, folder in _folder_of_split(root, split_folders).items()
    }


def _folder_of_split(root: str, names: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        split = _SPLITS[name.lower()]
        if split in found:
            raise DataError(
                f"{escape(root)}: both {found[split]} and {name} are the {split} split. Merge "
                "them into one folder, or move one of them away."
            )
        found[split] = name
    if "train" not in found:
        raise DataError(
            f"{escape(root)}: there is no folder train, only {', '.join(names) or 'others'}. "
            "Add it, or write `layout: classes` into the config's source if each folder is a class."
        )
    return found


def _has_folders(root: str, folder: str) -> bool:
    with os.scandir(os.path.join(root, folder)) as found:
        return any(entry.is_dir() and not entry.name.startswith(".") for entry in found)


def checked_class_names(
    root: str, found: Mapping[str, Mapping[str, list[str]]], suffixes: tuple[str, ...], minimum: int
) -> tuple[str, ...]:
    """The classes of the training split, after checking all splits against them.

    Args:
        root: The folder, for errors.
        found: Split -> class -> files.
        suffixes: The suffixes of examples, for errors.
        minimum: Smallest number of classes.

    Raises:
        DataError: There are fewer classes, a class has no training files, or a split has other
            classes or no files.
    """
    where = escape(root)
    names = tuple(found["train"])
    if len(names) < minimum:
        raise DataError(
            f"{where}: there is only one class, '{escape(names[0])}'. Expected two or more, each "
            "in its own folder."
        )
    for split, classes in found.items():
        for name in classes:
            if not _is_text(name):
                raise DataError(f"{where}: a class folder's name is not UTF-8 text: {escape(name)}")
            if name not in names:
                raise DataError(
                    f"{where}: {split} has a class '{escape(name)}' that train does not have. Add "
                    "a folder for it to train, or remove it here."
                )
    empty = [name for name, files in found["train"].items() if not files]
    if empty:
        raise DataError(
            f"{where}: there are no training files in class folders: {first_few(empty)}. Add some "
            f"or remove the folder; `source.suffixes` is {' '.join(suffixes)}."
        )
    for split, classes in found.items():
        if not any(classes.values()):
            raise DataError(
                f"{where}: there are no files in the folder of the {split} split. Add some, or "
                "remove the folder to sample the split from the training files."
            )
    return names


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
