"""Folders of data sets, pretrained weights and caches."""

from __future__ import annotations

import os
from pathlib import Path


def data_directories() -> tuple[Path, ...]:
    """The folders to search for data sets and weights, in this order.

    `MMZOO_DATA_DIR`, which may be read-only, then the user's cache.
    """
    given = os.environ.get("MMZOO_DATA_DIR")
    cache = cache_directory()
    return (Path(given).expanduser(), cache) if given else (cache,)


def data_directory() -> Path:
    """The folder for downloads: the first writable one of `data_directories`."""
    folders = data_directories()
    return next((folder for folder in folders if _writable(folder)), folders[-1])


def cache_directory() -> Path:
    """The user's cache: `MMZOO_CACHE_DIR`, else the platform's cache folder."""
    import platformdirs

    given = os.environ.get("MMZOO_CACHE_DIR")
    return Path(given).expanduser() if given else platformdirs.user_cache_path("mmzoo")


def features_directory() -> Path:
    """The folder of cached features: in the cache, never in MMZOO_DATA_DIR."""
    return cache_directory() / "features"


def _writable(folder: Path) -> bool:
    """Whether files can be created in the folder, which itself need not exist yet."""
    nearest = next(parent for parent in (folder, *folder.parents) if os.path.exists(parent))
    # Root, the user of most containers, can write everywhere; a folder whose mode is read-only is
    # still respected.
    marked = nearest.stat().st_mode & 0o222
    return nearest.is_dir() and bool(marked) and os.access(nearest, os.W_OK | os.X_OK)
