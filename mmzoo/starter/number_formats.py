"""Number and date formats that mmzoo recognizes but does not read: 1,234.50 or 31.12.2024."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mmzoo.data.column_types import NOTE_SHARE
from mmzoo.lazy import pl
from mmzoo.spec.wording import shorten

_SPACE = " \u00a0\u202f"
_CURRENCY = r"([$€£¥]|EUR|USD|GBP|CHF)"
_AROUND_DIGITS = (
    rf"^(?P<sign>[-+]?){_CURRENCY}?[{_SPACE}]?(?P<digits>\d[\d.,'{_SPACE}]*?)"
    rf"[{_SPACE}]?({_CURRENCY}|%)?$"
)
_DIGITS = re.compile(
    rf"""\d+([.,]\d+)?                        # 12,5
    | \d{{1,3}}(,\d{{3}})+(\.\d+)?            # 1,234.5
    | \d{{1,3}}(\.\d{{3}})+,\d+               # 1.234,5
    | \d{{1,3}}(\.\d{{3}}){{2,}}              # 1.234.567
    | \d{{1,3}}(['{_SPACE}]\d{{3}})+([.,]\d+)?  # 1 234,5""",
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
    digits = re.sub(rf"['{_SPACE}]", "", found["digits"])
    comma, dot = digits.rfind(","), digits.rfind(".")
    if dot > comma >= 0 or re.fullmatch(r"\d{1,3}(,\d{3})+", digits):
        digits = digits.replace(",", "")
    elif comma > dot >= 0 or digits.count(".") > 1:
        digits = digits.replace(".", "")
    return found["sign"].strip("+") + digits.replace(",", ".")
