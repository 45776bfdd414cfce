"""Safety checks of media paths: which of them may be opened as files below a source's folder."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable

MAX_BYTES = 200_000_000
"""Largest size of a media file: larger than any photo or recording that is one of many examples."""

KINDS_OF_PATHS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
"""Mode of a path that is not a regular file -> a word for it."""
_NO_FILE = "there is no such file"
_BROKEN_LINK = "it is a link to a file that does not exist"
NOT_FOUND = (_NO_FILE, _BROKEN_LINK)
"""The reasons that `problems` gives for paths that do not exist."""
_REASONS = {
    errno.ENOENT: _NO_FILE,
    errno.ENOTDIR: _NO_FILE,
    errno.EACCES: "permission denied",
    errno.ELOOP: "it is a link to itself",
    errno.ENAMETOOLONG: "its name is too long for a file",
}


def problems(paths: Iterable[str], root: str) -> dict[int, str]:
    """The paths that must not be opened, each with the reason.

    A path may be opened if, after following links, it is a regular, readable file below the folder,
    of 1 to `MAX_BYTES` bytes, with a UTF-8 name. Nothing is opened here: opening a pipe could block
    forever.

    Args:
        paths: Absolute paths, or paths relative to the folder.
        root: The folder.

    Returns:
        Index of each bad path in `paths` -> the reason as a clause: "it is a pipe".
    """
    real_root = os.path.realpath(root)
    # Links are resolved once per folder, not per file, as this takes most of the time.
    folders: dict[str, bool] = {}
    found = {}
    for index, path in enumerate(paths):
        reason = _problem(os.path.join(root, path), real_root, folders)
        if reason is not None:
            found[index] = reason
    return found


def _problem(path: str, root: str, folders: dict[str, bool]) -> str | None:
    try:
        path.encode()
        folder = os.path.dirname(path)
        inside = folders.get(folder)
        if inside is None:
            inside = folders[folder] = _is_inside(os.path.realpath(folder), root)
        if not inside:
            return "it is outside the source's folder"
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            return _problem_of_link(path, root)
        return _problem_of_file(path, status)
    except UnicodeEncodeError:
        return "its name is not UTF-8 text"
    except ValueError:
        return "its name has a character that is not allowed in paths"
    except OSError as error:
        return _describe(error)


def _problem_of_link(path: str, root: str) -> str | None:
    target = os.path.realpath(path)
    if not _is_inside(target, root):
        return "it is a link to a file outside the source's folder"
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return _BROKEN_LINK
    return _problem_of_file(target, status)


def _problem_of_file(path: str, status: os.stat_result) -> str | None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        return f"it is {KINDS_OF_PATHS.get(kind, 'something else')}, expected a file"
    if status.st_size == 0:
        return "it is empty"
    if status.st_size > MAX_BYTES:
        return f"it has {status.st_size:,} bytes, more than the limit of {MAX_BYTES:,}"
    if not os.access(path, os.R_OK, effective_ids=True):
        return _REASONS[errno.EACCES]
    return None


def _is_inside(path: str, root: str) -> bool:
    return path == root or path.startswith(os.path.join(root, ""))


def _describe(error: OSError) -> str:
    return _REASONS.get(error.errno or 0) or f"it cannot be read ({error.strerror})"
