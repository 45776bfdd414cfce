"""Casting of the columns of named data sets to the roles that inputs and heads give them."""

from __future__ import annotations

from collections.abc import Mapping

from mmzoo.column_spec import ROLE_NOUNS, ColumnSpec, Role
from mmzoo.data.datasets.dataset_entry import CombinedSet, Kind, NamedSet
from mmzoo.data.parse_columns import check_columns
from mmzoo.errors import DataError
from mmzoo.lazy import np

_KINDS: dict[Kind, tuple[str, tuple[Role, ...]]] = {
    "image": ("images", ("file",)),
    "file": ("files", ("file",)),
    "text": ("texts", ("text", "category", "value")),
    "number": ("numbers", ("number", "category", "value")),
    "class": ("classes", ("class", "category", "value")),
}
"""Kind of a column -> its noun, and the roles that it can be cast to."""


def check_specs(entry: NamedSet | CombinedSet, specs: Mapping[str, ColumnSpec]) -> None:
    """Checks that a data set has the required columns, and that each can have its role.

    Raises:
        DataError: A column does not exist, or holds something else.
    """
    where = f"data set {entry.name}"
    check_columns(where, entry.columns, specs)
    for column, spec in specs.items():
        noun, roles = _KINDS[entry.kinds[column]]
        if spec.role not in roles:
            raise DataError(
                f"{where}: column `{column}` holds {noun}, expected {ROLE_NOUNS[spec.role]}: "
                "choose another column, or another type of the input or head that reads it."
            )


def cast_column(
    entry: NamedSet | CombinedSet, column: str, values: np.ndarray, role: Role
) -> np.ndarray:
    """Casts a column to the type that `mmzoo.column_spec.Role` defines for its role.

    Args:
        entry: The data set.
        column: The name of the column.
        values: Its values.
        role: A role that `check_specs` accepts.
    """
    kind = entry.kinds[column]
    if kind == "number":
        return values.astype(np.float64)
    if role in ("category", "value") and kind == "class":
        return np.array(entry.classes[column], dtype=object)[values]
    return values
