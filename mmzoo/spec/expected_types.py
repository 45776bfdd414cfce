"""Reads annotations: what one place of a config takes, and the words for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt, MaxLen, MinLen
from pydantic.fields import FieldInfo

from mmzoo.spec.spec_model import Spec
from mmzoo.spec.wording import either, flow

_NOUNS = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("text", "texts"),
}
"""For one, and for several."""


@dataclass(frozen=True)
class Expected:
    """What one place of a config takes."""

    annotation: Any
    """A type without `Annotated` and `None`, or a union of the rest."""
    constraints: tuple[Any, ...] = ()
    """`Ge(1)` and the like."""
    nullable: bool = False
    discriminator: str | None = None
    """The field that says which member of a union is meant: `type`."""

    @classmethod
    def of(cls, annotation: Any, *metadata: Any) -> Expected:
        """Takes an annotation apart; `metadata` is what `Annotated` would hold beside it."""
        nullable = False
        while True:
            if get_origin(annotation) is Annotated:
                annotation, *more = get_args(annotation)
                metadata = (*more, *metadata)
            elif _is_union(annotation) and NoneType in get_args(annotation):
                rest = tuple(member for member in get_args(annotation) if member is not NoneType)
                annotation = Union[rest]  # noqa: UP007 - only this form can be built from values.
                nullable = True
            else:
                break
        constraints: list[Any] = []
        discriminator = None
        for item in metadata:
            if isinstance(item, FieldInfo):
                constraints.extend(item.metadata)
                discriminator = str(item.discriminator) if item.discriminator else discriminator
            else:
                constraints.append(item)
        return cls(annotation, tuple(_ungrouped(constraints)), nullable, discriminator)

    @property
    def spec(self) -> type[Spec] | None:
        """The spec, where it can only be one."""
        is_spec = isinstance(self.annotation, type) and issubclass(self.annotation, Spec)
        return self.annotation if is_spec else None

    @property
    def kind(self) -> Any:
        """`tuple`, `dict` or `Literal` of one with arguments; a plain type is its own kind."""
        return get_origin(self.annotation) or self.annotation

    @property
    def parts(self) -> tuple[Expected, ...]:
        """What the arguments of a tuple, a dict or a union take."""
        return tuple(Expected.of(part) for part in get_args(self.annotation) if part is not ...)

    @property
    def members(self) -> tuple[Expected, ...]:
        """Of a union without discriminator its members, of anything else that alone."""
        is_plain_union = _is_union(self.annotation) and self.discriminator is None
        return self.parts if is_plain_union else (self,)

    @property
    def family(self) -> dict[str, type[Spec]]:
        """The specs that `type` chooses among; empty where there is no such choice."""
        if self.discriminator is not None:
            specs = [part.spec for part in self.parts]
            return {name: spec for spec in specs if spec for name in _types(spec)}
        return dict.fromkeys(_types(self.spec), self.spec) if self.spec else {}

    @property
    def choices(self) -> list[str]:
        """The words that may stand here, of all members."""
        literals = [member for member in self.members if member.kind is Literal]
        values = [value for literal in literals for value in get_args(literal.annotation)]
        return [value for value in values if isinstance(value, str)]

    def takes(self, *kinds: type) -> bool:
        """Whether a member is of one of these kinds."""
        return any(member.kind in kinds for member in self.members)

    def member_for(self, value: Any) -> Expected | None:
        """The only member that takes mappings if the value is one, or lists if it is one."""
        if isinstance(value, dict):
            members = [member for member in self.members if member.is_mapping()]
        elif isinstance(value, tuple):
            members = [member for member in self.members if member.is_list()]
        else:
            return None
        return members[0] if len(members) == 1 else None

    def is_list(self, *, of_any_length: bool = False) -> bool:
        """Whether a list is taken."""
        return self.kind is tuple and (not of_any_length or ... in get_args(self.annotation))

    def is_mapping(self) -> bool:
        """Whether a mapping is taken: a spec's fields, or names that the user chooses."""
        return self.kind is dict or self.spec is not None or self.discriminator is not None

    def item(self, index: int) -> Expected | None:
        """What the item of a list takes; None behind the end of a list of fixed length."""
        if self.is_list(of_any_length=True):
            return self.parts[0]
        return self.parts[index] if index < len(self.parts) else None

    def words(self) -> str:
        """`a whole number of at least 1 or 'auto'`."""
        return self._words(several=False)

    def _words(self, several: bool) -> str:
        words = [word for member in self.members for word in member._alternatives(several)]
        return either([*words, "null"] if self.nullable else words)

    def _alternatives(self, several: bool) -> list[str]:
        if self.is_list():
            return ["lists" if several else self._list_words()]
        if self.is_mapping():
            return [f"{'mappings' if several else 'a mapping'}{self._names()}"]
        if self.kind is Literal:
            values = get_args(self.annotation)
            return [f"'{value}'" if isinstance(value, str) else flow(value) for value in values]
        if self.kind is bool:
            return ["true", "false"]
        noun = _NOUNS.get(self.kind, (f"a {self.kind.__name__}", f"{self.kind.__name__}s"))
        return [noun[several] + self._limits()]

    def _list_words(self) -> str:
        if self.is_list(of_any_length=True):
            return f"a list of {self._length()}{self.parts[0]._words(True)}"
        if len(set(self.parts)) == 1:
            return f"a list of {len(self.parts)} {self.parts[0]._words(True)}"
        return (
            f"a list of {len(self.parts)}: {', '.join(part._words(False) for part in self.parts)}"
        )

    def _names(self) -> str:
        if self.kind is not dict:
            return ""
        return f" of {self._length()}names to {self.parts[1]._words(True)}"

    def _length(self) -> str:
        limits = [f"{c.min_length} or more" for c in self.constraints if isinstance(c, MinLen)]
        limits += [f"at most {c.max_length}" for c in self.constraints if isinstance(c, MaxLen)]
        return f"{', '.join(limits)} " if limits else ""

    def _limits(self) -> str:
        limits = []
        for constraint in self.constraints:
            match constraint:
                case Ge(ge=limit):
                    limits.append(f"of at least {limit}")
                case Gt(gt=limit):
                    limits.append(f"above {limit}")
                case Le(le=limit):
                    limits.append(f"of at most {limit}")
                case Lt(lt=limit):
                    limits.append(f"below {limit}")
                case MinLen(min_length=limit):
                    limits.append(f"of {limit} or more characters")
                case MaxLen(max_length=limit):
                    limits.append(f"of at most {limit} characters")
                case _ if getattr(constraint, "pattern", None):
                    limits.append(f"that matches '{constraint.pattern}'")
        return f" {' and '.join(limits)}" if limits else ""


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType)


def _ungrouped(constraints: list[Any]) -> Iterator[Any]:
    """`StringConstraints` and `Interval` stand for several constraints."""
    for constraint in constraints:
        yield from constraint if isinstance(constraint, GroupedMetadata) else (constraint,)


def _types(spec: type[Spec]) -> tuple[str, ...]:
    field = spec.model_fields.get("type")
    return get_args(field.annotation) if field and get_origin(field.annotation) is Literal else ()
