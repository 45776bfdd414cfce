"""Origin: all that features depend on, and so the name that they are kept under."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FORMAT = 1
"""Of entries on disk. What was written in another one has other keys, and is never found."""


@dataclass(frozen=True)
class Origin:
    """All that features were made of.

    Attributes:
        what: the same for people, and no part of the key: `mobilenet_v2 on photos/train`.
        parts: all that the features depend on, by name: hashes of the examples and the weights, the
            specs of the preprocessing and the encoder (as JSON), dtype, copies, versions.
    """

    what: str
    parts: Mapping[str, str | int | float | bool | None]

    @property
    def key(self) -> str:
        """64 hexadecimal digits, equal where all parts are, in whatever order they were given."""
        return digest_of_json({"format": _FORMAT, "parts": dict(self.parts)})


def digest_of_json(value: Any) -> str:
    """The sha256 of a value's one and only way to be written as JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
