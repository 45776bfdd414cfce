"""Reads YAML text into a Document, and refuses what makes YAML surprising.

Nothing is constructed, resolved or merged: anchors, aliases, tags, merge keys, duplicate keys and
keys that are not text are errors, each with its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from mmzoo.errors import ConfigError
from mmzoo.spec.document import MAX_DEPTH, TOO_DEEP, Document, Finding, Place, config_error
from mmzoo.spec.scalars import Scalar, read_scalar
from mmzoo.spec.syntax import syntax_problem
from mmzoo.spec.words import KeyPath, describe, printable

PlaceOf = Callable[[int, int], Place]
"""The place of a line and a column, both counted from 1."""


def read_document(text: str, name: str) -> Document:
    """The document of a whole file, which `name` stands for in messages.

    Raises:
        ConfigError: naming everything that is not allowed, or the first thing that is not YAML.
    """
    name = printable(name)
    if not text.strip():
        raise ConfigError(f"{name}: the file is empty")
    document = read_value(
        text, lambda line, column: Place(0, line, column, f"{name}:{line}:{column}")
    )
    if document is None:
        raise ConfigError(f"{name}: the file holds nothing but comments")
    if not isinstance(document.values, dict):
        message = f"expected names with values (`name: mnist`), got {describe(document.values)}"
        raise config_error([Finding(document.place(()), (), message)])
    return document


def read_value(text: str, place_of: PlaceOf, path: KeyPath = ()) -> Document | None:
    """The document of any one value, which stands at `path` in messages; None if there is none."""
    return _Reader(text, place_of).read(path)


class _Reader:
    """Walks PyYAML's events, and gathers findings so that one reading names them all."""

    def __init__(self, text: str, place_of: PlaceOf) -> None:
        self._text = text
        self._place_of = place_of
        self._places: dict[KeyPath, Place] = {}
        self._keys: dict[KeyPath, Place] = {}
        self._findings: list[Finding] = []

    def read(self, path: KeyPath) -> Document | None:
        try:
            # The C parser is not on every machine, takes tabs that this one refuses, and marks
            # errors elsewhere. A config is small enough for this one.
            self._events = yaml.SafeLoader(self._text)
            self._events.get_event()  # The start of the stream.
            if self._events.check_event(yaml.StreamEndEvent):
                return None
            self._events.get_event()  # The start of the document.
            values = self._value(path)
            self._events.get_event()  # The end of the document.
            if not self._events.check_event(yaml.StreamEndEvent):
                second = self._events.peek_event()
                self._refuse(second, (), "a second document starts here; a config is one document")
        except yaml.YAMLError as error:
            line, column, message = syntax_problem(error, self._text)
            self._findings.append(Finding(self._place_of(line, column), (), message))
        if self._findings:
            raise config_error(self._findings)
        return Document(values, self._places, self._keys)

    def _value(self, path: KeyPath) -> Any:
        event = self._events.get_event()
        self._places[path] = self._place(event)
        self._refuse_references(event, path)
        if isinstance(event, yaml.AliasEvent):
            return None
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if len(path) >= MAX_DEPTH:
            # Reading on could take as long as the nesting goes.
            self._refuse(event, path, TOO_DEEP)
            raise config_error(self._findings)
        return (
            self._list(path) if isinstance(event, yaml.SequenceStartEvent) else self._mapping(path)
        )

    def _list(self, path: KeyPath) -> tuple[Any, ...]:
        items: list[Any] = []
        while not self._events.check_event(yaml.SequenceEndEvent):
            items.append(self._value((*path, len(items))))
        self._events.get_event()
        return tuple(items)

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not self._events.check_event(yaml.MappingEndEvent):
            place = self._place(self._events.peek_event())
            key = self._key(path)
            key_path = (*path, key)
            if key in values:
                first = self._keys[key_path].line
                lines = "on this line" if first == place.line else f"here and on line {first}"
                message = f"given twice, {lines}; keep one"
                self._findings.append(Finding(place, key_path, message))
            self._keys.setdefault(key_path, place)
            values[key] = self._value(key_path)
        self._events.get_event()
        return values

    def _key(self, path: KeyPath) -> str:
        event = self._events.peek_event()
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse(event, path, "a name must be text, not a list, mapping or alias")
            self._value((*path, "?"))
            return "?"
        self._events.get_event()
        self._refuse_references(event, path)
        key = self._scalar(event, path)
        if _is_plain(event) and key == "<<":
            self._refuse(event, path, "merge keys ('<<') are not read; write the values out")
        if _is_plain(event) and ":" in event.value and self._nothing_follows():
            self._refuse(event, path, f"a space is missing after ':' in {describe(event.value)}")
        if not isinstance(key, str):
            kind = describe(key)
            self._refuse(event, path, f"a name must be text, got {kind}; put it in quotes")
        return str(event.value)

    def _nothing_follows(self) -> bool:
        event = self._events.peek_event()
        return isinstance(event, yaml.ScalarEvent) and _is_plain(event) and not event.value

    def _scalar(self, event: yaml.ScalarEvent, path: KeyPath) -> Scalar:
        text = str(event.value)
        if not _is_plain(event):
            return text
        try:
            return read_scalar(text)
        except ValueError as error:
            self._refuse(event, path, str(error))
            return text

    def _refuse_references(self, event: yaml.NodeEvent, path: KeyPath) -> None:
        if isinstance(event, yaml.AliasEvent):
            message = f"aliases (*{event.anchor}) are not read; write the value out"
            self._refuse(event, path, message)
        elif event.anchor is not None:
            message = f"anchors (&{event.anchor}) are not read; take it out"
            self._refuse(event, path, message)
        elif getattr(event, "tag", None) is not None:
            self._refuse(event, path, "tags (words that start with '!') are not read; take it out")

    def _refuse(self, event: yaml.Event, path: KeyPath, message: str) -> None:
        self._findings.append(Finding(self._place(event), path, message))

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None  # PyYAML marks whatever it has read from text.
        return self._place_of(mark.line + 1, mark.column + 1)


def _is_plain(event: yaml.ScalarEvent) -> bool:
    return event.style is None
