"""Found whole: what was decoded without complaint once need not be decoded to be trusted again.

The user's cache has a file of such contents for each kind of input: a line that says what decoded
them, the sha256 of what follows, and 32 digits of each content's own sha256, the latest last. A
file that is torn, or of other decoders, counts as none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mmzoo import __version__
from mmzoo.directories import cache_directory
from mmzoo.files import replacing
from mmzoo.inputs.opened import has_file
from mmzoo.lazy import np

_DECODERS = ("tensorflow", "pillow", "soundfile")
_MOST = 2**20
"""Contents that are kept: 32 MB of them. The latest stay."""
_DIGITS = 32
_DTYPE = f"S{_DIGITS}"


def newly_damaged(
    kind: str, files: np.ndarray, damaged: Callable[[np.ndarray], dict[int, str]]
) -> dict[int, str]:
    """Looks for damage in those files whose content was not found whole before.

    Args:
        kind: The `type` of the input that reads them.
        files: Bytes `[examples, parts]`, the last part the sha256 of what is in the file.
        damaged: Decodes all files that it is given; row -> why one of them cannot be.

    Returns:
        Row -> why its file cannot be decoded, as a clause.
    """

    path = cache_directory() / "found_whole" / kind
    contents = np.ascontiguousarray(files[:, -1]).astype(_DTYPE)
    unknown = np.flatnonzero(has_file(files) & ~np.isin(contents, _read(path)))
    if not len(unknown):
        return {}
    found = damaged(files[unknown])
    whole = np.delete(contents[unknown], sorted(found))
    if len(whole):
        # A cache that cannot be written costs time, and nothing else.
        with suppress(OSError):
            _add(path, whole)
    return {int(unknown[place]): reason for place, reason in found.items()}


def _read(path: Path) -> np.ndarray:
    """The contents in a file; none if it is not there, torn, or of other decoders."""

    nothing = np.empty(0, _DTYPE)
    try:
        head, _, rest = path.read_bytes().partition(b"\n")
    except OSError:
        return nothing
    digest, body = rest[:_DIGITS], rest[_DIGITS:]
    if head != _head() or digest != hashlib.sha256(body).digest() or len(body) % _DIGITS:
        return nothing
    return np.frombuffer(body, _DTYPE)


def _add(path: Path, contents: np.ndarray) -> None:
    """Puts contents behind those that the file has by now: another process may have added some."""

    contents = np.unique(contents)
    before = _read(path)
    body = np.concatenate([before[~np.isin(before, contents)], contents])[-_MOST:].tobytes()
    with replacing(path) as temporary:
        temporary.write_bytes(_head() + b"\n" + hashlib.sha256(body).digest() + body)


def _head() -> bytes:
    from importlib.metadata import version

    packages = ", ".join(f"{package} {version(package)}" for package in _DECODERS)
    return f"found whole by mmzoo {__version__}, {packages}".encode()
