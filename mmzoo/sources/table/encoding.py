"""The text of a table's bytes, and what keeps them from being text."""

from __future__ import annotations

from mmzoo.errors import DataError
from mmzoo.sources.table.format import Encoding


def as_utf8(content: bytearray, shown: str, encoding: Encoding) -> bytearray:
    """The same text in UTF-8, without a byte order mark.

    Raises:
        DataError: It is not text of this encoding; says where not.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) and encoding != "utf-16":
        raise DataError(
            f"{shown}: it is UTF-16 text. Write `encoding: utf-16` into the config's source, or "
            "save it as UTF-8."
        )
    nul = content[:1000].count(0)
    if encoding != "utf-16" and nul * 3 > min(len(content), 1000):
        raise DataError(
            f"{shown}: every other byte of it is 0, so it seems to be UTF-16 text. Write "
            "`encoding: utf-16` into the config's source, or save it as UTF-8."
        )
    if encoding != "utf-8":
        try:
            content = bytearray(content.decode(encoding).encode("utf-8"))
        except UnicodeError as error:
            raise DataError(
                f"{shown}: it is not {encoding} text ({error}). Set `source.encoding` to another."
            ) from None
    if content.startswith(b"\xef\xbb\xbf"):
        del content[:3]
    if encoding == "utf-8" and not content.isascii():
        _check_utf8(content, shown)
    place = content.find(0)
    if place >= 0:
        raise DataError(
            f"{shown}: line {line_of(content, place):,} has a NUL byte, which no text has: the "
            "file is damaged or no text. Get it anew, or take such bytes out."
        )
    return content


def line_of(content: bytearray, place: int) -> int:
    """The number of the line that a byte is in, counted from 1."""
    return content.count(b"\n", 0, place) + 1


def _check_utf8(content: bytearray, shown: str) -> None:
    start, size = 0, 1 << 24
    while start < len(content):
        end = min(start + size, len(content))
        # A chunk must not end within a character: those bytes begin with the bits 10.
        while end < len(content) and content[end] & 0xC0 == 0x80 and end > start + size - 4:
            end -= 1
        try:
            content[start:end].decode("utf-8")
        except UnicodeDecodeError as error:
            place = start + error.start
            raise DataError(
                f"{shown}: line {line_of(content, place):,} is not UTF-8 text, at byte "
                f"0x{content[place]:02x}. Save it as UTF-8, or write `encoding: windows-1252` or "
                "`encoding: latin-1` into the config's source if that is what it is."
            ) from None
        start = end
