"""The columns that a source is asked for."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from mmzoo.errors import DataError


def check_columns(name: str, columns: Collection[str], wanted: Iterable[str]) -> None:
    """Checks that there is each column that is wanted.

    Args:
        name: What has the columns: "data set cifar10".
        columns: Those there are.
        wanted: Those that are asked for.

    Raises:
        DataError: There is no such column; says which one was probably meant.
    """
    for column in wanted:
        if column not in columns:
            near = difflib.get_close_matches(column, columns, n=1)
            meant = f"Did you mean `{near[0]}`? " if near else ""
            raise DataError(
                f"{name} has no column `{column}`. {meant}There are: {', '.join(columns)}."
            )
