"""Whether a folder has a folder per class, or one per split with those of the classes in it."""

from __future__ import annotations

import os
from typing import Literal

from mmzoo.errors import DataError
from mmzoo.sources.folder.listing import Aside, first_of, folders_in
from mmzoo.spec.wording import printable

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
"""The split that a folder of each name holds."""


def class_folders(
    root: str, layout: Layout, suffixes: tuple[str, ...], aside: Aside
) -> dict[str, dict[str, str]]:
    """The folder of each class, relative to the root, by split and class.

    A folder holds splits if all folders in it are named like splits. One of trains may be called
    `train` and be a class beside others.

    Args:
        root: The source's folder.
        layout: What is in it, or "auto" to find out.
        suffixes: Endings, in lower case, of files that must not lie beside such folders.
        aside: Takes what is left aside.

    Raises:
        DataError: The folder is not laid out like this, or may be meant either way.
    """
    folders = folders_in(root, "", suffixes, aside)
    of_splits = [name for name in folders if name.lower() in _SPLITS]
    others = [name for name in folders if name.lower() not in _SPLITS]
    if layout == "auto":
        layout = "classes" if others else "splits"
        mixed = [name for name in of_splits if others and _has_folders(root, name)]
        if mixed:
            raise DataError(
                f"{printable(root)}: there are folders of splits ({first_of(mixed)}) beside others "
                f"({first_of(others)}). Write `layout: splits` into the config's source to use "
                "only the folders of splits, or `layout: classes` if each is a class."
            )
    if layout == "classes":
        return {"train": {name: name for name in folders}}
    aside.beside += others
    return {
        split: {
            name: os.path.join(folder, name) for name in folders_in(root, folder, suffixes, aside)
        }
        for split, folder in _folder_of_split(root, of_splits).items()
    }


def _folder_of_split(root: str, names: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        split = _SPLITS[name.lower()]
        if split in found:
            raise DataError(
                f"{printable(root)}: both {found[split]} and {name} hold the {split} split. Put "
                "their files into one folder, or move one of them away."
            )
        found[split] = name
    if "train" not in found:
        raise DataError(
            f"{printable(root)}: there is no folder train, but {', '.join(names) or 'others'}. "
            "Add it, or write `layout: classes` into the config's source if each folder is a class."
        )
    return found


def _has_folders(root: str, folder: str) -> bool:
    with os.scandir(os.path.join(root, folder)) as found:
        return any(entry.is_dir() and not entry.name.startswith(".") for entry in found)
