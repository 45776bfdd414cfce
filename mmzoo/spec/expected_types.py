"""Expected types of config values, read from annotations, and their descriptions in messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt, MaxLen, MinLen
from pydantic.fields import FieldInfo

from mmzoo.spec.spec_model import Spec
from mmzoo.spec.wording import flow_yaml, join_or

_NOUNS = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("text", "texts"),
}
"""Singular and plural."""


@dataclass(frozen=True)
class ExpectedType:
    """The type that is expected at one position of a config."""

    annotation: Any
    """The annotation without `Annotated` and `None`."""
    constraints: tuple[Any, ...] = ()
    """Limits such as `Ge(1)`."""
    nullable: bool = False
    discriminator: str | None = None
    """The field that selects the member of a union: `type`."""

    @classmethod
    def from_annotation(cls, annotation: Any, *metadata: Any) -> ExpectedType:
        """Parses an annotation; `metadata` is further `Annotated` metadata."""
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
        """The spec, if the annotation is one."""
        is_spec = isinstance(self.annotation, type) and issubclass(self.annotation, Spec)
        return self.annotation if is_spec else None

    @property
    def kind(self) -> Any:
        """The origin of a generic (`tuple`, `dict`, `Literal`), or the type itself."""
        return get_origin(self.annotation) or self.annotation

    @property
    def parts(self) -> tuple[ExpectedType, ...]:
        """The expected types of the arguments of a tuple, dict or union."""
        return tuple(
            ExpectedType.from_annotation(part)
            for part in get_args(self.annotation)
            if part is not ...
        )

    @property
    def members(self) -> tuple[ExpectedType, ...]:
        """The members of a union without discriminator; else only this type."""
        is_plain_union = _is_union(self.annotation) and self.discriminator is None
        return self.parts if is_plain_union else (self,)

    @property
    def family(self) -> dict[str, type[Spec]]:
        """`type` value -> spec; empty if the value has no `type`."""
        if self.discriminator is not None:
            specs = [part.spec for part in self.parts]
            return {name: spec for spec in specs if spec for name in _types(spec)}
        return dict.fromkeys(_types(self.spec), self.spec) if self.spec else {}

    @property
    def choices(self) -> list[str]:
        """The allowed strings, over all members."""
        literals = [member for member in self.members if member.kind is Literal]
        values = [value for literal in literals for value in get_args(literal.annotation)]
        return [value for value in values if isinstance(value, str)]

    def accepts(self, *kinds: type) -> bool:
        """Whether any member has one of these kinds."""
        return any(member.kind in kinds for member in self.members)

    def member_for(self, value: Any) -> ExpectedType | None:
        """The only member for mappings or lists, if the value is one; None if that is ambiguous."""
        if isinstance(value, dict):
            members = [member for member in self.members if member.is_mapping()]
        elif isinstance(value, tuple):
            members = [member for member in self.members if member.is_list()]
        else:
            return None
        return members[0] if len(members) == 1 else None

    def is_list(self, *, of_any_length: bool = False) -> bool:
        """Whether lists are expected."""
        return self.kind is tuple and (not of_any_length or ... in get_args(self.annotation))

    def is_mapping(self) -> bool:
        """Whether mappings are expected, of a spec's fields or of names chosen by the user."""
        return self.kind is dict or self.spec is not None or self.discriminator is not None

    def item(self, index: int) -> ExpectedType | None:
        """The expected type of a list's item; None beyond a fixed length."""
        if self.is_list(of_any_length=True):
            return self.parts[0]
        return self.parts[index] if index < len(self.parts) else None

    def describe(self) -> str:
        """The expected type in words: `a whole number of at least 1 or 'auto'`."""
        return self._words(several=False)

    def _words(self, several: bool) -> str:
        words = [word for member in self.members for word in member._alternatives(several)]
        return join_or([*words, "null"] if self.nullable else words)

    def _alternatives(self, several: bool) -> list[str]:
        if self.is_list():
            return ["lists" if several else self._list_words()]
        if self.is_mapping():
            return [f"{'mappings' if several else 'a mapping'}{self._names()}"]
        if self.kind is Literal:
            values = get_args(self.annotation)
            return [
                f"'{value}'" if isinstance(value, str) else flow_yaml(value) for value in values
            ]
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
    """Single constraints; `StringConstraints` and `Interval` are groups of several."""
    for constraint in constraints:
        yield from constraint if isinstance(constraint, GroupedMetadata) else (constraint,)


def _types(spec: type[Spec]) -> tuple[str, ...]:
    field = spec.model_fields.get("type")
    return get_args(field.annotation) if field and get_origin(field.annotation) is Literal else ()
