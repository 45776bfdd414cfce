"""Integrity cache: hashes of files that decoded without errors, so they are decoded only once.

The user's cache directory has one file of hashes for each type of input: a line that names the
versions of the decoders, a sha256 of what follows, and for each content the first 32 hex digits of
its sha256, the latest last. A file that is damaged, or was written with other decoders, counts as
empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from mmzoo import __version__
from mmzoo.directories import cache_directory
from mmzoo.files import replacing
from mmzoo.lazy import np

_DECODERS = ("tensorflow", "pillow", "soundfile")
_MAX_HASHES = 2**20
"""Number of hashes that are cached, the latest: 32 MB."""
_DIGITS = 32


class IntegrityCache:
    """The contents of one type of file that decoded without errors or flaws before."""

    def __init__(self, kind: str) -> None:
        """Reads the cache.

        Args:
            kind: `type` of the input that reads the files.
        """
        self._path = cache_directory() / "intact_files" / kind
        self._known = np.sort(_read(self._path))

    def __contains__(self, sha256: str) -> bool:
        digits = sha256[:_DIGITS].encode()
        index = np.searchsorted(self._known, np.bytes_(digits))
        return bool(index < len(self._known) and self._known[index] == digits)

    def add(self, hashes: Sequence[str]) -> None:
        """Adds the sha256 of contents, as hex digits; those that are known are not written."""
        new = np.unique(np.array([one[:_DIGITS] for one in hashes if one not in self], _dtype()))
        if len(new):
            # If the cache cannot be written, files are decoded again next time.
            with suppress(OSError):
                _append(self._path, new)


def _dtype() -> np.dtype[np.bytes_]:
    return np.dtype(f"S{_DIGITS}")


def _read(path: Path) -> np.ndarray:
    """Hashes in a file; empty if it is missing, damaged or of other decoders."""
    nothing = np.empty(0, _dtype())
    try:
        header, _, rest = path.read_bytes().partition(b"\n")
    except OSError:
        return nothing
    digest, body = rest[:_DIGITS], rest[_DIGITS:]
    if header != _header() or digest != hashlib.sha256(body).digest() or len(body) % _DIGITS:
        return nothing
    return np.frombuffer(body, _dtype())


def _append(path: Path, hashes: np.ndarray) -> None:
    """Appends hashes; reads the file again, since another process may have added some."""
    before = _read(path)
    body = np.concatenate([before[~np.isin(before, hashes)], hashes])[-_MAX_HASHES:].tobytes()
    with replacing(path) as temporary:
        temporary.write_bytes(_header() + b"\n" + hashlib.sha256(body).digest() + body)


def _header() -> bytes:
    packages = ", ".join(f"{package} {version(package)}" for package in _DECODERS)
    return f"intact files, by mmzoo {__version__}, {packages}".encode()
