"""Messages for pydantic's validation errors, in terms of the config file.

The locations in pydantic's errors contain the tags and members of unions, and each member of a
union reports errors of its own. Here the locations, annotations and values are walked in parallel,
so that paths are those of the file, and each mistake is reported once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from mmzoo.spec.config_node import ConfigNode, missing_types
from mmzoo.spec.error_hints import suggest_fix, suggest_type
from mmzoo.spec.expected_types import ExpectedType
from mmzoo.spec.field_search import find_below, suggest_field
from mmzoo.spec.spec_model import Spec
from mmzoo.spec.wording import (
    KeyPath,
    by_similarity,
    describe,
    did_you_mean,
    dotted,
    escape,
    list_choices,
    nearest,
    shorten,
)
from mmzoo.spec.yaml_document import Document, LocatedProblem, Location

_PYDANTIC_ERRORS = frozenset(get_args(ErrorType))
_TYPE_MISMATCHES = frozenset(
    [
        *("bool_type", "int_type", "int_from_float", "float_type", "string_type", "literal_error"),
        *("tuple_type", "dict_type", "model_type", "model_attributes_type"),
        *("greater_than", "greater_than_equal", "less_than", "less_than_equal"),
        *("too_short", "too_long", "string_too_short", "string_too_long"),
        "string_pattern_mismatch",
    ]
)
"""Errors for which "expected ..., got ..." says everything."""
_MOST_CHOICES = 12
"""Of a family with more types, only the most similar ones are listed."""
_NEAREST_CHOICES = 6
_LISTS = {"encoder": "encoders", "augment": "augmentations"}
"""Field -> the argument of `mmzoo list` for its large family."""


def located_problems(
    spec: type[Spec], document: Document, error: ValidationError | None
) -> Iterator[LocatedProblem]:
    """Yields a problem for each mistake in a document, from its validation as a spec."""
    top = ConfigNode(ExpectedType(spec), (), document.values)
    walk = _Walk(top, document)
    for node in missing_types(top):
        yield walk.missing_type(node)
    if error is not None:
        errors = [
            _PydanticError(details["loc"], details) for details in error.errors(include_url=False)
        ]
        yield from walk.below(top, errors)


@dataclass(frozen=True)
class _PydanticError:
    """An error of pydantic, with the rest of its location below the current node."""

    route: tuple[str | int, ...]
    details: ErrorDetails

    @property
    def kind(self) -> str:
        return self.details["type"]

    @property
    def is_own(self) -> bool:
        """Whether one of mmzoo's validators raised it."""
        return self.kind in ("value_error", "assertion_error") or self.kind not in _PYDANTIC_ERRORS


class _Walk:
    """Walks down the config along the locations of pydantic's errors."""

    def __init__(self, top: ConfigNode, document: Document) -> None:
        self._top = top
        self._document = document

    def below(self, node: ConfigNode, errors: list[_PydanticError]) -> Iterator[LocatedProblem]:
        if len(node.expected.members) > 1:
            yield from self._in_union(node, errors)
        elif _has_other_length(node):
            yield self._mismatch(node)
        else:
            for error in errors:
                if not error.route:
                    yield from self._at(node, error)
            for step, deeper in _by_first_step(errors).items():
                yield from self._step(node, step, deeper)

    def _in_union(self, node: ConfigNode, errors: list[_PydanticError]) -> Iterator[LocatedProblem]:
        # Pydantic groups errors by a label for each member, in the order of the members.
        by_label = _by_first_step(errors)
        member = node.expected.member_for(node.value)
        own = [error for error in errors if error.is_own]
        if member is not None and len(by_label) == len(node.expected.members):
            deeper = list(by_label.values())[node.expected.members.index(member)]
            yield from self.below(replace(node, expected=member), deeper)
        elif own:
            yield from self._at(node, own[0])
        else:
            yield self._mismatch(node)

    def _step(
        self, node: ConfigNode, step: str | int, errors: list[_PydanticError]
    ) -> Iterator[LocatedProblem]:
        path = (*node.path, step)
        about_name = [error for error in errors if error.route == ("[key]",)]
        if about_name:
            message = f"expected the name to be {node.expected.parts[0].describe()}"
            yield self._problem(path, message, self._document.key_location(path))
            errors = [error for error in errors if error not in about_name]
        if errors:
            yield from self._inside(node, step, errors)

    def _inside(
        self, node: ConfigNode, step: str | int, errors: list[_PydanticError]
    ) -> Iterator[LocatedProblem]:
        path = (*node.path, step)
        first, child = errors[0], node.child(step)
        if node.expected.discriminator is not None:
            yield from self.below(node.of_type(step) or node, errors)
        elif child is None and node.expected.spec:
            message = self._unknown_field(node, node.expected.spec, str(step))
            location = self._document.key_location(path)
            yield replace(self._problem(path, message, location), unknown=True)
        elif child is None:
            yield self._problem((*path, *first.route), _mid_sentence(first.details["msg"]))
        elif step == "type" and node.expected.family:
            yield self.missing_type(node) if first.kind == "missing" else self._unknown_type(node)
        elif first.kind == "missing" and not first.route:
            message = f"missing; expected {child.expected.describe()}{suggest_type(child.expected)}"
            yield self._problem(path, message)
        else:
            yield from self.below(child, errors)

    def _at(self, node: ConfigNode, error: _PydanticError) -> Iterator[LocatedProblem]:
        context = error.details.get("ctx", {})
        match error.kind:
            case "rules":
                for problem in context["problems"]:
                    yield self._problem((*node.path, *problem.path), problem.message)
            case "union_tag_not_found":
                yield self.missing_type(node)
            case "union_tag_invalid":
                yield self._unknown_type(node)
            case "value_error" | "assertion_error":
                yield self._problem(node.path, str(context["error"]))
            case kind if kind in _TYPE_MISMATCHES:
                yield self._mismatch(node)
            case kind if kind in _PYDANTIC_ERRORS:
                message = f"{_mid_sentence(error.details['msg'])}, got {describe(node.value)}"
                yield self._problem(node.path, message)
            case _:
                yield self._problem(node.path, error.details["msg"])

    def missing_type(self, node: ConfigNode) -> LocatedProblem:
        family = node.expected.family
        fields = {name for member in family.values() for name in member.model_fields}
        slip = nearest("type", set(node.value) - fields)
        found = f", though there is '{slip}'" if slip else ""
        message = f"missing{found}; say which. {list_choices(family)}"
        return self._problem((*node.path, "type"), message)

    def _unknown_type(self, node: ConfigNode) -> LocatedProblem:
        family = node.expected.family
        name = node.value["type"] if isinstance(node.value, dict) else node.value
        if not isinstance(name, str):
            message = f"expected the name of a type, got {describe(name)}. {_choices(node, '')}"
        else:
            suggestion = did_you_mean(name, family) or "."
            message = f"unknown type '{shorten(name)}'{suggestion} {_choices(node, name)}"
        return self._problem((*node.path, "type"), message)

    def _unknown_field(self, node: ConfigNode, spec: type[Spec], name: str) -> str:
        fields = spec.model_fields
        here = f"Fields here: {', '.join(fields)}"
        if any(name in other.model_fields for other in node.family.values()):
            if below := find_below(self._top, node.path, name):
                return f"unknown field; did you mean '{below}'?"
            kind = node.value["type"]
            message = f"unknown field for type {kind}, though other types have it. Leave it out"
            typed = self._document.location((*node.path, "type"))
            if typed is not None and typed.override:
                # The field is from the file, which has a different type.
                message += f", or set all of it: `--set '{dotted(node.path)}={{type: {kind}}}'`"
            return f"{message}. {here}"
        path, value = (*node.path, name), node.value[name]
        meant = suggest_field(self._top, path, value)
        if not meant and (sibling := did_you_mean(name, fields)):
            meant = f"{sibling} {here}"
        meant = meant or suggest_field(self._top, path, value, similar=True)
        return f"unknown field{meant or f'. {here}'}"

    def _mismatch(self, node: ConfigNode) -> LocatedProblem:
        message = f"expected {node.expected.describe()}, got {describe(node.value)}"
        return self._problem(
            node.path, message + suggest_fix(node.expected, node.value, node.has_default)
        )

    def _problem(
        self, path: KeyPath, message: str, location: Location | None = None
    ) -> LocatedProblem:
        return LocatedProblem(location or self._document.location(path), path, escape(message))


def _choices(node: ConfigNode, name: str) -> str:
    """All types of a family, or those of a large one that are most similar to a name."""
    family = node.expected.family
    if len(family) <= _MOST_CHOICES:
        return list_choices(family)
    near = ", ".join(by_similarity(name, family)[:_NEAREST_CHOICES])
    field = next((step for step in reversed(node.path) if isinstance(step, str)), "")
    every = f"; `mmzoo list {_LISTS[field]}` lists all" if field in _LISTS else ""
    return f"The nearest of {len(family)}: {near}{every}"


def _by_first_step(errors: list[_PydanticError]) -> dict[str | int, list[_PydanticError]]:
    by_step: dict[str | int, list[_PydanticError]] = {}
    for error in errors:
        if error.route:
            step, *rest = error.route
            by_step.setdefault(step, []).append(_PydanticError(tuple(rest), error.details))
    return by_step


def _has_other_length(node: ConfigNode) -> bool:
    """Whether a list has the wrong fixed length; pydantic reports each missing item instead."""
    expected, value = node.expected, node.value
    is_fixed = expected.is_list() and not expected.is_list(of_any_length=True)
    return is_fixed and isinstance(value, tuple) and len(value) != len(expected.parts)


def _mid_sentence(message: str) -> str:
    """Pydantic's message, as the middle of a sentence."""
    message = message.replace("Input should be", "expected", 1)
    return message[:1].lower() + message[1:]
