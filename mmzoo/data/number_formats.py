"""Number formats: decimal commas, separators of thousands, and formats that are not read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mmzoo.data.column_types import NOTE_SHARE, TYPE_SHARE, is_missing_word, parse_numbers
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
    return UnreadFormat("numbers", changed[0], _either(changed[0], plain[changed[0]]))


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


def _either(cell: str, plain: str) -> str:
    """The plain number; of a cell such as `1.234 EUR` both numbers that it may be."""
    found = re.match(_AROUND_DIGITS, cell)
    if found is None or not re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", found["digits"]):
        return plain
    sign = "-" * plain.startswith("-")
    whole, thousandths = found["digits"].split(".")
    return f"{sign}{whole}{thousandths} or {sign}{whole}.{thousandths}"


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
_THREE_DECIMALS = r"^\s*[+-]?[1-9][0-9]{0,2}\.[0-9]{3}\s*$"


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
            ("grouped", ".", rf"[,'{_SPACE}][0-9]{{3}}\.[0-9]+\s*$"),
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


def has_three_decimals(texts: pl.Series) -> bool:
    """Whether all numbers have a point before three digits, so that points may separate thousands.

    Such a column alone does not show which: 1.234 may be 1234.
    """
    filled = texts.drop_nulls()
    return bool(len(filled)) and bool(filled.str.contains(_THREE_DECIMALS).all())


def other_decimals(texts: pl.Series, decimal: Decimal) -> pl.Series:
    """Which cells are numbers with a decimal point, in spite of a decimal comma: bool `[rows]`.

    Example:
        With ",", the last of `["1.234,5", "987", "1.5"]`. With ".", none: 1,5 is no number.
    """
    is_number = texts.str.contains(_NUMBERS[decimal])
    has_point = texts.str.contains(".", literal=True) & parse_numbers(texts).is_not_null()
    return (has_point & ~is_number & (decimal == ",")).fill_null(False)
