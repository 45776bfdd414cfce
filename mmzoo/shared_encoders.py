"""Encoders shared by several inputs (`encoder: {type: shared, input: NAME}`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmzoo.modalities import Input
from mmzoo.modalities.base_encoder import Shared
from mmzoo.spec import Problem, Spec, did_you_mean
from mmzoo.spec.wording import describe, shorten

HEAD_SEPARATOR = "-"
"""Separates a layer's name from its head's, where each head has its own layers (`share: false`)."""
INDEPENDENT_FIELDS = frozenset(
    (
        *("type", "column", "augment", "missing", "missing_files", "modality_dropout"),
        *("encoder", "decoder"),
    )
)
"""Fields in which inputs with a shared encoder may differ."""


def encoder_owner(spec: Input) -> str | None:
    """Name of the input whose encoder this input uses; None if it has its own."""
    return spec.encoder.input if isinstance(spec.encoder, Shared) else None


def fill_shared_fields(inputs: Any) -> Any:
    """The unvalidated inputs of a config; those with a shared encoder get the other's fields."""
    if not isinstance(inputs, Mapping):
        return inputs
    return {name: _filled(spec, inputs) for name, spec in inputs.items()}


def _filled(spec: Any, inputs: Mapping[str, Any]) -> Any:
    name = _raw_owner(spec)
    if name is None:
        return spec
    others = {
        one: other
        for one, other in inputs.items()
        if isinstance(other, Mapping) and other.get("type") == spec.get("type")
        if _raw_owner(other) is None
    }
    if not others:
        return spec
    # With an unknown name, fields of another input avoid follow-up errors about missing fields.
    other = others.get(name, next(iter(others.values())))
    return {**{field: other[field] for field in other if field not in INDEPENDENT_FIELDS}, **spec}


def _raw_owner(spec: Any) -> Any:
    """Like `encoder_owner`, of an unvalidated input; "" if the name is missing."""
    encoder = spec.get("encoder") if isinstance(spec, Mapping) else None
    if not isinstance(encoder, Mapping) or encoder.get("type") != "shared":
        return None
    name = encoder.get("input")
    return name if isinstance(name, str) else ""


def copy_fitted_from(spec: Input, other: Input) -> Input:
    """A copy of an input with the fitted fields of the input whose encoder it shares."""
    fields = type(other).model_fields.keys() - INDEPENDENT_FIELDS
    return spec.replace(**{field: getattr(other, field) for field in fields})


def resolve_encoder(name: str, inputs: Mapping[str, Input]) -> Input:
    """The input, with a shared encoder replaced by the encoder itself."""
    spec = inputs[name]
    other = encoder_owner(spec)
    return spec if other is None else spec.replace(encoder=inputs[other].encoder)


def resolve_encoders(inputs: Mapping[str, Input]) -> dict[str, Input]:
    """All inputs, with shared encoders replaced by the encoders themselves if there are such."""
    found = dict(inputs)
    for name, spec in inputs.items():
        if (other := encoder_owner(spec)) is not None:
            owner = inputs.get(other)
            if owner is not None and owner.type == spec.type and encoder_owner(owner) is None:
                found[name] = resolve_encoder(name, inputs)
    return found


def sharing_rules(inputs: Mapping[str, Input]) -> Iterator[Problem]:
    """Yields a Problem for each input that cannot share the given encoder."""
    for name, spec in inputs.items():
        if (other := encoder_owner(spec)) is not None:
            yield from _problems(name, spec, other, inputs)


def show_value(value: Any) -> str:
    """A setting of an input, for messages."""
    return describe(value.model_dump() if isinstance(value, Spec) else value)


def _problems(name: str, spec: Input, other: str, inputs: Mapping[str, Input]) -> Iterator[Problem]:
    path = ("inputs", name, "encoder", "input")
    others = [one for one in inputs if one != name and encoder_owner(inputs[one]) is None]
    if other == name:
        yield Problem(path, "expected the name of another input")
    elif other not in inputs:
        meant = did_you_mean(other, others) or "."
        known = f" There are: {', '.join(others)}" if others else " There is no other input"
        yield Problem(path, f"unknown input '{shorten(other)}'{meant}{known}")
    elif (further := encoder_owner(inputs[other])) is not None:
        yield Problem(
            path,
            f"expected an input with its own encoder; inputs.{other} shares the encoder of "
            f"{shorten(further)}",
        )
    elif inputs[other].type != spec.type:
        yield Problem(
            path,
            f"expected an input of the same type, {spec.type}; inputs.{other} is "
            f"{inputs[other].type}",
        )
    else:
        for field in type(spec).model_fields:
            theirs = getattr(inputs[other], field)
            if field not in INDEPENDENT_FIELDS and getattr(spec, field) != theirs:
                yield Problem(
                    ("inputs", name, field),
                    f"expected {show_value(theirs)}, as in inputs.{other}, with which it shares an "
                    "encoder; leave this out",
                )
