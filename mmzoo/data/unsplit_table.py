"""Unsplit tables: all rows of a table as a single split, for a trained model."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mmzoo.column_spec import ColumnSpec
from mmzoo.data.class_encoding import encode_columns, first_names, names_in
from mmzoo.data.frame import ROW, SPLIT, Frame, OtherColumns, other_column
from mmzoo.data.parse_columns import issues_of, media_folder, parse_columns, target_columns
from mmzoo.data.table_format import TableFormat, format_for
from mmzoo.data.table_reader import read_table, require_columns
from mmzoo.data.table_source import Table
from mmzoo.errors import DataError
from mmzoo.lazy import np, pl
from mmzoo.spec.wording import escape, shorten


def read_rows(
    data: str | pl.DataFrame,
    specs: Mapping[str, ColumnSpec],
    split: str = "data",
    form: TableFormat | None = None,
    field: str = "--data",
    *,
    others: OtherColumns = "none",
) -> Frame:
    """All rows of a table as a single split, for a trained model.

    Columns are parsed as by `Table.read`. For prediction, `specs` has no label columns. For
    evaluation, their specs have the class names that the model knows, and a row with another class
    is a bad row; at least one label column must exist. The values of an optional column that does
    not exist are missing in all rows.

    Args:
        data: The path of a table, relative to the working directory, or a table in memory.
        specs: The columns to read, with their roles.
        split: The name of the split.
        form: Its format and media folder; by default what its suffix implies, and its own folder.
            Separator, quotes and encoding of a `Table` apply only to tables with its suffix.
        field: The field or option that has the path, for errors.
        others: Which columns to keep unparsed, such as ids: see `Frame.other_columns`.

    Raises:
        DataError: The table cannot be read, is malformed, or lacks a required column.
    """
    path = data if isinstance(data, str) else ""
    if isinstance(form, Table) and path:
        form = format_for(path, form, form.path)
    form = form or TableFormat()
    raw = _raw_table(data, specs, form, field, others != "none")
    name = escape(os.path.basename(path)) or raw.name
    kept = [c for c in raw.table.columns if c != ROW and (others == "all" or c not in specs)]
    kept_columns = [raw.table[column].alias(other_column(column)) for column in kept]
    missing = [column for column in specs if column not in raw.table.columns]
    empty = [pl.lit(None, pl.String).alias(column) for column in missing]
    table = raw.table.with_columns(pl.lit(split).alias(SPLIT), *empty)
    root = media_folder(path, form.media_root)
    parsed = parse_columns(table, specs, root, raw.name, form.decimal)
    raw = raw.with_issues(issues_of(table, parsed, specs))
    values = {column: one.values for column, one in parsed.items()}
    encoded, class_names, unknown = encode_columns(values, specs, np.arange(table.height))
    _require_known(name, values, class_names, unknown)
    content = json.dumps({"file": raw.fingerprint, "columns": list(specs)})
    notes = (
        *raw.notes,
        *(f"there is no column `{shorten(column)}`: missing in all rows" for column in missing),
        *(note for one in parsed.values() for note in one.notes),
    )
    return replace(
        raw,
        table=table.select(ROW, SPLIT).with_columns(*encoded.get_columns(), *kept_columns),
        name=name,
        fingerprint=hashlib.sha256(content.encode()).hexdigest(),
        class_names=class_names,
        notes=tuple(f"{name}: {note}" for note in notes),
        warnings=tuple(f"{name}: {each}" for one in parsed.values() for each in one.warnings),
    ).with_issues(unknown)


def _raw_table(
    data: str | pl.DataFrame,
    specs: Mapping[str, ColumnSpec],
    form: TableFormat,
    field: str,
    others: bool,
) -> Frame:
    """The unparsed cells of the columns that exist, of a file or a table in memory."""
    optional = [column for column, spec in specs.items() if spec.optional]
    targets = target_columns(specs)
    if isinstance(data, str):
        return read_table(
            data,
            form,
            list(specs),
            field,
            optional=optional,
            one_of=targets,
            others=others,
            guess_encoding=True,
        )
    sha256 = hashlib.sha256(data.hash_rows().to_numpy().tobytes()).hexdigest()
    raw = Frame(data, "the given data", sha256, rows_are="row")
    return require_columns(
        raw, data.columns, form, list(specs), optional=optional, one_of=targets, others=others
    )


def _require_known(
    name: str,
    parsed: Mapping[str, pl.Series],
    known: Mapping[str, Sequence[str]],
    unknown: Mapping[int, tuple[str | None, str]],
) -> None:
    """Raises a DataError if no row has a class that the model knows, which ten rows cannot show."""
    for column, names in known.items():
        rows = sum(one == column for one, _ in unknown.values())
        if rows and rows == len(parsed[column].drop_nulls()):
            found = first_names([one for one in names_in(parsed[column]) if one not in names])
            raise DataError(
                f"{name}: all {rows:,} rows have a `{shorten(column)}` that the model does not "
                f"know: {found}. It knows {first_names(names)}. Wrong table?"
            )
