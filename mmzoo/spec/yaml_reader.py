"""A strict YAML reader: plain values with locations; ambiguous YAML is rejected."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml
from yaml.reader import ReaderError

from mmzoo.errors import ConfigError
from mmzoo.spec.wording import KeyPath, describe, escape
from mmzoo.spec.yaml_document import (
    MAX_DEPTH,
    TOO_DEEP,
    Document,
    LocatedProblem,
    Location,
    config_error,
)

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER = re.compile(r"[-+]?[0-9]+(_[0-9]+)*")
_BASED_INTEGER = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(_[0-9]+)*(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAX_DIGITS = 100


def read_scalar(text: str) -> Scalar:
    """The value of an unquoted scalar. `on`, `off`, `yes` and `no` are strings.

    Raises:
        ValueError: an ambiguous integer (`010` is 8 in YAML 1.1 and 10 in YAML 1.2), or one of
            more than 100 digits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _read_integer(text)
    if _BASED_INTEGER.fullmatch(text):
        return int(_check_digits(text), 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def _read_integer(text: str) -> int:
    digits = text.lstrip("+-")
    if digits.startswith("0") and len(digits) > 1:
        plain = _check_digits(text).lstrip("+").replace("_", "")
        raise ValueError(
            f"a number that starts with 0 is read differently by different programs; "
            f"write {int(plain)} for the number or '{text}' for the text"
        )
    return int(_check_digits(text))


def _check_digits(digits: str) -> str:
    # Python parses integers in quadratic time, and rejects more than a few thousand digits.
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a whole number of {len(digits)} digits; at most {_MAX_DIGITS} are read")
    return digits


_UNCLOSED = {
    "while parsing a flow sequence": "this '[' is not closed, or a ',' is missing after it",
    "while parsing a flow mapping": "this '{' is not closed, or a ',' is missing after it",
    "while scanning a quoted scalar": "this quote is not closed",
}
"""PyYAML's context -> message at its start, which is clearer than where parsing failed."""

_PROBLEMS = {
    "mapping values are not allowed": (
        "a ':' is not expected here; fix the indentation, or put text that holds ': ' in quotes"
    ),
    "sequence entries are not allowed": "a '-' is not expected here; fix the indentation",
    "could not find expected ':'": "a ':' is missing before this, or the indentation is wrong",
    "expected <block end>": "this line is not indented like those that it belongs with",
    "expected alphabetic or numeric character": "text that starts with '*' or '&' needs quotes",
    "found character": "text that starts with this character needs quotes",
    "found unknown escape character": (
        "double quotes read '\\' as an escape; write '\\\\', or use single quotes"
    ),
}
"""Start of PyYAML's problem -> message."""

_TAB = "a tab; YAML is indented with spaces"


def syntax_problem(error: yaml.YAMLError, text: str) -> tuple[int, int, str]:
    """Line and column of a syntax error, both counted from 1, and the message."""
    if isinstance(error, ReaderError):
        return _control_character(text, error.position)
    assert isinstance(error, yaml.MarkedYAMLError)
    mark = error.problem_mark or error.context_mark
    assert mark is not None  # Errors of scanning and parsing always have one.
    tab = _tab_in_indentation(text, mark.line)
    if tab is not None:
        return mark.line + 1, tab + 1, _TAB
    if error.context in _UNCLOSED and error.context_mark:
        start = error.context_mark
        return start.line + 1, start.column + 1, _UNCLOSED[error.context]
    return mark.line + 1, mark.column + 1, _explain(error.problem or "")


def _explain(problem: str) -> str:
    words = (words for start, words in _PROBLEMS.items() if problem.startswith(start))
    return next(words, f"this is not YAML: {escape(problem)}")


def _tab_in_indentation(text: str, line: int) -> int | None:
    lines = text.splitlines()
    content = lines[line] if line < len(lines) else ""
    indentation = content[: len(content) - len(content.lstrip())]
    return indentation.index("\t") if "\t" in indentation else None


def _control_character(text: str, position: int) -> tuple[int, int, str]:
    before = text[:position]
    line = before.count("\n") + 1
    column = position - (before.rfind("\n") + 1) + 1
    return line, column, f"the character U+{ord(text[position]):04X} is not allowed; take it out"


LocationOf = Callable[[int, int], Location]
"""(line, column), both counted from 1 -> location."""


def read_document(text: str, name: str) -> Document:
    """Parses a whole file, which is called `name` in messages.

    Raises:
        ConfigError: lists everything that is not allowed, or the first syntax error.
    """
    name = escape(name)
    if not text.strip():
        raise ConfigError(f"{name}: the file is empty")
    document = read_value(
        text, lambda line, column: Location(0, line, column, f"{name}:{line}:{column}")
    )
    if document is None:
        raise ConfigError(f"{name}: the file holds nothing but comments")
    if not isinstance(document.values, dict):
        message = f"expected names with values (`name: mnist`), got {describe(document.values)}"
        raise config_error([LocatedProblem(document.location(()), (), message)])
    return document


def read_value(text: str, location_of: LocationOf, path: KeyPath = ()) -> Document | None:
    """Parses a single value, at `path` in messages; None if the text is empty."""
    return _Reader(text, location_of).read(path)


class _Reader:
    """Walks PyYAML's events and collects all problems."""

    def __init__(self, text: str, location_of: LocationOf) -> None:
        self._text = text
        self._location_of = location_of
        self._locations: dict[KeyPath, Location] = {}
        self._key_locations: dict[KeyPath, Location] = {}
        self._problems: list[LocatedProblem] = []

    def read(self, path: KeyPath) -> Document | None:
        try:
            # The C parser is not always installed, accepts tabs and reports other locations. The
            # Python parser is fast enough for a config.
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
            self._problems.append(LocatedProblem(self._location_of(line, column), (), message))
        if self._problems:
            raise config_error(self._problems)
        return Document(values, self._locations, self._key_locations)

    def _value(self, path: KeyPath) -> Any:
        event = self._events.get_event()
        self._locations[path] = self._location(event)
        self._refuse_references(event, path)
        if isinstance(event, yaml.AliasEvent):
            return None
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if len(path) >= MAX_DEPTH:
            # Stop here, as the nesting may be endless.
            self._refuse(event, path, TOO_DEEP)
            raise config_error(self._problems)
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
            location = self._location(self._events.peek_event())
            key = self._key(path)
            key_path = (*path, key)
            if key in values:
                first = self._key_locations[key_path].line
                lines = "on this line" if first == location.line else f"here and on line {first}"
                message = f"given twice, {lines}; keep one"
                self._problems.append(LocatedProblem(location, key_path, message))
            self._key_locations.setdefault(key_path, location)
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
        self._problems.append(LocatedProblem(self._location(event), path, message))

    def _location(self, event: yaml.Event) -> Location:
        mark = event.start_mark
        assert mark is not None  # Events that are parsed from text have marks.
        return self._location_of(mark.line + 1, mark.column + 1)


def _is_plain(event: yaml.ScalarEvent) -> bool:
    return event.style is None
