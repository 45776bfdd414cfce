"""One file as a table of cells."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from mmzoo.lazy import pl
from mmzoo.sources.columns import check_columns
from mmzoo.sources.table.delimited import read_delimited
from mmzoo.sources.table.encoding import as_utf8
from mmzoo.sources.table.format import TableFormat, separator_of
from mmzoo.sources.table.opening import checked_file, sha256_of
from mmzoo.sources.table.typed import read_json_lines, read_parquet
from mmzoo.sources.table.unpacking import content_of
from mmzoo.spec.wording import printable


@dataclass(frozen=True)
class Cells:
    """What is in a table's file."""

    shown: str
    """The file's name as the config has it, printable."""
    frame: pl.DataFrame
    """The columns that were asked for, a row each; an empty cell is null. Those of .csv and .tsv
    are strings, whatever is in them."""
    names: tuple[str, ...]
    """Of all columns there are; '' for a first one that has none."""
    sha256: str
    """Of the file's bytes as they are on the disk."""
    bad: Mapping[int, str] = field(default_factory=dict)
    """Rows with too few or too many cells, counted from 0, and a clause on each."""


def read_cells(
    path: str,
    form: TableFormat,
    wanted: Collection[str] | None = None,
    field: str = "source.path",
    may_lack: Collection[str] = (),
) -> Cells:
    """Reads a table's file.

    Args:
        path: Relative to the working directory.
        form: How its cells are written.
        wanted: The columns to read; None for all that have names.
        field: Where the path was written, for errors.
        may_lack: Those of the wanted columns that need not be there: the frame then lacks them.

    Raises:
        DataError: It cannot be read, is no table, or has no such columns.
    """

    shown = printable(path)
    place, kind, compression = checked_file(path, field)
    bad: Mapping[int, str] = {}
    sha256 = sha256_of(place, shown)
    if kind == "parquet":
        frame, names = read_parquet(place, shown, wanted)
    else:
        content = as_utf8(content_of(place, shown, compression), shown, form.encoding)
        if kind == "jsonl":
            frame, names = read_json_lines(content, shown)
        else:
            default = separator_of(kind, None)
            frame, names, bad = read_delimited(
                content, shown, form.separator, default, form.quote, wanted
            )
    known = [name for name in names if name]
    if wanted is not None:
        needed = [column for column in wanted if column in known or column not in may_lack]
        # A table that has none of them is another one.
        wanted = needed or wanted
        check_columns(f"table {shown}", known, wanted)
    frame = frame.select(known if wanted is None else list(dict.fromkeys(wanted)))
    frame = frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    strings = pl.col(pl.String)
    is_missing = strings.is_in(["", *form.missing_values])
    frame = frame.with_columns(pl.when(is_missing).then(None).otherwise(strings).name.keep())
    return Cells(shown, frame, names, sha256, bad)
