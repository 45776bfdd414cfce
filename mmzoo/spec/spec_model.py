"""Spec: a frozen, validated node of a config, its field notes and its JSON Schema."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from inspect import cleandoc
from typing import Annotated, Any, Self

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AfterValidator, BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, PydanticCustomError

from mmzoo.spec.wording import describe


@cache
def field_notes(cls: type[BaseModel]) -> dict[str, str]:
    """The note of each field that has one: the text on its own that follows it in the class.

    A field that a class takes over has the note that it has there; one that it declares anew has
    none of those.
    """
    found: dict[str, str] = {}
    for part in reversed(cls.__mro__):
        if issubclass(part, BaseModel) and part is not BaseModel:
            found |= _own(part)
    return {name: note for name, note in found.items() if note and name in cls.model_fields}


def _own(cls: type[BaseModel]) -> dict[str, str]:
    """The notes of the fields that a class itself declares; '' for one without."""
    [tree] = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for statement, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            found[statement.target.id] = _text(following)
    return found


def _text(statement: ast.stmt | None) -> str:
    match statement:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return cleandoc(text)
    return ""


LARGEST_INT = 2**31 - 1


def _within_int32(number: int) -> int:
    # Not a `Le`, which every message and page about a number would name, though few come near it.
    if number > LARGEST_INT:
        raise ValueError(
            f"expected a number of at most {LARGEST_INT}, which is what TensorFlow counts to; "
            f"got {describe(number)}"
        )
    return number


WithinInt32 = AfterValidator(_within_int32)
"""For whole numbers that TensorFlow's 32-bit sizes and counts must hold."""
PositiveInt = Annotated[int, Ge(1), WithinInt32]
NonNegativeInt = Annotated[int, Ge(0), WithinInt32]
PositiveFloat = Annotated[float, Gt(0)]
NonNegativeFloat = Annotated[float, Ge(0)]
Fraction = Annotated[float, Ge(0), Le(1)]
"""From 0 to 1, both included."""
Rate = Annotated[float, Ge(0), Lt(1)]
"""From 0 up to but not including 1: what dropout and momentum take."""


@dataclass(frozen=True)
class Problem:
    """One broken rule: `path` from the spec that states it ("encoder", "filters"), and the words.

    The message says what came, what was expected and how to mend it; the place is added by others.
    """

    path: tuple[str | int, ...]
    message: str


class Spec(BaseModel):
    """One node of the config: frozen, typed, validated strictly, with its fields' notes below them.

    Sequences are tuples, so a spec can be hashed and compared. Where a spec builds something, it
    has a `build()`.
    """

    model_config = ConfigDict(
        # Each would be built by itself, and again as a part of those that hold it.
        defer_build=True,
        frozen=True,
        extra="forbid",
        strict=True,
        validate_default=True,
        allow_inf_nan=False,
    )

    @classmethod
    def about(cls, kind: str) -> str:
        """What users read of it when they ask for this `type`, which may be one of several."""
        return cleandoc(cls.__doc__ or "")

    def rules(self) -> Iterator[Problem]:
        """Yields a Problem for each rule that one field's type cannot state."""
        return iter(())

    def replace(self, **fields: Any) -> Self:
        """A copy with these fields changed, validated like the original."""
        return type(self)(
            **{**{name: getattr(self, name) for name in type(self).model_fields}, **fields}
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema)["properties"]
        for name, note in field_notes(cls).items():
            properties[name].setdefault("description", note)
        return schema

    @model_validator(mode="after")
    def _keep_rules(self) -> Self:
        problems = tuple(self.rules())
        if problems:
            # A custom error carries the problems to `spec.messages`, which finds each one's line.
            text = "; ".join(problem.message for problem in problems)
            raise PydanticCustomError("rules", "{text}", {"text": text, "problems": problems})
        return self


def json_schema(cls: type[Spec]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a config, with the fields' notes as descriptions."""
    schema = cls.model_json_schema()
    for definition in schema.get("$defs", {}).values():
        _require_type(definition)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _require_type(definition: dict[str, Any]) -> None:
    # Pydantic takes a field with a default for optional; a choice by `type` needs it written.
    properties = definition.get("properties", {})
    required = definition.get("required", [])
    if "type" in properties and "type" not in required:
        definition["required"] = ["type", *required]
