"""The folders of data sets, pretrained weights and whatever else can be had again."""

from __future__ import annotations

import os
from pathlib import Path


def data_directories() -> tuple[Path, ...]:
    """The folders in which data sets and weights are looked for, in this order.

    `MMZOO_DATA_DIR`, which may be read-only, then the user's cache.
    """
    given = os.environ.get("MMZOO_DATA_DIR")
    cache = cache_directory()
    return (Path(given).expanduser(), cache) if given else (cache,)


def data_directory() -> Path:
    """The folder that downloads go to: the first of `data_directories` that can be written."""
    folders = data_directories()
    return next((folder for folder in folders if _writable(folder)), folders[-1])


def cache_directory() -> Path:
    """The user's cache: `MMZOO_CACHE_DIR`, else a folder where the platform has such."""
    import platformdirs

    given = os.environ.get("MMZOO_CACHE_DIR")
    return Path(given).expanduser() if given else platformdirs.user_cache_path("mmzoo")


def features_directory() -> Path:
    """The folder of features that frozen encoders made: of the cache, never of MMZOO_DATA_DIR."""
    return cache_directory() / "features"


def _writable(folder: Path) -> bool:
    """Whether files can be made in the folder, which itself may still have to be made."""
    nearest = next(parent for parent in (folder, *folder.parents) if os.path.exists(parent))
    # To root, who is every container's user, all folders can be written; one whose mode lets nobody
    # write is still meant to be left alone.
    marked = nearest.stat().st_mode & 0o222
    return nearest.is_dir() and bool(marked) and os.access(nearest, os.W_OK | os.X_OK)
