"""Which paths may be opened as files below a folder. Whoever lists files asks here first."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable

MAX_BYTES = 200_000_000
"""More than any photo or recording has that is one example of many."""

KINDS_OF_PATHS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
"""What stands at a path where it is no file."""
_NO_FILE = "there is no such file"
_LINK_TO_NOTHING = "it is a link to a file that is not there"
NOT_THERE = (_NO_FILE, _LINK_TO_NOTHING)
"""What `problems` says of paths at which there is nothing."""
_WHY = {
    errno.ENOENT: _NO_FILE,
    errno.ENOTDIR: _NO_FILE,
    errno.EACCES: "there is no permission to read it",
    errno.ELOOP: "it is a link that leads to itself",
    errno.ENAMETOOLONG: "no file has so long a name",
}


def problems(paths: Iterable[str], root: str) -> dict[int, str]:
    """Why paths may not be opened as files below a folder, for those of them that may not.

    What may be opened is an ordinary file that lies below the folder after all links are followed,
    with one byte or more and at most `MAX_BYTES`, which we have the permission to read, under a
    name that is UTF-8 text. Nothing is opened here: to open a pipe may wait for ever.

    Args:
        paths: Absolute, or relative to the folder.
        root: The folder.

    Returns:
        For the place of each bad path among `paths`, a clause: "it is a pipe".
    """
    real_root = os.path.realpath(root)
    # Links are looked for once a folder, not once a file: that is most of the time that it takes.
    folders: dict[str, bool] = {}
    found = {}
    for place, path in enumerate(paths):
        why = _problem(os.path.join(root, path), real_root, folders)
        if why is not None:
            found[place] = why
    return found


def _problem(path: str, root: str, folders: dict[str, bool]) -> str | None:
    try:
        path.encode()
        folder = os.path.dirname(path)
        inside = folders.get(folder)
        if inside is None:
            inside = folders[folder] = _is_inside(os.path.realpath(folder), root)
        if not inside:
            return "it lies outside of the source's folder"
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            return _problem_of_link(path, root)
        return _problem_of_file(path, status)
    except UnicodeEncodeError:
        return "its name is not UTF-8 text"
    except ValueError:
        return "its name has a character that no path can have"
    except OSError as error:
        return _why(error)


def _problem_of_link(path: str, root: str) -> str | None:
    target = os.path.realpath(path)
    if not _is_inside(target, root):
        return "it is a link that leads out of the source's folder"
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return _LINK_TO_NOTHING
    return _problem_of_file(target, status)


def _problem_of_file(path: str, status: os.stat_result) -> str | None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        return f"it is {KINDS_OF_PATHS.get(kind, 'something else')}, expected a file"
    if status.st_size == 0:
        return "it is empty"
    if status.st_size > MAX_BYTES:
        return f"it has {status.st_size:,} bytes, and mmzoo reads up to {MAX_BYTES:,}"
    if not os.access(path, os.R_OK, effective_ids=True):
        return _WHY[errno.EACCES]
    return None


def _is_inside(path: str, root: str) -> bool:
    return path == root or path.startswith(os.path.join(root, ""))


def _why(error: OSError) -> str:
    return _WHY.get(error.errno or 0) or f"it cannot be read ({error.strerror})"
