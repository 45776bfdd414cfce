"""The config of an experiment as it was requested, before anything was read off the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmzoo.config import Config

_KEEP = "train.frozen_features.keep"


def requested_config(config: Config) -> dict[str, Any]:
    """The values of a config that is not fitted yet, by dotted path, as JSON has them."""
    return {path: as_json(value) for path, value in flatten(config.model_dump()).items()}


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values of a nested mapping by dotted path: `{"train.epochs": 5, ...}`.

    `train.frozen_features.keep` has the same value for "memory" and "disk", since both give the
    same features.
    """
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    if flat.get(_KEEP) == "memory":
        flat[_KEEP] = "disk"
    return flat


def as_json(value: Any) -> Any:
    """A value of a config as it comes back from JSON, where a tuple is a list."""
    if isinstance(value, tuple | list):
        return [as_json(one) for one in value]
    if isinstance(value, Mapping):
        return {key: as_json(one) for key, one in value.items()}
    return value
