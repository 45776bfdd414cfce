"""What rows are split by: a column that says it, folds, or shares that keep groups whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from mmzoo.spec.wording import shorten
from mmzoo.starter.kinds import MEDIA, SEEMS_SPLIT, Judged


def split_of(columns: Sequence[Judged], optional: Collection[str]) -> tuple[dict[str, Any], str]:
    """The fields of a table's `split`, and why.

    Args:
        columns: all that are no targets.
        optional: those of inputs that an example may lack.
    """
    splits = [one for one in columns if one.kind == "split"]
    if splits:
        return {"column": splits[0].name}, splits[0].why
    folds = [one for one in columns if one.kind == "fold"]
    if len(folds) == 1:
        return {"folds": folds[0].name}, folds[0].why
    shares: dict[str, Any] = {"validation": 0.1, "test": 0.2}
    groups = [one for one in columns if one.kind == "group" or _groups_rows(one, optional)]
    if not groups:
        return shares, ""
    group = min(groups, key=lambda one: one.cells.distinct)
    return {**shares, "group": group.name}, f"rows of one {group.name} stay in one split"


def unused_splits(left_out: Mapping[str, str]) -> Iterator[str]:
    """A sentence on each column that was left out because not all of its cells name splits."""
    for name, why in left_out.items():
        if why.startswith(SEEMS_SPLIT):
            yield (
                f"{shorten(name)}: {why}. So rows are split without it; mend the column to use it."
            )


def _groups_rows(judged: Judged, optional: Collection[str]) -> bool:
    """Whether several rows name one file, and none lacks its own: every row needs a group."""
    cells = judged.cells
    return judged.kind in MEDIA and cells.distinct < cells.filled and judged.name not in optional
