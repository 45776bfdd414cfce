"""Nodes of a config: values side by side with the types that are expected there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mmzoo.spec.expected_types import ExpectedType
from mmzoo.spec.spec_model import Spec
from mmzoo.spec.wording import KeyPath


@dataclass(frozen=True)
class ConfigNode:
    """A value of a config, with its path and the type that is expected there."""

    expected: ExpectedType
    path: KeyPath
    value: Any
    has_default: bool = False
    default: Any = None
    family: Mapping[str, type[Spec]] = field(default_factory=dict)
    """If `type` selected the spec: all specs to choose from, by `type`."""

    def child(self, step: str | int) -> ConfigNode | None:
        """The node of a field, a mapping's key or a list's item; None if it does not exist."""
        expected, path = self.expected, (*self.path, step)
        value = _get(self.value, step)
        if expected.spec:
            known = expected.spec.model_fields.get(str(step))
            if known is None:
                return None
            default = None if known.is_required() else known.get_default()
            expected = ExpectedType.from_annotation(known.annotation, known)
            return ConfigNode(expected, path, value, not known.is_required(), default)
        if expected.kind is dict:
            return ConfigNode(expected.parts[1], path, value)
        if expected.is_list() and isinstance(step, int):
            item = expected.item(step)
            return ConfigNode(item, path, value) if item else None
        return None

    def children(self) -> Iterator[ConfigNode]:
        """The nodes of all given values that are expected."""
        steps = self.value if isinstance(self.value, dict) else range(len(self.value))
        yield from (child for step in steps if (child := self.child(step)))

    def resolve(self) -> ConfigNode | None:
        """This node with a union resolved to its only mapping or list, or to the spec of a `type`.

        None if the value is not a mapping or list, or if the union cannot be resolved.
        """
        member = self.expected.member_for(self.value)
        if member is None:
            return None
        if member.discriminator is not None:
            return self.of_type(self.value.get(member.discriminator))
        return replace(self, expected=member)

    def of_type(self, name: Any) -> ConfigNode | None:
        """This node with the spec of a `type`; None if there is no such type."""
        member = self.expected.member_for(self.value)
        family = member.family if member else {}
        spec = family.get(name) if isinstance(name, str) else None
        return replace(self, expected=ExpectedType(spec), family=family) if spec else None


def _get(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (TypeError, KeyError, IndexError):
        return None


def longest_default_path(top: ConfigNode, path: KeyPath) -> KeyPath | None:
    """The longest prefix of a path that is a field with a default; None if there is none."""
    longest = None
    node: ConfigNode | None = top
    for step in path:
        child = node.child(step) if node else None
        if child is None:
            break
        if child.has_default:
            longest = child.path
        node = child.resolve()
    return longest


def missing_types(node: ConfigNode) -> Iterator[ConfigNode]:
    """Yields the mappings without a `type` in families with a single member.

    Pydantic requires the type only if a family has several members; files without it would break
    when the family grows.
    """
    resolved = node.resolve()
    if resolved is None:
        return
    spec = resolved.expected.spec if resolved.expected.family else None
    if spec and "type" not in node.value and not spec.model_fields["type"].is_required():
        yield resolved
    for child in resolved.children():
        yield from missing_types(child)
