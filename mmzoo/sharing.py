"""What parts of a model share: inputs an encoder, heads all that stands before them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmzoo.inputs import Input
from mmzoo.modalities.base_encoder import Shared
from mmzoo.spec import Problem, Spec, did_you_mean
from mmzoo.spec.wording import describe, shorten

TOWER = "-"
"""What stands before a head's name in those of its layers, where no head shares any."""
OWN_FIELDS = frozenset(
    ("type", "column", "augment", "missing", "missing_files", "modality_dropout", "encoder")
)
"""What inputs of one encoder need not have in common."""


def shared_with(spec: Input) -> str | None:
    """The input whose encoder reads this one, if it has none of its own."""
    return spec.encoder.input if isinstance(spec.encoder, Shared) else None


def with_shared_fields(inputs: Any) -> Any:
    """The inputs of a config as they were written, with what sharing ones leave open filled in."""
    if not isinstance(inputs, Mapping):
        return inputs
    return {name: _filled(spec, inputs) for name, spec in inputs.items()}


def _filled(spec: Any, inputs: Mapping[str, Any]) -> Any:
    name = _written_share(spec)
    if name is None:
        return spec
    others = {
        one: other
        for one, other in inputs.items()
        if isinstance(other, Mapping) and other.get("type") == spec.get("type")
        if _written_share(other) is None
    }
    if not others:
        return spec
    # Where the name is wrong, this keeps a missing field from being told in the place of that.
    other = others.get(name, next(iter(others.values())))
    return {**{field: other[field] for field in other if field not in OWN_FIELDS}, **spec}


def _written_share(spec: Any) -> Any:
    """The input whose encoder one is to share, as it was written; None if none is."""
    encoder = spec.get("encoder") if isinstance(spec, Mapping) else None
    if not isinstance(encoder, Mapping) or encoder.get("type") != "shared":
        return None
    name = encoder.get("input")
    return name if isinstance(name, str) else ""


def as_the_other(spec: Input, other: Input) -> Input:
    """An input with what the one whose encoder it shares was fitted to."""
    fields = type(other).model_fields.keys() - OWN_FIELDS
    return spec.replace(**{field: getattr(other, field) for field in fields})


def with_its_encoder(name: str, inputs: Mapping[str, Input]) -> Input:
    """An input with the encoder that reads it as if it were its own."""
    spec = inputs[name]
    other = shared_with(spec)
    return spec if other is None else spec.replace(encoder=inputs[other].encoder)


def sharing_rules(inputs: Mapping[str, Input]) -> Iterator[Problem]:
    """Yields a Problem for each input that cannot share the encoder it names."""
    for name, spec in inputs.items():
        if (other := shared_with(spec)) is not None:
            yield from _problems(name, spec, other, inputs)


def _shown(value: Any) -> str:
    return describe(value.model_dump() if isinstance(value, Spec) else value)


def _problems(name: str, spec: Input, other: str, inputs: Mapping[str, Input]) -> Iterator[Problem]:
    place = ("inputs", name, "encoder", "input")
    others = [one for one in inputs if one != name and shared_with(inputs[one]) is None]
    if other == name:
        yield Problem(place, "expected another input than itself")
    elif other not in inputs:
        meant = did_you_mean(other, others) or "."
        there_are = f" There are: {', '.join(others)}" if others else " There is no other one"
        yield Problem(place, f"unknown input '{shorten(other)}'{meant}{there_are}")
    elif (further := shared_with(inputs[other])) is not None:
        yield Problem(
            place,
            f"expected an input with an encoder of its own; inputs.{other} shares that of "
            f"{shorten(further)}",
        )
    elif inputs[other].type != spec.type:
        yield Problem(
            place,
            f"expected an input of the same type, {spec.type}; inputs.{other} is "
            f"{inputs[other].type}",
        )
    else:
        for field in type(spec).model_fields:
            theirs = getattr(inputs[other], field)
            if field not in OWN_FIELDS and getattr(spec, field) != theirs:
                yield Problem(
                    ("inputs", name, field),
                    f"expected {_shown(theirs)}, as inputs.{other} has it, whose encoder reads "
                    "it too; leave this out",
                )
