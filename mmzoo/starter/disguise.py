"""Numbers and dates in writings that are not read as such: 1,234.50 or 31.12.2024."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mmzoo.lazy import pl
from mmzoo.spec.wording import shorten

_MOST = 0.9
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
class Disguise:
    """What nearly all cells of a column would be read as, if they were written otherwise."""

    what: Literal["numbers", "dates"]
    example: str
    plain: str
    """The example as it is read; of a date, whose day may be its month, another one."""

    def __str__(self) -> str:
        written = "as" if self.what == "numbers" else "as in"
        return (
            f"{self.what} such as '{shorten(self.example)}', which are read if written {written} "
            f"{shorten(self.plain)}"
        )


def disguise_of(few: pl.Series) -> Disguise | None:
    """What texts would be read as, if they were written otherwise; None if nothing else.

    Args:
        few: Some cells, none of them empty, most of which are no numbers or dates as they stand.
    """
    needed = _MOST * len(few)
    dates = few.filter(few.str.contains(_DATE))
    if len(dates) >= needed:
        return Disguise("dates", dates[0], "2024-12-31")
    # Of a column of words this alone is asked, without a loop over its cells.
    if few.str.contains(_AROUND_DIGITS).sum() < needed:
        return None
    plain = {cell: number for cell in few.to_list() if (number := _plain(cell)) is not None}
    changed = [cell for cell, number in plain.items() if cell != number]
    if few.is_in(list(plain)).sum() < needed or not changed:
        return None
    return Disguise("numbers", changed[0], plain[changed[0]])


def _plain(cell: str) -> str | None:
    """The number as it is read, or None where the cell is none."""
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
