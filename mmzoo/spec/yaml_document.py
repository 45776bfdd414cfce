"""Document: the plain values of a config, and the place where each of them was written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mmzoo.errors import ConfigError
from mmzoo.spec.wording import KeyPath, describe, dotted

MAX_DEPTH = 20
"""Mappings and lists within one another; a config needs less than ten."""

TOO_DEEP = f"mappings and lists go more than {MAX_DEPTH} deep here"


@dataclass(frozen=True, order=True)
class Place:
    """Where something was written. Places sort as a reader meets them: the file, then overrides."""

    override: int
    """0 for the file, n for the n-th `--set`."""
    line: int
    column: int
    text: str
    """`configs/mnist_cnn.yaml:7:21`, or `--set train.epochs=3`."""


@dataclass(frozen=True)
class Finding:
    """A problem with its place, which is None where the values came from Python."""

    place: Place | None
    path: KeyPath
    message: str
    unknown: bool = False
    """Whether it is about a name that is not a field: without it, the rest may well be right."""

    def __str__(self) -> str:
        parts = (self.place.text if self.place else "", dotted(self.path), self.message)
        return ": ".join(part for part in parts if part)


def config_error(findings: Iterable[Finding]) -> ConfigError:
    """One error with all findings, one a line, in the order of their places."""
    start = Place(0, 0, 0, "")
    ordered = sorted(findings, key=lambda finding: finding.place or start)
    return ConfigError("\n".join(dict.fromkeys(map(str, ordered))))


@dataclass(frozen=True)
class Document:
    """Plain values, with the places of the values and of the names before them.

    Values are as specs take them: mappings are dicts with text for keys, sequences are tuples.
    """

    values: Any
    places: Mapping[KeyPath, Place] = field(default_factory=dict)
    keys: Mapping[KeyPath, Place] = field(default_factory=dict)

    def without(self, paths: Iterable[KeyPath]) -> Document:
        """The same document where some names were never written."""
        values = self.values
        for path in paths:
            values = _without(values, path)
        return replace(self, values=values)

    def place(self, path: KeyPath) -> Place | None:
        """Where the value was written or, if it was not, the mapping that lacks it."""
        prefixes = (path[:length] for length in range(len(path), -1, -1))
        return next((self.places[prefix] for prefix in prefixes if prefix in self.places), None)

    def key_place(self, path: KeyPath) -> Place | None:
        """Where the name before the value was written."""
        return self.keys.get(path) or self.place(path)


def _without(values: Any, path: KeyPath) -> Any:
    """A copy of nested mappings and tuples without one name; the original stays as it is."""
    step, *rest = path
    if isinstance(values, tuple):
        index = int(step)
        return (*values[:index], _without(values[index], tuple(rest)), *values[index + 1 :])
    if rest:
        return {**values, step: _without(values[step], tuple(rest))}
    return {name: value for name, value in values.items() if name != step}


def document_of(mapping: Mapping[str, Any]) -> Document:
    """A document of Python values: lists become tuples, mappings dicts, the rest stays as it is.

    Raises:
        ConfigError: a name is not text, or values are nested without end.
    """
    return Document(_plain(mapping, ()))


def _plain(value: Any, path: KeyPath) -> Any:
    if not isinstance(value, Mapping | list | tuple):
        return value
    if len(path) >= MAX_DEPTH:
        raise config_error([Finding(None, path, TOO_DEEP)])
    if not isinstance(value, Mapping):
        return tuple(_plain(item, (*path, index)) for index, item in enumerate(value))
    for key in value:
        if not isinstance(key, str):
            raise config_error([Finding(None, path, f"a name must be text, got {describe(key)}")])
    return {key: _plain(item, (*path, key)) for key, item in value.items()}
