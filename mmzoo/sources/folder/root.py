"""Where the folder is that a config names."""

from __future__ import annotations

import os

from mmzoo.errors import DataError
from mmzoo.spec import nearest
from mmzoo.spec.wording import printable


def folder_root(path: str, field: str = "source.path") -> str:
    """The folder that a config names, with all links followed.

    Raises:
        DataError: There is none; says which was probably meant.
    """
    root = os.path.realpath(os.path.expanduser(path))
    if os.path.isdir(root):
        return root
    if os.path.lexists(root):
        raise DataError(f"{field}: {printable(root)} is a file, expected a folder.")
    missing = root
    while not os.path.isdir(os.path.dirname(missing)):
        missing = os.path.dirname(missing)
    parent, name = os.path.split(missing)
    near = nearest(name, (entry.name for entry in _folders(parent)))
    mend = (
        f"Did you mean {printable(os.path.join(parent, near))}?"
        if near
        else "Put it there, or give the path of the folder that you mean."
    )
    needed = "" if missing == root else f", which {printable(path)} would be in"
    raise DataError(
        f"{field}: there is no folder {printable(name)} in {printable(parent)}{needed}. {mend}"
    )


def _folders(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as found:
            return [entry for entry in found if entry.is_dir()]
    except OSError:
        return []
