"""Spec: the base class of all sections of a config, with descriptions and a JSON Schema."""

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
    """Field name -> its description: the string literal below the field in the class.

    Inherited fields keep their description; redeclared fields do not.
    """
    found: dict[str, str] = {}
    for part in reversed(cls.__mro__):
        if issubclass(part, BaseModel) and part is not BaseModel:
            found |= _notes_of_class(part)
    return {name: note for name, note in found.items() if note and name in cls.model_fields}


def _notes_of_class(cls: type[BaseModel]) -> dict[str, str]:
    """The descriptions of the fields that a class declares itself; "" for one without."""
    if cls.__pydantic_generic_metadata__["origin"]:
        return {}  # A generic class with its parameters; the class itself declares the fields.
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
    # Not a `Le`, which would appear in every message and in the documentation of every number.
    if number > LARGEST_INT:
        raise ValueError(
            f"expected a number of at most {LARGEST_INT}, which is what TensorFlow counts to; "
            f"got {describe(number)}"
        )
    return number


WithinInt32 = AfterValidator(_within_int32)
"""For integers that TensorFlow stores as 32-bit sizes and counts."""
PositiveInt = Annotated[int, Ge(1), WithinInt32]
NonNegativeInt = Annotated[int, Ge(0), WithinInt32]
PositiveFloat = Annotated[float, Gt(0)]
NonNegativeFloat = Annotated[float, Ge(0)]
Fraction = Annotated[float, Ge(0), Le(1)]
"""A number from 0 to 1, inclusive."""
Rate = Annotated[float, Ge(0), Lt(1)]
"""A number of at least 0 and below 1, such as a dropout rate or a momentum."""


@dataclass(frozen=True)
class Problem:
    """A violated rule: the path from the spec that defines it, and the message.

    The message says what was given, what was expected and how to fix it. The loader adds the
    location in the file.
    """

    path: tuple[str | int, ...]
    message: str


class Spec(BaseModel):
    """A section of a config: immutable and strictly validated.

    The description of a field is the string literal below it. Sequences are tuples, so specs are
    hashable. Specs of layers and models have a `build()` method.
    """

    model_config = ConfigDict(
        # Otherwise each spec would be built separately and again within its parents.
        defer_build=True,
        frozen=True,
        extra="forbid",
        strict=True,
        validate_default=True,
        allow_inf_nan=False,
    )

    @classmethod
    def describe_type(cls, kind: str) -> str:
        """The description of a `type`; by default the docstring."""
        return cleandoc(cls.__doc__ or "")

    def rules(self) -> Iterator[Problem]:
        """Yields a Problem for each violated rule, for rules that field types cannot express."""
        return iter(())

    def replace(self, **fields: Any) -> Self:
        """A validated copy with the given fields changed."""
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
    def _check_rules(self) -> Self:
        problems = tuple(self.rules())
        if problems:
            # A custom error passes the problems to `error_messages`, which adds their locations.
            text = "; ".join(problem.message for problem in problems)
            raise PydanticCustomError("rules", "{text}", {"text": text, "problems": problems})
        return self


def json_schema(cls: type[Spec]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a spec, with the descriptions of its fields."""
    schema = cls.model_json_schema()
    for definition in schema.get("$defs", {}).values():
        _require_type(definition)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _require_type(definition: dict[str, Any]) -> None:
    # Pydantic treats fields with a default as optional, but configs must contain every `type`.
    properties = definition.get("properties", {})
    required = definition.get("required", [])
    if "type" in properties and "type" not in required:
        definition["required"] = ["type", *required]
