"""Suggested fixes for a value of the wrong type."""

from __future__ import annotations

from typing import Any

from mmzoo.spec.expected_types import ExpectedType
from mmzoo.spec.spec_model import Spec
from mmzoo.spec.wording import flow_yaml, list_choices, nearest
from mmzoo.spec.yaml_reader import read_scalar

_BOOL_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "y"), "true"),
    **dict.fromkeys(("false", "no", "off", "n"), "false"),
}
"""Words for true and false in YAML 1.1 and Python."""


def suggest_fix(expected: ExpectedType, value: Any, has_default: bool) -> str:
    """A suggested fix, as `; write [128]` or `; did you mean 'same'?`; "" if there is none."""
    if isinstance(value, str):
        guess = _suggest_for_text(expected, value)
        if guess:
            return guess
    elif isinstance(value, int | float) and expected.accepts(str):
        return "; put it in quotes"
    elif value is None:
        return "; leave it out for the default" if has_default else suggest_type(expected)
    elif isinstance(value, float) and value.is_integer() and expected.accepts(int):
        return f"; write {int(value)}"
    if isinstance(value, str | int | float):
        if _item_accepts(expected, value):
            return f"; write [{flow_yaml(value)}]"
        if expected.spec and not expected.family:
            return _suggest_fields(expected, expected.spec, value)
    return ""


def _suggest_fields(expected: ExpectedType, spec: type[Spec], value: str | int | float) -> str:
    """`; write {patience: 3}`, for 3, or with a default for a value that no field takes."""
    if value is False and expected.nullable:
        return "; write null"
    default = None
    for name, info in spec.model_fields.items():
        field = ExpectedType.from_annotation(info.annotation, info)
        if value in field.choices or (value is not True and field.accepts(*_kinds(value))):
            return f"; write {{{name}: {flow_yaml(value)}}}"
        if default is None and isinstance(info.default, str | int | float):
            default = f"; write {{{name}: {flow_yaml(info.default)}}}"
    return default or ""


def _suggest_for_text(expected: ExpectedType, text: str) -> str:
    choice = nearest(text, expected.choices)
    if choice:
        return f"; did you mean '{choice}'?"
    near = nearest(text, _types(expected))
    if near:
        return f"; write {{type: {near}}}"
    if expected.accepts(bool) and text.casefold() in _BOOL_WORDS:
        return f"; write {_BOOL_WORDS[text.casefold()]}"
    if expected.nullable and text.casefold() == "none":
        return "; write null"
    if _reads_as(text, expected):
        return "; take the quotes off"
    return suggest_type(expected)


def suggest_type(expected: ExpectedType) -> str:
    """`; write {type: NAME}. There are: cnn, lenet`, or "" if the value has no `type`."""
    types = _types(expected)
    return f"; write {{type: NAME}}. {list_choices(types)}" if types else ""


def _types(expected: ExpectedType) -> list[str]:
    return [name for member in expected.members for name in member.family]


def _reads_as(text: str, expected: ExpectedType) -> bool:
    try:
        value = read_scalar(text)
    except ValueError:
        return False
    return isinstance(value, int | float) and expected.accepts(*_kinds(value))


def _item_accepts(expected: ExpectedType, value: Any) -> bool:
    """Whether a list of this value would be valid."""
    if not expected.is_list(of_any_length=True):
        return False
    return expected.parts[0].accepts(*_kinds(value)) or value in expected.parts[0].choices


def _kinds(value: str | int | float) -> tuple[type, ...]:
    """The types that accept a value: an int is also a float, but a bool is neither."""
    return (int, float) if type(value) is int else (type(value),)
