"""Spot: one place of a config, with what it takes and what came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mmzoo.spec.base import Spec
from mmzoo.spec.expected import Expected
from mmzoo.spec.words import KeyPath


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
