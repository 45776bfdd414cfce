"""Spec: one node of a config's tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import cleandoc
from typing import Annotated, Any, Self

from annotated_types import Ge, Gt, Le, Lt
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError

from mmzoo.spec.notes import field_notes
from mmzoo.spec.words import describe

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
