"""Media paths below the folder of a source, and suggestions for paths that do not exist."""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice, takewhile
from urllib.parse import unquote

from mmzoo.spec.wording import shorten

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
_OUTSIDE = "it is outside the source's folder"
_BROKEN_LINK = "it is a link to a file that does not exist"
_URL = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_MAX_HINTS = 20
"""Paths for which the file that was meant is searched; messages show fewer."""
_MAX_SUBFOLDERS = 100
_ABSOLUTE = re.compile(r"file:/|[A-Za-z]:[\\/]|[\\/]", re.IGNORECASE)
"""The beginning of an absolute path, which may be one of Windows or a `file://`."""
_QUOTES = "'\"\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}[]"
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
    search, hints = PathSearch(root), 0
    for index, path in enumerate(paths):
        reason = _problem(os.path.join(root, path), real_root, folders)
        is_elsewhere = reason == _OUTSIDE and os.path.isabs(path)
        if (reason == _NO_FILE or is_elsewhere) and hints < _MAX_HINTS:
            reason = f"{reason}{search.hint(path)}"
            hints += 1
        if reason is not None:
            found[index] = reason
    return found


def relocate(paths: Iterable[str], root: str) -> dict[str, str]:
    """Absolute paths of another machine -> the paths of the same files, relative to a folder.

    All of them lose the same number of leading folders, the fewest with which a file is found, and
    no more than they have in common. Empty if no file is found.

    Example:
        `/home/bob/images/x.jpg` -> `images/x.jpg`, if that is below the folder.
    """
    absolute = [path for path in dict.fromkeys(paths) if _ABSOLUTE.match(path)]
    split = {path: re.split(r"[\\/]+", path) for path in absolute if not os.path.lexists(path)}
    folders = zip(*(parts[:-1] for parts in split.values()), strict=False)
    shared = sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, folders))
    for lost in range(1, shared + 1):
        tails = {path: "/".join(parts[lost:]) for path, parts in split.items()}
        if any(
            os.path.isfile(os.path.join(root, tail)) for tail in islice(tails.values(), _MAX_HINTS)
        ):
            return tails
    return {}


def is_not_found(reason: str) -> bool:
    """Whether a reason of `problems` is that the path does not exist."""
    return reason.startswith((_NO_FILE, _BROKEN_LINK))


class PathSearch:
    """Finds the files that were meant by paths that do not exist."""

    def __init__(self, root: str) -> None:
        """Searches below a folder."""
        self._root = root
        self._names: dict[str, dict[str, list[str]]] = {}

    def hint(self, path: str) -> str:
        """The end of a message on a path that does not exist: "; did you mean 'a.jpg'?"."""
        if _URL.match(path.strip()):
            return ": it is a URL, so download the file and write its path"
        meant = self.find(path) or self.find(unquote(path))
        if meant is not None and _nfc(meant) == _nfc(path):
            return "; a file's name differs in its Unicode form (NFC or NFD) only: use its own"
        if meant is not None:
            return f"; did you mean '{shorten(meant)}'?"
        return "; write / between folders" if "\\" in path else ""

    def find(self, path: str) -> str | None:
        """The only file that a path may mean, relative to the folder; None without one.

        Its name may differ in case, Unicode form, blanks or extension; the path may be in quotes, a
        `file://`, a Windows path, absolute on another machine, or lack a subfolder.
        """
        bare = path.strip().strip(_QUOTES).strip()
        if bare.casefold().startswith("file:"):
            bare = "/" + bare[len("file:") :].lstrip("/")
        parts = [part for part in bare.replace("\\", "/").split("/") if part not in ("", ".")]
        if not parts or ".." in parts:
            return None
        for start in range(len(parts)):
            if (found := self._below("", parts[start:])) is not None:
                return found
        found_in = [self._below(folder, parts) for folder in self._subfolders()]
        several = [one for one in found_in if one is not None]
        return several[0] if len(several) == 1 else None

    def _below(self, folder: str, parts: list[str]) -> str | None:
        """A file below a folder by its parts, each spelled somewhat differently."""
        for index, part in enumerate(parts):
            is_last = index == len(parts) - 1
            names = self._names_in(folder)
            same = names.get(_folded(part), [])
            if len(same) > 1:
                same = [name for name in same if name == part]
            if not same and is_last:
                same = names.get(_stem(part), [])
            if len(same) != 1:
                return None
            folder = os.path.join(folder, same[0])
        file = os.path.realpath(os.path.join(self._root, folder))
        is_meant = os.path.isfile(file) and _is_inside(file, os.path.realpath(self._root))
        return folder if is_meant else None

    def _names_in(self, folder: str) -> dict[str, list[str]]:
        """Folded name, or `_stem`, -> names in a folder."""
        if folder not in self._names:
            names: dict[str, list[str]] = {}
            for name in self._entries(folder):
                names.setdefault(_folded(name), []).append(name)
                names.setdefault(_stem(name), []).append(name)
            self._names[folder] = names
        return self._names[folder]

    def _subfolders(self) -> Iterator[str]:
        names = [name for names in self._names_in("").values() for name in names]
        folders = sorted({n for n in names if os.path.isdir(os.path.join(self._root, n))})
        return iter(folders[:_MAX_SUBFOLDERS])

    def _entries(self, folder: str) -> list[str]:
        with suppress(OSError, ValueError):
            return os.listdir(os.path.join(self._root, folder))
        return []


def _folded(name: str) -> str:
    return _nfc(name.strip().casefold())


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _stem(name: str) -> str:
    """The folded name without its extension, as a key that no folded name has."""
    return "/" + _folded(os.path.splitext(name.strip())[0])


def _problem(path: str, root: str, folders: dict[str, bool]) -> str | None:
    try:
        path.encode()
        folder = os.path.dirname(path)
        inside = folders.get(folder)
        if inside is None:
            inside = folders[folder] = _is_inside(os.path.realpath(folder), root)
        if not inside:
            return _OUTSIDE
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
