"""Casting of the columns of named data sets to the roles that inputs and heads give them."""

from __future__ import annotations

from collections.abc import Sequence

from mmzoo.column_spec import ROLE_NOUNS, Role
from mmzoo.data.datasets.dataset_entry import Kind
from mmzoo.errors import DataError
from mmzoo.lazy import np

_ROLES: dict[Kind, tuple[Role, ...]] = {
    "image": ("file",),
    "file": ("file",),
    "text": ("text", "category", "value"),
    "number": ("number", "category", "value"),
    "class": ("class", "category", "value"),
}
"""Kind of a column -> the roles that it can be cast to."""
_CONTENT: dict[Kind, str] = {
    "image": "images",
    "file": "files",
    "text": "texts",
    "number": "numbers",
    "class": "classes",
}


def check_role(where: str, kind: Kind, role: Role) -> None:
    """Checks that a column can be cast to a role.

    Args:
        where: The column, for the error: "data set imdb: column `text`".
        kind: The content of the column.
        role: The role that an input or head requires.

    Raises:
        DataError: The column cannot have this role.
    """
    if role not in _ROLES[kind]:
        raise DataError(
            f"{where} holds {_CONTENT[kind]}, expected {ROLE_NOUNS[role]}: choose another column, "
            "or another type of the input or head that reads it."
        )


def cast_column(values: np.ndarray, kind: Kind, role: Role, names: Sequence[str]) -> np.ndarray:
    """Casts a column to the type that `mmzoo.column_spec.Role` defines for its role.

    Args:
        values: The column of the data set.
        kind: Its content.
        role: A role that `check_role` accepts.
        names: The class names, for a column of classes.
    """
    if role == "number":
        return values.astype(np.float32)
    if role in ("category", "value") and kind == "class":
        return np.array(names, dtype=object)[values]
    if role in ("category", "value") and kind == "number":
        return values.astype(np.float64)
    return values
