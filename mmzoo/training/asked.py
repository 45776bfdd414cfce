"""What an experiment was asked to be, before its data told anything: flat, by dotted paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmzoo.config import Config

_KEEP = "train.frozen_features.keep"


def asked(config: Config) -> dict[str, Any]:
    """An experiment as it was asked for, before its data told anything, to be written down."""
    return {path: as_json(value) for path, value in flat(config.model_dump()).items()}


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values of a config by their dotted paths."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    if found.get(_KEEP) == "memory":
        found[_KEEP] = "disk"  # The same features, wherever they are.
    return found


def as_json(value: Any) -> Any:
    """A value of a config as it comes back from JSON, where a tuple is a list."""
    if isinstance(value, tuple | list):
        return [as_json(one) for one in value]
    if isinstance(value, Mapping):
        return {key: as_json(one) for key, one in value.items()}
    return value
