"""Another table with the same columns: to evaluate a model on, or to predict from."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping

from mmzoo.lazy import np, pl
from mmzoo.sources.columns import check_columns
from mmzoo.sources.data import Data
from mmzoo.sources.table.format import TableFormat, written_alike
from mmzoo.sources.table.made import made_columns, media_folder
from mmzoo.sources.table.reading import read_cells
from mmzoo.sources.table.table import Table
from mmzoo.sources.table.unlabelled import with_missing_labels
from mmzoo.spec.wording import printable, shorten
from mmzoo.wanted import OF_INPUTS, Wanted


def read_frame(path: str, form: TableFormat | None = None, field: str = "--data") -> pl.DataFrame:
    """All columns of a table as they are, a row of the frame for each of the file.

    Rows are in the order of `read_rows`, so columns such as identifiers can be set beside what a
    model says of them. An empty cell is null. Cells of .csv and .tsv files are strings; those of
    .jsonl and .parquet files have their own types. A first column without a name is left out.

    Args:
        path: Relative to the working directory; CSV, TSV, JSON lines or Parquet.
        form: How its cells are written; by default as its ending says. That of a `Table` holds for
            tables whose names end like its own.
        field: Where the path was written, for errors.

    Raises:
        DataError: It cannot be read, or is no table.
    """
    return read_cells(path, _form(path, form), None, field).frame


def read_rows(
    path: str,
    wanted: Mapping[str, Wanted],
    split: str = "data",
    form: TableFormat | None = None,
    field: str = "--data",
) -> Data:
    """All rows of a table as one split, for a model that is trained already.

    Each column is made what it is wanted for, just as `Table.load` does. To predict, leave the
    heads' columns out of `wanted`: labels need not be there. To evaluate, want them with the names
    that the model knows, so that another class makes a row bad and none changes its number. A
    column that is optional, of an input or of a label, need not be there: then it is empty in all
    rows. Where labels are wanted, one of their columns must be.

    Args:
        path: Relative to the working directory; CSV, TSV, JSON lines or Parquet.
        wanted: What each column is wanted for.
        split: The name of the one split.
        form: How its cells are written and where the files are that it names. By default as its
            ending says, and in its own folder. What a `Table` says of separator, quotes and
            encoding holds for tables whose names end like its own.
        field: Where the path was written, for errors.

    Returns:
        Data with every row, in the order of the file, of which `bad` names those with cells that
        cannot be used: settle them by `mmzoo.sources.settled`. `row_names` counts them from 1.

    Raises:
        DataError: It cannot be read, is no table, or lacks a column that is wanted.
    """

    form = _form(path, form)
    may_lack = [column for column, one in wanted.items() if one.optional]
    cells = read_cells(path, form, list(wanted), field, may_lack)
    labels = [column for column, one in wanted.items() if one.role not in OF_INPUTS]
    if not set(labels) & set(cells.frame.columns):
        check_columns(f"table {cells.shown}", [name for name in cells.names if name], labels)
    name = printable(os.path.basename(path))
    root = media_folder(path, form.media_root)
    lacking = [column for column in may_lack if column not in cells.frame.columns]
    empty = [pl.lit(None, pl.String).alias(column) for column in lacking]
    made = made_columns(cells.frame.with_columns(empty), wanted, form, root, cells.shown)
    made, unlabelled = with_missing_labels(made, wanted)
    bad = unlabelled | {row: why for one in made.values() for row, why in one.bad.items()}
    bad |= cells.bad
    told = {"file": cells.sha256, "columns": list(wanted)}
    return Data(
        name=name,
        fingerprint=hashlib.sha256(json.dumps(told).encode()).hexdigest(),
        splits={split: {column: one.values for column, one in made.items()}},
        class_names={column: one.names for column, one in made.items() if one.names is not None},
        notes=tuple(
            f"{name}: {note}"
            for note in (
                *(f"it has no column `{shorten(column)}`, so no row has any" for column in lacking),
                *(note for one in made.values() for note in one.notes),
            )
        ),
        row_names={split: np.arange(1, cells.frame.height + 1)},
        rows_are="row",
        bad={split: bad},
    )


def _form(path: str, form: TableFormat | None) -> TableFormat:
    return (
        written_alike(form, form.path, path) if isinstance(form, Table) else form or TableFormat()
    )
