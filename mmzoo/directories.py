"""The folders in which what was downloaded is kept: data sets and pretrained weights."""

from __future__ import annotations

import os
from pathlib import Path


def data_directories() -> tuple[Path, ...]:
    """The folders in which data sets and weights are looked for, in this order.

    `MMZOO_DATA_DIR`, which may be read-only, then the user's cache.
    """
    import platformdirs

    cache = platformdirs.user_cache_path("mmzoo")
    given = os.environ.get("MMZOO_DATA_DIR")
    return (Path(given).expanduser(), cache) if given else (cache,)


def data_directory() -> Path:
    """The folder that downloads go to: the first of `data_directories` that can be written."""
    folders = data_directories()
    return next((folder for folder in folders if _writable(folder)), folders[-1])


def _writable(folder: Path) -> bool:
    """Whether files can be made in the folder, which itself may still have to be made."""
    nearest = next(parent for parent in (folder, *folder.parents) if os.path.exists(parent))
    # To root, who is every container's user, all folders can be written; one whose mode lets nobody
    # write is still meant to be left alone.
    marked = nearest.stat().st_mode & 0o222
    return nearest.is_dir() and bool(marked) and os.access(nearest, os.W_OK | os.X_OK)
