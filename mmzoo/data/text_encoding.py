"""Text encoding of table files: their bytes as UTF-8, with the checks that decoders omit."""

from __future__ import annotations

from mmzoo.data.table_format import Encoding
from mmzoo.errors import DataError

_CHUNK = 1 << 24


def as_utf8(content: bytearray, shown: str, encoding: Encoding) -> bytearray:
    """The text re-encoded as UTF-8, without a byte order mark.

    Raises:
        DataError: It is not text in this encoding; names the line.
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
    offset = content.find(0)
    if offset >= 0:
        raise DataError(
            f"{shown}: line {_line_number(content, offset):,} has a NUL byte, so the file is "
            "damaged or not text. Download it again, or remove these bytes."
        )
    return content


def _check_utf8(content: bytearray, shown: str) -> None:
    start = 0
    while start < len(content):
        end = min(start + _CHUNK, len(content))
        # A chunk must not end within a character: those bytes begin with the bits 10.
        while end < len(content) and content[end] & 0xC0 == 0x80 and end > start + _CHUNK - 4:
            end -= 1
        try:
            content[start:end].decode("utf-8")
        except UnicodeDecodeError as error:
            offset = start + error.start
            raise DataError(
                f"{shown}: line {_line_number(content, offset):,} is not UTF-8 text, at byte "
                f"0x{content[offset]:02x}. Save it as UTF-8, or write `encoding: windows-1252` or "
                "`encoding: latin-1` into the config's source if that is what it is."
            ) from None
        start = end


def _line_number(content: bytearray, offset: int) -> int:
    return content.count(b"\n", 0, offset) + 1
