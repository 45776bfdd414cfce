"""Notes: what the source says below each field of a spec.

They are read when they are asked for: pages and schemas need them, and a config is checked without.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from inspect import cleandoc

from pydantic import BaseModel


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
