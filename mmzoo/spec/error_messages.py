"""Words pydantic's errors the way the user wrote the config.

Pydantic names a place by its own route, which holds the tags and the members of unions, and reports
what each member of a union misses. Here routes, annotations and values are walked side by side, so
that a problem has the path that stands in the file, and one mistake makes one problem.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from mmzoo.spec.error_hints import Spot, hint, type_hint, untyped
from mmzoo.spec.expected_types import Expected
from mmzoo.spec.spec_model import Spec
from mmzoo.spec.wording import (
    KeyPath,
    describe,
    did_you_mean,
    dotted,
    nearest,
    printable,
    shorten,
    there_are,
)
from mmzoo.spec.yaml_document import Document, Finding, Place

_PYDANTICS_OWN = frozenset(get_args(ErrorType))
_SAID_BY_WHAT_IS_EXPECTED = frozenset(
    [
        *("bool_type", "int_type", "int_from_float", "float_type", "string_type", "literal_error"),
        *("tuple_type", "dict_type", "model_type", "model_attributes_type"),
        *("greater_than", "greater_than_equal", "less_than", "less_than_equal"),
        *("too_short", "too_long", "string_too_short", "string_too_long"),
        "string_pattern_mismatch",
    ]
)
"""Other errors have words of their own to add."""


def findings(
    spec: type[Spec], document: Document, error: ValidationError | None
) -> Iterator[Finding]:
    """Yields a finding for each mistake in a document that was validated as a spec."""
    top = Spot(Expected(spec), (), document.values)
    walk = _Walk(document)
    for spot in untyped(top):
        yield walk.missing_type(spot)
    if error is not None:
        faults = [_Fault(details["loc"], details) for details in error.errors(include_url=False)]
        yield from walk.below(top, faults)


@dataclass(frozen=True)
class _Fault:
    """One of pydantic's errors, with what is left of its route."""

    route: tuple[str | int, ...]
    details: ErrorDetails

    @property
    def kind(self) -> str:
        return self.details["type"]

    @property
    def is_own(self) -> bool:
        """Whether a validator of ours raised it."""
        return self.kind in ("value_error", "assertion_error") or self.kind not in _PYDANTICS_OWN


class _Walk:
    """Goes down the config beside pydantic's routes."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def below(self, spot: Spot, faults: list[_Fault]) -> Iterator[Finding]:
        if len(spot.expected.members) > 1:
            yield from self._in_union(spot, faults)
        elif _has_other_length(spot):
            yield self._mismatch(spot)
        else:
            for fault in faults:
                if not fault.route:
                    yield from self._at(spot, fault)
            for step, deeper in _by_first_step(faults).items():
                yield from self._step(spot, step, deeper)

    def _in_union(self, spot: Spot, faults: list[_Fault]) -> Iterator[Finding]:
        # Each member has put its faults, in the order of the members, below a label of its own.
        by_label = _by_first_step(faults)
        member = spot.expected.member_for(spot.value)
        own = [fault for fault in faults if fault.is_own]
        if member is not None and len(by_label) == len(spot.expected.members):
            deeper = list(by_label.values())[spot.expected.members.index(member)]
            yield from self.below(replace(spot, expected=member), deeper)
        elif own:
            yield from self._at(spot, own[0])
        else:
            yield self._mismatch(spot)

    def _step(self, spot: Spot, step: str | int, faults: list[_Fault]) -> Iterator[Finding]:
        path = (*spot.path, step)
        about_name = [fault for fault in faults if fault.route == ("[key]",)]
        if about_name:
            message = f"expected the name to be {spot.expected.parts[0].words()}"
            yield self._finding(path, message, self._document.key_place(path))
            faults = [fault for fault in faults if fault not in about_name]
        if faults:
            yield from self._inside(spot, step, faults)

    def _inside(self, spot: Spot, step: str | int, faults: list[_Fault]) -> Iterator[Finding]:
        path = (*spot.path, step)
        first, child = faults[0], spot.child(step)
        if spot.expected.discriminator is not None:
            yield from self.below(spot.of_type(step) or spot, faults)
        elif child is None and spot.expected.spec:
            message = self._unknown_field(spot, spot.expected.spec, str(step))
            place = self._document.key_place(path)
            yield replace(self._finding(path, message, place), unknown=True)
        elif child is None:
            yield self._finding((*path, *first.route), _plainly(first.details["msg"]))
        elif step == "type" and spot.expected.family:
            yield self.missing_type(spot) if first.kind == "missing" else self._unknown_type(spot)
        elif first.kind == "missing" and not first.route:
            message = f"missing; expected {child.expected.words()}{type_hint(child.expected)}"
            yield self._finding(path, message)
        else:
            yield from self.below(child, faults)

    def _at(self, spot: Spot, fault: _Fault) -> Iterator[Finding]:
        context = fault.details.get("ctx", {})
        match fault.kind:
            case "rules":
                for problem in context["problems"]:
                    yield self._finding((*spot.path, *problem.path), problem.message)
            case "union_tag_not_found":
                yield self.missing_type(spot)
            case "union_tag_invalid":
                yield self._unknown_type(spot)
            case "value_error" | "assertion_error":
                yield self._finding(spot.path, str(context["error"]))
            case kind if kind in _SAID_BY_WHAT_IS_EXPECTED:
                yield self._mismatch(spot)
            case kind if kind in _PYDANTICS_OWN:
                message = f"{_plainly(fault.details['msg'])}, got {describe(spot.value)}"
                yield self._finding(spot.path, message)
            case _:
                yield self._finding(spot.path, fault.details["msg"])

    def missing_type(self, spot: Spot) -> Finding:
        family = spot.expected.family
        fields = {name for member in family.values() for name in member.model_fields}
        slip = nearest("type", set(spot.value) - fields)
        found = f", though there is '{slip}'" if slip else ""
        message = f"missing{found}; say which. {there_are(family)}"
        return self._finding((*spot.path, "type"), message)

    def _unknown_type(self, spot: Spot) -> Finding:
        family = spot.expected.family
        name = spot.value["type"] if isinstance(spot.value, dict) else spot.value
        if not isinstance(name, str):
            message = f"expected the name of a type, got {describe(name)}. {there_are(family)}"
        else:
            suggestion = did_you_mean(name, family) or "."
            message = f"unknown type '{shorten(name)}'{suggestion} {there_are(family)}"
        return self._finding((*spot.path, "type"), message)

    def _unknown_field(self, spot: Spot, spec: type[Spec], name: str) -> str:
        fields = spec.model_fields
        said = f"unknown field{did_you_mean(name, fields) or '.'}"
        if any(name in other.model_fields for other in spot.family.values()):
            kind = spot.value["type"]
            said = f"unknown field: {kind} has none, as others have. Leave it out"
            typed = self._document.place((*spot.path, "type"))
            if typed is not None and typed.override:
                # It came with the file, in which another type stands.
                said += f", or set all of it: `--set '{dotted(spot.path)}={{type: {kind}}}'`"
            said += "."
        return f"{said} Fields here: {', '.join(fields)}"

    def _mismatch(self, spot: Spot) -> Finding:
        message = f"expected {spot.expected.words()}, got {describe(spot.value)}"
        return self._finding(spot.path, message + hint(spot.expected, spot.value, spot.has_default))

    def _finding(self, path: KeyPath, message: str, place: Place | None = None) -> Finding:
        return Finding(place or self._document.place(path), path, printable(message))


def _by_first_step(faults: list[_Fault]) -> dict[str | int, list[_Fault]]:
    by_step: dict[str | int, list[_Fault]] = {}
    for fault in faults:
        if fault.route:
            step, *rest = fault.route
            by_step.setdefault(step, []).append(_Fault(tuple(rest), fault.details))
    return by_step


def _has_other_length(spot: Spot) -> bool:
    """Whether a list of fixed length has another: pydantic reports each item that is missing."""
    expected, value = spot.expected, spot.value
    is_fixed = expected.is_list() and not expected.is_list(of_any_length=True)
    return is_fixed and isinstance(value, tuple) and len(value) != len(expected.parts)


def _plainly(message: str) -> str:
    """Pydantic's message as the middle of a sentence."""
    message = message.replace("Input should be", "expected", 1)
    return message[:1].lower() + message[1:]
