"""Media files of a table: the folder of their paths, and why some are not found."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from mmzoo.data.media_paths import problems
from mmzoo.spec.wording import escape, shorten

_MAX_FOLDERS = 1_000
"""Folders that are searched for the files of a table."""
_FEW_FOLDERS = 20
_DEPTH = 3
"""Depth of these folders below the table's."""
_QUOTES = "'\" \t"
UNSUPPORTED = (
    *(".tif", ".tiff", ".heic", ".heif", ".avif", ".svg", ".jp2", ".psd", ".dng", ".raw", ".tga"),
    *(".dcm", ".m4a", ".aac", ".wma", ".amr", ".aiff", ".aif", ".mp4", ".mov", ".avi", ".mkv"),
    *(".webm", ".pdf"),
)
"""Suffixes of media files that no input reads."""


def find_media_root(samples: Sequence[Sequence[str]], root: str) -> str | None:
    """The folder to which paths are relative, if they are not relative to the table's folder.

    Args:
        samples: Some paths of each column of paths.
        root: The table's folder, absolute.

    Returns:
        The first folder in which a file of each sample is found: below the table's folder, the
        working directory, or the folder above. None if there is none, or it is the table's.
    """
    samples = [sample for sample in samples if sample]
    if not samples:
        return None
    for folder in (root, *_folders_below(root), os.getcwd(), os.path.dirname(root)):
        if all(_any_found(sample, folder) for sample in samples):
            return None if folder == root else folder
    return None


def _any_found(paths: Sequence[str], folder: str) -> bool:
    return len(problems(paths, folder)) < len(paths)


def _folders_below(root: str) -> Iterator[str]:
    """Folders below this one that are not hidden, those nearest to it first."""
    level, found = [root], 0
    for _ in range(_DEPTH):
        below = []
        for folder in level:
            for name in sorted(_names_in(folder)):
                path = os.path.join(folder, name)
                if not name.startswith(".") and os.path.isdir(path) and not os.path.islink(path):
                    found += 1
                    if found > _MAX_FOLDERS:
                        return
                    below.append(path)
                    yield path
        level = below


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def hint_for_path(path: str, root: str) -> str:
    """How to write a path that is not found, as a clause after a comma; empty if nobody knows."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path):
        return ", as it is a URL: download the files, and write their paths into the table"
    if "\\" in path:
        written = path.replace("\\", "/")
        for start in range(written.count("/") + 1):
            end = "/".join(written.split("/")[start:])
            if os.path.isfile(os.path.join(root, end)):
                return f": write {shorten(end)}, with / between folders"
        return ": write / between folders, and paths relative to that folder"
    plain = path.strip(_QUOTES)
    if plain != path and os.path.isfile(os.path.join(root, plain)):
        return f": write {shorten(plain)}, without quotes or spaces around it"
    folder, name = os.path.split(plain)
    names = sorted(_names_in(os.path.join(root, folder)))
    for same in (_folded, _folded_stem):
        near = next((one for one in names if same(one) == same(name)), None)
        if near:
            return f"; did you mean {escape(os.path.join(folder, near))}?"
    return ""


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().strip()


def _folded_stem(name: str) -> str:
    return os.path.splitext(_folded(name))[0]


def file_meant(cells: Sequence[str], root: str, suffixes: Collection[str]) -> str | None:
    """The file that the first cell stands for, if each stands for one without its suffix, or in
    quotes: `0001.jpg` for `0001`."""
    folders = [root, *islice(_folders_below(root), _FEW_FOLDERS)]
    found = [_file_meant(cell.strip(_QUOTES), folders, suffixes) for cell in cells]
    first = found[0] if found and all(found) else None
    return first and os.path.relpath(first, root)


def _file_meant(cell: str, folders: Sequence[str], suffixes: Collection[str]) -> str | None:
    paths = (os.path.join(folders[0], cell),)
    with_suffix = (os.path.join(folder, f"{cell}{one}") for folder in folders for one in suffixes)
    return next((path for path in (*paths, *with_suffix) if os.path.isfile(path)), None)
