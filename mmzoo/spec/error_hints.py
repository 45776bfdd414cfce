"""Suggested fixes for a value of the wrong type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mmzoo.spec.expected_types import Expected
from mmzoo.spec.spec_model import Spec
from mmzoo.spec.wording import KeyPath, flow, nearest, there_are
from mmzoo.spec.yaml_reader import read_scalar


@dataclass(frozen=True)
class Spot:
    """One place of a config; from the top, `child` goes down to every other."""

    expected: Expected
    path: KeyPath
    value: Any
    has_default: bool = False
    default: Any = None
    family: Mapping[str, type[Spec]] = field(default_factory=dict)
    """Where a type chose the spec: all that there are to choose from, by their types."""

    def child(self, step: str | int) -> Spot | None:
        """The spot of a field, of a name in a mapping or of an item in a list, if there is one."""
        expected, path = self.expected, (*self.path, step)
        value = _get(self.value, step)
        if expected.spec:
            known = expected.spec.model_fields.get(str(step))
            if known is None:
                return None
            default = None if known.is_required() else known.get_default()
            expected = Expected.of(known.annotation, known)
            return Spot(expected, path, value, not known.is_required(), default)
        if expected.kind is dict:
            return Spot(expected.parts[1], path, value)
        if expected.is_list() and isinstance(step, int):
            item = expected.item(step)
            return Spot(item, path, value) if item else None
        return None

    def children(self) -> Iterator[Spot]:
        """The spots of all that came and is known here."""
        steps = self.value if isinstance(self.value, dict) else range(len(self.value))
        yield from (child for step in steps if (child := self.child(step)))

    def meant(self) -> Spot | None:
        """This spot with what is meant of a choice: the only mapping or list, the spec of a type.

        None for a value that is no mapping or list, and where the choice cannot be told.
        """
        member = self.expected.member_for(self.value)
        if member is None:
            return None
        if member.discriminator is not None:
            return self.of_type(self.value.get(member.discriminator))
        return replace(self, expected=member)

    def of_type(self, name: Any) -> Spot | None:
        """This spot with the spec that has the type's name."""
        member = self.expected.member_for(self.value)
        family = member.family if member else {}
        spec = family.get(name) if isinstance(name, str) else None
        return replace(self, expected=Expected(spec), family=family) if spec else None


def _get(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (TypeError, KeyError, IndexError):
        return None


def with_default(top: Spot, path: KeyPath) -> KeyPath | None:
    """The longest part of a path that leads to a field with a default, if any does."""
    longest = None
    spot: Spot | None = top
    for step in path:
        child = spot.child(step) if spot else None
        if child is None:
            break
        if child.has_default:
            longest = child.path
        spot = child.meant()
    return longest


def untyped(spot: Spot) -> Iterator[Spot]:
    """Yields the mappings that leave out `type` where the family has one member.

    Pydantic asks for a type where a family has several members, and takes the default where it has
    one; files would break when the family grows.
    """
    meant = spot.meant()
    if meant is None:
        return
    spec = meant.expected.spec if meant.expected.family else None
    if spec and "type" not in spot.value and not spec.model_fields["type"].is_required():
        yield meant
    for child in meant.children():
        yield from untyped(child)


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
