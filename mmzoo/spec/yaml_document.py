"""A config before validation: plain values, with the location of each in the file or `--set`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mmzoo.errors import ConfigError
from mmzoo.spec.wording import KeyPath, describe, dotted

MAX_DEPTH = 20
"""Maximum nesting of mappings and lists; configs need fewer than ten levels."""

TOO_DEEP = f"mappings and lists go more than {MAX_DEPTH} deep here"


@dataclass(frozen=True, order=True)
class Location:
    """The location of a value. Locations sort in reading order: the file, then the overrides."""

    override: int
    """0 for the file, n for the n-th `--set`."""
    line: int
    column: int
    text: str
    """`configs/mnist_cnn.yaml:7:21`, or `--set train.epochs=3`."""


@dataclass(frozen=True)
class LocatedProblem:
    """A problem and its location, which is None for values from Python."""

    location: Location | None
    path: KeyPath
    message: str
    unknown: bool = False
    """Whether it is about an unknown field, without which the rest may be valid."""

    def __str__(self) -> str:
        parts = (self.location.text if self.location else "", dotted(self.path), self.message)
        return ": ".join(part for part in parts if part)


def config_error(problems: Iterable[LocatedProblem]) -> ConfigError:
    """One error that lists all problems, a line each, in the order of their locations."""
    start = Location(0, 0, 0, "")
    ordered = sorted(problems, key=lambda problem: problem.location or start)
    return ConfigError("\n".join(dict.fromkeys(map(str, ordered))))


@dataclass(frozen=True)
class Document:
    """Plain values, with the locations of the values and of their keys.

    Mappings are dicts with string keys and sequences are tuples, as specs require.
    """

    values: Any
    locations: Mapping[KeyPath, Location] = field(default_factory=dict)
    key_locations: Mapping[KeyPath, Location] = field(default_factory=dict)

    def without(self, paths: Iterable[KeyPath]) -> Document:
        """A copy without the values at the given paths."""
        values = self.values
        for path in paths:
            values = _without(values, path)
        return replace(self, values=values)

    def location(self, path: KeyPath) -> Location | None:
        """The location of a value or, if it is missing, of the mapping that should contain it."""
        prefixes = (path[:length] for length in range(len(path), -1, -1))
        return next(
            (self.locations[prefix] for prefix in prefixes if prefix in self.locations), None
        )

    def key_location(self, path: KeyPath) -> Location | None:
        """The location of a value's key."""
        return self.key_locations.get(path) or self.location(path)


def _without(values: Any, path: KeyPath) -> Any:
    """A copy of nested mappings and tuples without one key."""
    step, *rest = path
    if isinstance(values, tuple):
        index = int(step)
        return (*values[:index], _without(values[index], tuple(rest)), *values[index + 1 :])
    if rest:
        return {**values, step: _without(values[step], tuple(rest))}
    return {name: value for name, value in values.items() if name != step}


def document_from_mapping(mapping: Mapping[str, Any]) -> Document:
    """A document of Python values: lists become tuples, and mappings become dicts.

    Raises:
        ConfigError: a key is not a string, or values are nested too deeply.
    """
    return Document(_plain(mapping, ()))


def _plain(value: Any, path: KeyPath) -> Any:
    if not isinstance(value, Mapping | list | tuple):
        return value
    if len(path) >= MAX_DEPTH:
        raise config_error([LocatedProblem(None, path, TOO_DEEP)])
    if not isinstance(value, Mapping):
        return tuple(_plain(item, (*path, index)) for index, item in enumerate(value))
    for key in value:
        if not isinstance(key, str):
            raise config_error(
                [LocatedProblem(None, path, f"a name must be text, got {describe(key)}")]
            )
    return {key: _plain(item, (*path, key)) for key, item in value.items()}
