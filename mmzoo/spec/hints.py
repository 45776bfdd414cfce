"""How to mend a value that is not what was expected."""

from __future__ import annotations

from typing import Any

from mmzoo.spec.expected import Expected
from mmzoo.spec.scalars import read_scalar
from mmzoo.spec.words import flow, nearest, there_are

_MEANT_AS_BOOL = {
    **dict.fromkeys(("true", "yes", "on", "y"), "true"),
    **dict.fromkeys(("false", "no", "off", "n"), "false"),
}
"""What YAML 1.1 and Python write for true and false."""


def hint(expected: Expected, value: Any, has_default: bool) -> str:
    """`; write [128]`, `; did you mean 'same'?`, or nothing where no slip can be guessed."""
    if isinstance(value, str):
        guess = _hint_for_text(expected, value)
        if guess:
            return guess
    elif isinstance(value, int | float) and expected.takes(str):
        return "; put it in quotes"
    elif value is None:
        return "; leave it out for the default" if has_default else type_hint(expected)
    elif isinstance(value, float) and value.is_integer() and expected.takes(int):
        return f"; write {int(value)}"
    if isinstance(value, str | int | float) and _item_takes(expected, value):
        return f"; write [{flow(value)}]"
    return ""


def _hint_for_text(expected: Expected, text: str) -> str:
    choice = nearest(text, expected.choices)
    if choice:
        return f"; did you mean '{choice}'?"
    near = nearest(text, _types(expected))
    if near:
        return f"; write {{type: {near}}}"
    if expected.takes(bool) and text.casefold() in _MEANT_AS_BOOL:
        return f"; write {_MEANT_AS_BOOL[text.casefold()]}"
    if expected.nullable and text.casefold() == "none":
        return "; write null"
    if _reads_as(text, expected):
        return "; take the quotes off"
    return type_hint(expected)


def type_hint(expected: Expected) -> str:
    """`; write {type: NAME}. There are: cnn, lenet`, or nothing where there is no such choice."""
    types = _types(expected)
    return f"; write {{type: NAME}}. {there_are(types)}" if types else ""


def _types(expected: Expected) -> list[str]:
    return [name for member in expected.members for name in member.family]


def _reads_as(text: str, expected: Expected) -> bool:
    try:
        value = read_scalar(text)
    except ValueError:
        return False
    return isinstance(value, int | float) and expected.takes(*_kinds(value))


def _item_takes(expected: Expected, value: Any) -> bool:
    """Whether a list of this one value might do."""
    if not expected.is_list(of_any_length=True):
        return False
    return expected.parts[0].takes(*_kinds(value)) or value in expected.parts[0].choices


def _kinds(value: str | int | float) -> tuple[type, ...]:
    """The types that a value will do for: a whole number is a number, but `true` is neither."""
    return (int, float) if type(value) is int else (type(value),)
