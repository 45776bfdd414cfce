"""Hashes of files, as they are published beside them."""

from __future__ import annotations

import hashlib
from pathlib import Path


def algorithm_of(digest: str) -> str:
    """Which hash a digest in hexadecimal is of, by its length."""
    return "md5" if len(digest) == 32 else "sha256"


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """The file's hash, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
