"""How the files of a table are written: what a config says of it, and what their names tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from annotated_types import MinLen

from mmzoo.errors import DataError
from mmzoo.spec import Problem, Spec, did_you_mean
from mmzoo.spec.wording import describe, either, printable

Kind = Literal["csv", "tsv", "jsonl", "parquet"]
Compression = Literal["gz", "xz", "zst"]
Encoding = Literal["utf-8", "utf-16", "latin-1", "windows-1252"]

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
    """How the cells of a table are written."""

    separator: Annotated[str, MinLen(1)] | None = None
    """The character between the cells of a line; by default a comma in .csv and a tab in .tsv
    files."""
    quote: Literal['"', "'"] | None = '"'
    """What encloses a cell that has separators or line ends in it, and is doubled within; null
    where such marks are part of the text."""
    encoding: Encoding = "utf-8"
    """How the characters of text files are written as bytes."""
    missing_values: tuple[Annotated[str, MinLen(1)], ...] = ()
    """Texts that stand for a missing value, such as `NA`, besides the empty cell."""
    label_separator: Annotated[str, MinLen(1)] = "|"
    """What stands between the labels in a cell that holds several; spaces around them are left
    off, and it alone is a row with none of the labels."""
    media_root: Annotated[str, MinLen(1)] | None = None
    """The folder in which the files that the table names are, and that their paths are relative
    to; by default that of the table. No file outside of it is opened."""

    def rules(self) -> Iterator[Problem]:
        if self.separator and (
            len(self.separator) > 1 or not self.separator.isascii() or self.separator in "\r\n\0\"'"
        ):
            yield Problem(
                ("separator",),
                "expected one ASCII character that is no quote or line end, such as ';', or "
                f'"\\t" in double quotes for a tab; got {describe(self.separator)}',
            )
        if self.media_root and "\0" in self.media_root:
            yield Problem(("media_root",), "a path cannot hold the character \\0")


def written_alike(form: TableFormat, path: str, other: str) -> TableFormat:
    """How another table is written than one with such a form.

    Likewise, where their names end alike. A separator, quotes and an encoding that stand in a
    config say nothing of a file of another kind: that is written as its own ending says.

    Args:
        form: Of the first.
        path: Of the first.
        other: Of the other.
    """
    if _KINDS.get(_endings(path)[0]) == _KINDS.get(_endings(other)[0]):
        return form
    usual = TableFormat()
    return form.replace(separator=usual.separator, quote=usual.quote, encoding=usual.encoding)


def kind_of(path: str) -> tuple[Kind, Compression | None]:
    """What a table's file is and how it is compressed, as its name says.

    Raises:
        DataError: The name does not end like that of a table.
    """
    ending, compression = _endings(path)
    kind = _KINDS.get(ending)
    if kind is None:
        known = either([f".{one}" for one in _KINDS])
        meant = did_you_mean(ending, _KINDS) if ending else ""
        raise DataError(
            f"{printable(path)}: expected a table whose name ends in {known}; all but .parquet may "
            f"have .gz, .xz or .zst after that{meant or '.'} Rename it after what it is."
        )
    if kind == "parquet" and compression:
        raise DataError(
            f"{printable(path)}: a Parquet file is compressed within; unpack this one with "
            f"{ {'gz': 'gunzip', 'xz': 'unxz', 'zst': 'unzstd'}[compression] }."
        )
    return kind, compression


def _endings(path: str) -> tuple[str, Compression | None]:
    """What a file's name says that is in it, which may be nothing, and how that is compressed."""
    endings = path.rsplit("/", 1)[-1].lower().split(".")[1:]
    compression = _COMPRESSIONS.get(endings[-1]) if endings else None
    if compression:
        endings.pop()
    return (endings[-1] if endings else ""), compression


def separator_of(kind: Kind, given: str | None) -> str:
    """The character between the cells of a line."""
    return given or ("\t" if kind == "tsv" else ",")
