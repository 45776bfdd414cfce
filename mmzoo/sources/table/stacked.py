"""The files of a table as one frame, with what people call its rows and which split they are of."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.sources.table.format import TableFormat, written_alike
from mmzoo.sources.table.reading import Cells, read_cells
from mmzoo.sources.table.split import SPLITS, SplitFiles
from mmzoo.spec.wording import printable


@dataclass(frozen=True)
class Stacked:
    """One or more tables, one below the other."""

    cells: Cells
    """Of all; `sha256` is that of the first."""
    sha256s: Mapping[str, str]
    """Split -> the hash of its file's bytes."""
    row_names: np.ndarray
    """What people call each row: its number in the file, counted from 1, or text if there are
    several files: "test.csv row 3"."""
    given: np.ndarray
    """int64 `[rows]`: which of `SPLITS` a row's file is for."""

    def row_name(self, row: int) -> str:
        """What people call a row."""
        name = self.row_names[row]
        return str(name) if self.row_names.dtype.kind == "U" else f"row {name}"


def stacked(
    path: str, files: SplitFiles | None, form: TableFormat, wanted: Collection[str]
) -> Stacked:
    """Reads the files of a table.

    Args:
        path: Of the first, whose rows are to train on.
        files: The others.
        form: How the cells of the first are written, and of those whose names end like its own.
        wanted: The columns to read.

    Raises:
        DataError: One cannot be read, or their columns hold different things.
    """

    parts = {"train": read_cells(path, form, wanted)}
    for split in SPLITS[1:]:
        if other := getattr(files, split, None):
            parts[split] = read_cells(
                other,
                written_alike(form, path, other),
                wanted,
                f"source.split.files.{split}",
            )
    rows = {split: cells.frame.height for split, cells in parts.items()}
    sha256s = {split: cells.sha256 for split, cells in parts.items()}
    given = np.repeat([SPLITS.index(split) for split in parts], list(rows.values()))
    if len(parts) == 1:
        return Stacked(parts["train"], sha256s, np.arange(1, rows["train"] + 1), given)
    names = _short_names([cells.shown for cells in parts.values()])
    row_names = np.array(
        [
            f"{name} row {row}"
            for name, count in zip(names, rows.values(), strict=True)
            for row in range(1, count + 1)
        ]
    )
    bad: dict[int, str] = {}
    start = 0
    for cells in parts.values():
        bad |= {start + row: why for row, why in cells.bad.items()}
        start += cells.frame.height
    whole = replace(parts["train"], frame=_one_below_the_other(parts), bad=bad)
    return Stacked(whole, sha256s, row_names, given)


def _one_below_the_other(parts: Mapping[str, Cells]) -> pl.DataFrame:

    first = parts["train"]
    for column in first.frame.columns:
        kinds = {split: cells.frame.schema[column] for split, cells in parts.items()}
        for split, kind in kinds.items():
            if kind.is_nested() != kinds["train"].is_nested() and pl.Null not in kinds.values():
                raise DataError(
                    f"table {parts[split].shown}: column `{column}` holds {kind}, and in "
                    f"{first.shown} {kinds['train']}. Write them as one kind."
                )
    try:
        return pl.concat([cells.frame for cells in parts.values()], how="vertical_relaxed")
    except pl.exceptions.PolarsError as error:
        why = printable(str(error).splitlines()[0])
        raise DataError(
            f"the tables {', '.join(cells.shown for cells in parts.values())} hold different "
            f"things in one column ({why}). Write them as one kind."
        ) from None


def _short_names(paths: list[str]) -> list[str]:
    """The names of files without their folders, where that tells them apart."""
    names = [os.path.basename(path) for path in paths]
    return names if len(set(names)) == len(names) else paths
