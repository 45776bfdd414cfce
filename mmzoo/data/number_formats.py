"""Number formats: decimal commas, separators of thousands, and formats that are not read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from mmzoo.column_spec import ColumnSpec
from mmzoo.data.column_types import NOTE_SHARE, TYPE_SHARE, is_missing_word, parse_numbers
from mmzoo.errors import DataError
from mmzoo.lazy import pl
from mmzoo.spec.wording import shorten

_SPACE = " \u00a0\u202f"
_CURRENCY = r"([$€£¥]|EUR|USD|GBP|CHF)"
_AROUND_DIGITS = (
    rf"^(?P<before>[-+\u2212(]?){_CURRENCY}?[{_SPACE}]?(?P<digits>\d[\d.,'\u2019{_SPACE}]*?)"
    rf"[{_SPACE}]?({_CURRENCY}|%)?(?P<after>[-)]?)$"
)
_DIGITS = re.compile(
    rf"""\d+([.,]\d+)?                        # 12,5
    | \d{{1,3}}(,\d{{3}})+(\.\d+)?            # 1,234.5
    | \d{{1,3}}(\.\d{{3}})+,\d+               # 1.234,5
    | \d{{1,3}}(\.\d{{3}}){{2,}}              # 1.234.567
    | \d{{1,2}}(,\d{{2}})+,\d{{3}}(\.\d+)?     # 12,34,567.8
    | \d{{1,3}}(['\u2019{_SPACE}]\d{{3}})+([.,]\d+)?  # 1 234,5""",
    re.VERBOSE,
)
_DATE = (
    r"^(\d{1,2}[./-]\d{1,2}[./-](\d{4}|\d{2})|\d{4}[./]\d{1,2}[./]\d{1,2})"
    r"([T ,]+\d{1,2}:\d{2}(:\d{2})?)?$"
)


@dataclass(frozen=True)
class UnreadFormat:
    """Numbers or dates that would be read if they were formatted otherwise."""

    what: Literal["numbers", "dates"]
    example: str
    plain: str
    """The example in a format that is read; another date, as its day and month are ambiguous."""

    def __str__(self) -> str:
        how = "as" if self.what == "numbers" else "like"
        return (
            f"{self.what} such as '{shorten(self.example)}': write them {how} "
            f"{shorten(self.plain)} to use them"
        )


def unread_format(sample: pl.Series) -> UnreadFormat | None:
    """The format of nearly all cells, if they are numbers or dates that are not read as such.

    Args:
        sample: Strings, none of them empty.
    """
    needed = NOTE_SHARE * len(sample)
    dates = sample.filter(sample.str.contains(_DATE))
    if len(dates) and len(dates) >= needed:
        return UnreadFormat("dates", dates[0], "2024-12-31")
    # This check needs no loop over the cells, and suffices for columns of words.
    if sample.str.contains(_AROUND_DIGITS).sum() < needed:
        return None
    plain = {cell: number for cell in sample.to_list() if (number := _plain(cell)) is not None}
    changed = [cell for cell, number in plain.items() if cell != number]
    if sample.is_in(list(plain)).sum() < needed or not changed:
        return None
    return UnreadFormat("numbers", changed[0], plain[changed[0]])


def _plain(cell: str) -> str | None:
    """The number in plain digits; None if the cell is not a number."""
    found = re.match(_AROUND_DIGITS, cell)
    if found is None or not _DIGITS.fullmatch(found["digits"]):
        return None
    if (found["before"] == "(") != (found["after"] == ")"):
        return None
    digits = re.sub(rf"['\u2019{_SPACE}]", "", found["digits"])
    comma, dot = digits.rfind(","), digits.rfind(".")
    if dot > comma >= 0 or re.fullmatch(r"\d{1,3}(,\d{2,3})*,\d{3}", digits):
        digits = digits.replace(",", "")
    elif comma > dot >= 0 or digits.count(".") > 1:
        digits = digits.replace(".", "")
    is_negative = found["before"] in ("-", "\u2212", "(") or found["after"] == "-"
    return "-" * is_negative + digits.replace(",", ".")


# Decimal marks

Decimal = Literal[".", ","]

_MARKS: tuple[tuple[Decimal, str], ...] = ((".", ","), (",", "."))
_NUMBERS = {
    mark: rf"^\s*[+-]?(?:[0-9]{{1,3}}(?:[{group}'{_SPACE}][0-9]{{3}})+|[0-9]+)"
    rf"(?:[{mark}][0-9]+)?\s*$"
    for mark, group in _MARKS
}
"""Decimal mark -> numbers that may have separators of thousands."""
_THOUSANDS = r"^\s*[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+\s*$"
"""A number whose points may separate thousands."""


def plain_numbers(texts: pl.Series, decimal: Decimal) -> pl.Series:
    """Numbers with a decimal point and nothing between thousands; other cells as they are.

    Example:
        With ",", `["1.234,5", "987", "n/a"]` become `["1234.5", "987", "n/a"]`.
    """
    plain = texts.str.replace_all(rf"[{'.' if decimal == ',' else ','}'{_SPACE}]", "")
    is_number = texts.str.contains(_NUMBERS[decimal])
    frame = pl.DataFrame({"text": texts, "plain": plain.str.replace(",", ".", literal=True)})
    found = frame.select(pl.when(is_number).then("plain").otherwise("text"))
    return found.to_series().alias(texts.name)


def ambiguous_thousands(texts: pl.Series) -> tuple[str, str] | None:
    """A number such as 2.155 that may be 2155, and one such as 987 that makes this likely.

    All points come before three digits, and no whole number without a point has more than three. A
    column of decimals that all have three digits has no such whole numbers.
    """
    filled = texts.drop_nulls()
    filled = filled.filter(~is_missing_word(filled.str.strip_chars()))
    has_point = filled.str.contains(".", literal=True)
    dotted = filled.filter(
        has_point & parse_numbers(filled.str.replace_all(r"\.", "")).is_not_null()
    )
    whole = filled.filter(filled.str.contains(r"^\s*[+-]?[0-9]+\s*$"))
    if not len(dotted) or not len(whole) or len(dotted) + len(whole) < TYPE_SHARE * len(filled):
        return None
    is_decimal = not dotted.str.contains(_THOUSANDS).all()
    if is_decimal or whole.str.contains(r"[0-9]{4}").any() or whole.str.contains("^0[0-9]").any():
        return None
    return dotted[0], whole[0]


def detect_decimal(columns: Iterable[pl.Series]) -> tuple[Decimal, str, str] | None:
    """The decimal mark of a table's numbers, a column that shows it, and a cell of it.

    Returns:
        None if all numbers are plain, or if columns contradict each other.
    """
    evidence: dict[str, tuple[str, str]] = {}
    for texts in columns:
        filled = texts.drop_nulls()
        filled = filled.filter(~is_missing_word(filled.str.strip_chars()))
        for name, decimal, pattern in (
            ("comma", ",", r",(?:[0-9]{1,2}|[0-9]{4,})\s*$|\..*,[0-9]+\s*$"),
            ("point", ".", r"\.(?:[0-9]{1,2}|[0-9]{4,})\s*$|^\s*-?0\.[0-9]{3}\s*$"),
            ("grouped", ".", r",[0-9]{3}\.[0-9]+\s*$"),
        ):
            is_number = filled.str.contains(_NUMBERS[decimal])  # type: ignore[index]
            shown = filled.filter(is_number & filled.str.contains(pattern))
            if len(shown) and is_number.sum() >= NOTE_SHARE * len(filled):
                evidence.setdefault(name, (texts.name, shown[0]))
        if found := ambiguous_thousands(texts):
            evidence.setdefault("thousands", (texts.name, found[0]))
    has_point = "point" in evidence or "grouped" in evidence
    for name in ("comma", "thousands"):
        if name in evidence and not has_point:
            return ",", *evidence[name]
    if "grouped" in evidence and "comma" not in evidence:
        return ".", *evidence["grouped"]
    return None


def check_thousands(
    table: pl.DataFrame, specs: Mapping[str, ColumnSpec], decimal: Decimal | None, where: str
) -> None:
    """Raises a DataError if points may separate thousands, and `decimal` does not say so."""
    for column in _numeric_texts(table, specs) if decimal is None else ():
        if found := ambiguous_thousands(table[column]):
            number = found[0].strip()
            raise DataError(
                f"{where}: column `{column}`: '{number}' beside '{found[1].strip()}' may be "
                f'{number.replace(".", "")}. Write `decimal: ","` into the config\'s source if '
                'points separate thousands, or `decimal: "."` if they do not.'
            )


def plain_columns(
    table: pl.DataFrame, specs: Mapping[str, ColumnSpec], decimal: Decimal | None
) -> pl.DataFrame:
    """The table with plain numbers in the columns that are read as numbers."""
    if decimal is None:
        return table
    columns = _numeric_texts(table, specs)
    return table.with_columns([plain_numbers(table[column], decimal) for column in columns])


def _numeric_texts(table: pl.DataFrame, specs: Mapping[str, ColumnSpec]) -> list[str]:
    return [
        column
        for column, spec in specs.items()
        if spec.role in ("value", "number") and table.schema[column] == pl.String
    ]
