"""Text encoding of table files: their bytes as UTF-8, and the likely encoding of other text."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import islice
from typing import NamedTuple

from mmzoo.errors import DataError
from mmzoo.spec.wording import shorten

_CHUNK = 1 << 24
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MAX_CELLS = 2_000
"""Cells that an encoding is guessed from."""
_IN_CELL = rb"(?:[\x81-\xfe]\||[^,;|\t\r\n\"'])*"
_CELL = re.compile(rb"(?<![^,;|\t\r\n\"'])(?=[^,;|\t\r\n\"']*[\x80-\xff])" + _IN_CELL)
"""A cell with bytes that are not ASCII; other cells would only mislead the detector.

The bar is also the second byte of characters, such as the Japanese po in cp932.
"""
_CANDIDATES = (
    *("gb18030", "big5", "cp949", "cp932", "euc-jp", "koi8-r", "cp874", "cp1250", "cp1251"),
    *("cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "iso8859-2"),
)
"""Encodings of text files in use; other ISO 8859 encodings nearly equal one of Windows."""
_RARE = ("mac-roman", "cp850", "cp852", "cp866")
"""Encodings of old files, too alike others to be guessed, unless those make no words."""
_MULTIBYTE = ("gb18030", "big5", "cp949", "cp932", "euc-jp")
_WITHIN_WORDS = "\u2019\u2010\u00ad\u00b7"
"""Apostrophe, hyphen, soft hyphen and middle dot."""
_IMPLAUSIBLE = 0.1
"""The share of implausible characters from which a guessed encoding is doubted."""
_NOT_ASCII = bytes(range(0x80, 0x100))


class EncodingGuess(NamedTuple):
    """A likely encoding of a text that is not UTF-8."""

    name: str
    """A Python codec."""
    cell: str
    """One of the cells with a character that is not ASCII, decoded; empty if there is no doubt."""

    def __str__(self) -> str:
        return f"{self.name}, in which a cell reads '{shorten(self.cell)}'"


def codec_name(encoding: str) -> str | None:
    """The usual name of a text encoding, such as `cp1251` for Windows-1251; None if unknown."""
    try:
        "".encode(encoding)  # Some codecs, such as base64, do not encode text.
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        return None


def is_wide(encoding: str) -> bool:
    """Whether all characters have two bytes or more, so that a line end is not a single byte."""
    return (codec_name(encoding) or "").startswith(("utf-16", "utf-32"))


def guess_encoding(content: bytes | bytearray, words: Iterable[str] = ()) -> EncodingGuess | None:
    """Guesses the encoding of a table's text; None if it is UTF-8, even damaged, or of no known
    encoding.

    Args:
        content: The bytes of the text.
        words: Words that it should contain. Encodings in which it has them are preferred.
    """
    import chardet  # Takes 0.1 s, and is seldom needed.

    if _seems_utf16(content):
        return EncodingGuess("utf-16", "")
    if _is_mostly_utf8(content):
        return None
    found = (match.group() for match in _CELL.finditer(content))
    cells = list(dict.fromkeys(islice(found, _MAX_CELLS)))
    sample = b"\n".join(cells)
    known = [word for word in words if not word.isascii()]
    fitting = [name for name in (*_CANDIDATES, *_RARE) if known and _has(sample, known, name)]
    guessed = chardet.detect(sample, include_encodings=fitting or _CANDIDATES)["encoding"]
    name = codec_name(guessed) if guessed else None
    if not fitting and name not in map(codec_name, _MULTIBYTE):
        name = _more_plausible(sample, name)
    if fitting and name not in map(codec_name, fitting):
        name = codec_name(fitting[0])
    if name is None or _decoded(sample, name) is None:
        return None
    if _decoded(sample, "cp1252") == _decoded(
        sample, name
    ):  # Same text: prefer the most common codec.
        name = "cp1252"
    return EncodingGuess(name, cells[-1].decode(name).strip())


def _more_plausible(sample: bytes, guessed: str | None) -> str | None:
    """The encoding of one byte per character in which characters make words; else the guess.

    Statistics of a language mislead where letters are in other places, as in files of DOS and old
    Macs: a block between letters for an accent.
    """
    scores = {}
    for name in dict.fromkeys(filter(None, (guessed, *_CANDIDATES, *_RARE))):
        text = None if name in _MULTIBYTE else _decoded(sample, name)
        if text is not None:
            scores[name] = _implausible_share(text)
    if not scores or (guessed and scores.get(guessed, 1.0) < _IMPLAUSIBLE):
        return guessed
    best = min(scores, key=lambda name: scores[name])
    return best if scores[best] < _IMPLAUSIBLE / 2 else guessed


def _implausible_share(text: str) -> float:
    """The share of characters, other than ASCII, that no word has in their place.

    That is a sign between letters, a symbol beside a letter that is not ASCII, a capital after a
    small letter, or a letter beside one of another script.
    """
    found = implausible = 0
    for before, one, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if one.isascii():
            continue
        found += 1
        beside = [other for other in (before, after) if other.isalpha()]
        kind = unicodedata.category(one)[0]  # Vowels of Thai, say, are marks.
        if one.isalpha():
            is_other = any(_script(other) != _script(one) for other in beside)
            implausible += is_other or (one.isupper() and before.islower())
        elif kind != "M" and len(beside) == 2:
            implausible += one not in _WITHIN_WORDS
        elif kind == "S":
            implausible += not "".join(beside).isascii()
    return implausible / found if found else 0.0


@cache
def _script(letter: str) -> str:
    return unicodedata.name(letter, "").split(" ")[0]


def _has(content: bytes, words: Iterable[str], encoding: str) -> bool:
    """Whether the content is text of this encoding with all of the words."""
    text = _decoded(content, encoding)
    return text is not None and all(word in text for word in words)


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeError:
        return None


def as_utf8(
    content: bytearray, shown: str, encoding: str, *, guess: bool = False
) -> tuple[bytearray, tuple[str, ...]]:
    """The text re-encoded as UTF-8, without a byte order mark; and clauses on its encoding.

    Args:
        content: The file's bytes.
        shown: Its name, for errors.
        encoding: A Python codec.
        guess: Whether text that does not have this encoding may have another one.

    Raises:
        DataError: It is not text in this encoding; names the line.
    """
    if not is_wide(encoding) and _seems_utf16(content):
        why = "every other byte of it is 0, so it seems to be"
        why = "it is" if content.startswith(_UTF16_BOMS) else why
        raise DataError(
            f"{shown}: {why} UTF-16 text. Write `encoding: utf-16` into the config's source, or "
            "save it as UTF-8."
        )
    is_utf8 = codec_name(encoding) in ("utf-8", "utf-8-sig")
    notes: tuple[str, ...] = ()
    if not is_utf8 and not is_wide(encoding) and not content.isascii() and _is_utf8(content):
        if guess:
            encoding, is_utf8 = "utf-8", True
            notes = ("its text is UTF-8, unlike that of the training data",)
        else:
            notes = (f"its text is valid UTF-8, but is read as `encoding: {encoding}`",)
    if is_utf8 and guess and (guessed := guess_encoding(content)):
        encoding, is_utf8 = guessed.name, False
        notes = (f"its text is not UTF-8; the guessed encoding is {guessed}",)
    if not is_utf8:
        try:
            content = bytearray(content.decode(encoding).encode("utf-8"))
        except UnicodeError as error:
            raise DataError(
                f"{shown}: it is not {encoding} text ({error}). {_advice(content, encoding)}"
            ) from None
    if content.startswith(codecs.BOM_UTF8):
        del content[:3]
    if is_utf8 and (offset := _first_wrong_byte(content)) is not None:
        raise DataError(
            f"{shown}: line {_line_number(content, offset):,} is not UTF-8 text, at byte "
            f"0x{content[offset]:02x}. {_advice(content, encoding)}"
        )
    offset = content.find(0)
    if offset >= 0:
        raise DataError(
            f"{shown}: line {_line_number(content, offset):,} has a NUL byte, so the file is "
            "damaged or not text. Download it again, or remove these bytes."
        )
    return content, notes


def _seems_utf16(content: bytes | bytearray) -> bool:
    return content.startswith(_UTF16_BOMS) or content[:1000].count(0) * 3 > min(len(content), 1000)


def _advice(content: bytearray, encoding: str) -> str:
    if codec_name(encoding) in ("utf-8", "utf-8-sig") and _is_mostly_utf8(content):
        return (
            "The rest of it is UTF-8, so these bytes are damaged. Restore or remove them, or write "
            "another `encoding` into the config's source."
        )
    guessed = guess_encoding(content)
    if guessed is None or guessed.name == codec_name(encoding):
        return "Save it as UTF-8, or write another `encoding` into the config's source."
    return (
        f"It seems to be {guessed}. Write `encoding: {guessed.name}` into the config's source if "
        "that is right, or save it as UTF-8."
    )


def _is_utf8(content: bytes | bytearray) -> bool:
    return _first_wrong_byte(content) is None


def _is_mostly_utf8(content: bytes | bytearray) -> bool:
    """Whether it is UTF-8, or has two characters of UTF-8 for each byte that is not.

    In other encodings, bytes seldom happen to be characters of UTF-8.
    """
    if _is_utf8(content):
        return True
    text = content.decode("utf-8", "ignore")
    wrong = len(content) - len(text.encode())
    return len(text) - len(content.translate(None, _NOT_ASCII)) >= 2 * wrong


def _first_wrong_byte(content: bytes | bytearray) -> int | None:
    """The offset of the first byte that is not UTF-8; decodes in chunks, to need little memory."""
    if content.isascii():
        return None
    start = 0
    while start < len(content):
        end = min(start + _CHUNK, len(content))
        # A chunk must not end within a character: those bytes begin with the bits 10.
        while end < len(content) and content[end] & 0xC0 == 0x80 and end > start + _CHUNK - 4:
            end -= 1
        try:
            content[start:end].decode("utf-8")
        except UnicodeDecodeError as error:
            return start + error.start
        start = end
    return None


def _line_number(content: bytearray, offset: int) -> int:
    return content.count(b"\n", 0, offset) + 1
