"""Columns of a known kind as what they are wanted for."""

from __future__ import annotations

from collections.abc import Sequence

from mmzoo.errors import DataError
from mmzoo.lazy import np
from mmzoo.sources.named.entry import Kind
from mmzoo.wanted import MEANS, Role

_ROLES: dict[Kind, tuple[Role, ...]] = {
    "image": ("file",),
    "file": ("file",),
    "text": ("text", "category", "value"),
    "number": ("number", "category", "value"),
    "class": ("class", "category", "value"),
}
"""What a column of each kind can be wanted for."""
_HOLDS: dict[Kind, str] = {
    "image": "pictures",
    "file": "files",
    "text": "texts",
    "number": "numbers",
    "class": "classes",
}


def check_role(where: str, kind: Kind, role: Role) -> None:
    """Checks that a column can be what it is wanted for.

    Args:
        where: Names the column: "data set imdb: column `text`".
        kind: What it holds.
        role: What it is wanted for.

    Raises:
        DataError: It cannot.
    """
    if role not in _ROLES[kind]:
        raise DataError(
            f"{where} holds {_HOLDS[kind]}, expected {MEANS[role]}: choose another column, or "
            "another type of the input or head that reads it."
        )


def in_role(values: np.ndarray, kind: Kind, role: Role, names: Sequence[str]) -> np.ndarray:
    """A column as `mmzoo.wanted.Role` says that it is for its role.

    Args:
        values: The column as its set has it.
        kind: What it holds.
        role: What it is wanted for, one that `check_role` lets pass.
        names: Of a column of classes, their names.
    """

    if role == "number":
        return values.astype(np.float32)
    if role in ("category", "value") and kind == "class":
        return np.array(names, dtype=object)[values]
    if role in ("category", "value") and kind == "number":
        return values.astype(np.float64)
    return values
