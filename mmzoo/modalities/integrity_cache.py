"""Integrity cache: hashes of files that decoded without errors, so they are decoded only once.

The user's cache directory has one file of hashes for each type of input: a line that names the
versions of the decoders, a sha256 of what follows, and for each content the first 32 hex digits of
its sha256, the latest last. A file that is damaged, or was written with other decoders, counts as
empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mmzoo import __version__
from mmzoo.directories import cache_directory
from mmzoo.files import replacing
from mmzoo.lazy import np

_DECODERS = ("tensorflow", "pillow", "soundfile")
_MAX_HASHES = 2**20
"""Number of hashes that are cached, the latest: 32 MB."""
_DIGITS = 32
_DTYPE = f"S{_DIGITS}"


def find_newly_corrupt(
    kind: str, files: np.ndarray, find_corrupt: Callable[[np.ndarray], dict[int, str]]
) -> dict[int, str]:
    """Decodes the files whose contents are not in the cache yet.

    Args:
        kind: `type` of the input that reads them.
        files: bytes `[rows, parts]`; the last part is the sha256 of the content.
        find_corrupt: decodes files and returns row -> reason for those that are corrupt.

    Returns:
        Row -> why its file cannot be decoded, as a clause.
    """
    path = cache_directory() / "found_whole" / kind
    hashes = np.ascontiguousarray(files[:, -1]).astype(_DTYPE)
    unknown = np.flatnonzero((files[:, 0] != b"") & ~np.isin(hashes, _read(path)))
    if not len(unknown):
        return {}
    corrupt = find_corrupt(files[unknown])
    intact = np.delete(hashes[unknown], sorted(corrupt))
    if len(intact):
        # If the cache cannot be written, files are decoded again next time.
        with suppress(OSError):
            _add(path, intact)
    return {int(unknown[row]): reason for row, reason in corrupt.items()}


def _read(path: Path) -> np.ndarray:
    """Hashes in a file; empty if it is missing, damaged or of other decoders."""
    nothing = np.empty(0, _DTYPE)
    try:
        header, _, rest = path.read_bytes().partition(b"\n")
    except OSError:
        return nothing
    digest, body = rest[:_DIGITS], rest[_DIGITS:]
    if header != _header() or digest != hashlib.sha256(body).digest() or len(body) % _DIGITS:
        return nothing
    return np.frombuffer(body, _DTYPE)


def _add(path: Path, hashes: np.ndarray) -> None:
    """Appends hashes; reads the file again, since another process may have added some."""
    hashes = np.unique(hashes)
    before = _read(path)
    body = np.concatenate([before[~np.isin(before, hashes)], hashes])[-_MAX_HASHES:].tobytes()
    with replacing(path) as temporary:
        temporary.write_bytes(_header() + b"\n" + hashlib.sha256(body).digest() + body)


def _header() -> bytes:
    from importlib.metadata import version

    packages = ", ".join(f"{package} {version(package)}" for package in _DECODERS)
    return f"found whole by mmzoo {__version__}, {packages}".encode()
