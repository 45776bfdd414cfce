"""Suggestions for `mmzoo init`: the config fields of an input for a column, and the reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Section:
    """A section of a config whose fields may have comments.

    Attributes:
        fields: The fields in order, `type` first.
        reasons: Field -> a clause on why it has this value.
    """

    fields: Mapping[str, Any]
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Suggestion(Section):
    """An input for a column; without fields if none of the column's files can be read.

    Attributes:
        unreadable: Path of a file -> why it cannot be read.
        specific: Whether the column is certainly of this type, even if other types would read it.
    """

    unreadable: Mapping[str, str] = field(default_factory=dict)
    specific: bool = False
