"""Table formats: the fields for the files of a table, and the formats that suffixes imply."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from annotated_types import MinLen

from mmzoo.data.text_encoding import codec_name
from mmzoo.errors import DataError
from mmzoo.spec import Problem, Spec, did_you_mean
from mmzoo.spec.wording import describe, escape, join_or

Kind = Literal["csv", "tsv", "jsonl", "parquet"]
Compression = Literal["gz", "xz", "zst"]
Marker = Annotated[str, MinLen(1)]

_KINDS: dict[str, Kind] = {
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "parquet": "parquet",
}
_COMPRESSIONS: dict[str, Compression] = {"gz": "gz", "xz": "xz", "zst": "zst"}


class TableFormat(Spec):
    """The format of a table's files."""

    separator: Annotated[str, MinLen(1)] | None = None
    """The character between the cells of a line; by default a comma in .csv and a tab in .tsv
    files."""
    quote: Literal['"', "'"] | None = '"'
    """The quote character of cells with separators or line ends, doubled within quotes; null if
    quotes are part of the text."""
    encoding: str = "utf-8"
    """The character encoding of text files: any that Python knows, such as utf-8, utf-16, cp1252
    (Western Europe), cp1250 (Central Europe), cp1251 (Cyrillic), gb18030, shift_jis or euc_kr."""
    decimal: Literal[".", ","] | None = None
    """The decimal mark of numbers in text, the other mark then separates thousands: with ",",
    1.234,5 is 1234.5. By default a point, and nothing may separate thousands."""
    missing_values: tuple[Marker, ...] | dict[str, tuple[Marker, ...]] = ()
    """Markers of missing values besides the empty cell, by column: {age: [NA, "-"]}. A list applies
    to all columns that an input, a head or a split reads."""
    media_root: Annotated[str, MinLen(1)] | None = None
    """The folder of the media files, to which their paths are relative; by default the table's
    folder. No file outside of it is opened."""

    def markers(self, column: str) -> tuple[str, ...]:
        """The markers of missing values in a column."""
        if isinstance(self.missing_values, tuple):
            return self.missing_values
        return self.missing_values.get(column, ())

    def rules(self) -> Iterator[Problem]:
        if self.separator and (
            len(self.separator) > 1 or not self.separator.isascii() or self.separator in "\r\n\0\"'"
        ):
            yield Problem(
                ("separator",),
                "expected one ASCII character other than a quote or line end, such as ';', or "
                f'"\\t" in double quotes for a tab; got {describe(self.separator)}',
            )
        if codec_name(self.encoding) is None:
            yield Problem(
                ("encoding",),
                "expected an encoding that Python knows, such as utf-8, cp1252, cp1251, gb18030, "
                f"shift_jis or euc_kr; got {describe(self.encoding)}",
            )
        if self.media_root and "\0" in self.media_root:
            yield Problem(("media_root",), "a path cannot contain the character \\0")


def format_for(other: str, form: TableFormat, path: str) -> TableFormat:
    """The format of another table, given the format of a first one.

    If their suffixes agree, the formats are the same. Otherwise separator, quotes and encoding are
    those that the other's suffix implies.

    Args:
        other: The other table.
        form: The first table's format.
        path: The first table.
    """
    if _KINDS.get(_endings(path)[0]) == _KINDS.get(_endings(other)[0]):
        return form
    default = TableFormat()
    return form.replace(separator=default.separator, quote=default.quote, encoding=default.encoding)


def kind_of(path: str) -> tuple[Kind, Compression | None]:
    """The kind and the compression of a table's file, by its suffixes.

    Raises:
        DataError: It has none of the suffixes of tables.
    """
    ending, compression = _endings(path)
    kind = _KINDS.get(ending)
    if kind is None:
        known = join_or([f".{one}" for one in _KINDS])
        meant = did_you_mean(ending, _KINDS) if ending else ""
        raise DataError(
            f"{escape(path)}: expected a table whose name ends in {known}; all but .parquet may "
            f"have .gz, .xz or .zst after that{meant or '.'} Rename it to match its content."
        )
    if kind == "parquet" and compression:
        raise DataError(
            f"{escape(path)}: Parquet files are compressed internally; decompress this one with "
            f"{ {'gz': 'gunzip', 'xz': 'unxz', 'zst': 'unzstd'}[compression] }."
        )
    return kind, compression


def _endings(path: str) -> tuple[str, Compression | None]:
    """The suffix of a file's name, or '', and its compression."""
    endings = path.rsplit("/", 1)[-1].lower().split(".")[1:]
    compression = _COMPRESSIONS.get(endings[-1]) if endings else None
    if compression:
        endings.pop()
    return (endings[-1] if endings else ""), compression


def separator_of(kind: Kind, given: str | None) -> str:
    """The separator of a delimited file."""
    return given or ("\t" if kind == "tsv" else ",")
