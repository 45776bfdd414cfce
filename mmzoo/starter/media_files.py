"""Media files of a table: the folder of their paths, and why some are not found."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from mmzoo.data.media_paths import PathSearch, relocate

_MAX_FOLDERS = 1_000
"""Folders that are searched for the files of a table."""
_DEPTH = 3
"""Depth of these folders below the table's."""
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
        working directory, or the folder above. None if there is none, or it is the table's. For
        absolute paths of another machine, the only folder in which most of a path is found.
    """
    samples = [sample for sample in samples if sample]
    if not samples:
        return None
    scores: dict[str, int] = {}
    for folder in (root, *_folders_below(root), os.getcwd(), os.path.dirname(root)):
        if all(_any_found(sample, folder) for sample in samples):
            return None if folder == root else folder
        scores[folder] = min(_found_parts(sample, folder) for sample in samples)
    best = [folder for folder, score in scores.items() if score == max(scores.values()) > 0]
    return best[0] if len(best) == 1 and best[0] != root else None


def _any_found(paths: Sequence[str], folder: str) -> bool:
    return any(os.path.isfile(os.path.join(folder, path)) for path in paths)


def _found_parts(paths: Sequence[str], folder: str) -> int:
    """The parts of absolute paths of another machine that are found in a folder, 0 for none."""
    found = relocate(paths, folder)
    return next(iter(found.values())).count("/") + 1 if found else 0


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


def suggest_file(cells: Sequence[str], root: str, suffixes: tuple[str, ...]) -> str | None:
    """The file that the first cell stands for, if each stands for one without its suffix, or in
    quotes: `0001.jpg` for `0001`."""
    search = PathSearch(root)
    found = [meant for cell in cells if (meant := search.find(cell)) and _ends(meant, suffixes)]
    return found[0] if found and len(found) == len(cells) else None


def _ends(path: str, suffixes: tuple[str, ...]) -> bool:
    return path.lower().endswith(suffixes)
