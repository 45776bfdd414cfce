"""Statistics: what a tabular input was fitted to, as a file of the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, ValidationError

from mmzoo.errors import RunError
from mmzoo.inputs.tabular.categories import Categories
from mmzoo.inputs.tabular.dates import Dates
from mmzoo.inputs.tabular.numbers import RankedNumbers, ScaledNumbers
from mmzoo.spec import Spec
from mmzoo.spec.wording import printable, shorten

STATISTICS = "statistics.json"
"""The file's name."""

Column = Annotated[ScaledNumbers | RankedNumbers | Categories | Dates, Field(discriminator="kind")]


class Statistics(Spec):
    """What is known of each column."""

    columns: dict[str, Column]


def written_statistics(columns: Mapping[str, Column]) -> str:
    """The file's text."""
    values = Statistics(columns=dict(columns)).model_dump(mode="json")
    return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_statistics(
    text: str | None, kinds: Mapping[str, str], sizes: Mapping[str, int], where: str
) -> dict[str, Column]:
    """What is known of each column.

    Args:
        text: Of the file; None where there is none.
        kinds: What each column must be of.
        sizes: Of each category, how many known values it must have.
        where: Says whose it is.

    Raises:
        RunError: It is not the file that was written.
    """
    place = f"{where}: {STATISTICS} in the run's folder `preprocessing`"
    mend = "Restore the file, or train again."
    if text is None:
        raise RunError(f"{place} is missing. {mend}")
    try:
        columns = Statistics.model_validate_json(text).columns
    except ValidationError as error:
        first = error.errors()[0]
        spot = shorten(".".join(map(str, first["loc"])))
        raise RunError(
            f"{place} is damaged{f', at {spot}' if spot else ''}: {printable(first['msg'])}. {mend}"
        ) from error
    found = {name: column.kind.removeprefix("ranked ") for name, column in columns.items()}
    known = {
        name: len(column.values)
        for name, column in columns.items()
        if isinstance(column, Categories)
    }
    for what, was, should in (("columns", found, kinds), ("values", known, sizes)):
        if list(was.items()) != list(should.items()):
            raise RunError(
                f"{place} is damaged: it has other {what} than config.yaml: {_listed(was)}; "
                f"expected {_listed(should)}. {mend}"
            )
    return columns


def _listed(mapping: Mapping[str, object]) -> str:
    return shorten(", ".join(f"{name}: {value}" for name, value in mapping.items()) or "none")
