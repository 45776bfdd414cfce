"""Tokens: texts cut into words or characters, all of them at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeVar

from mmzoo.lazy import np, pl

Unit = Literal["words", "characters"]

_TOGETHER = 2_500
"""Texts that a thread takes at once: what is made of more of them would fill the memory."""

_TAG = (
    r"(?i)</?(?:a|abbr|b|big|blockquote|body|br|center|cite|code|dd|div|dl|dt|em|font|h[1-6]|head|hr"
    r"|html|i|img|li|meta|ol|p|pre|q|s|small|span|strike|strong|sub|sup|table|tbody|td|th|thead|tr"
    r"|tt|u|ul)(?:\s[^<>]*)?/?>"
)
"""Tags by name: `<unk>` and `<3` are none."""
_ENTITIES = {
    "&nbsp;": " ",
    "&quot;": '"',
    "&#34;": '"',
    "&apos;": "'",
    "&#39;": "'",
    "&#039;": "'",
    "&lt;": "<",
    "&gt;": ">",
    "&amp;": "&",
}
_INVISIBLE = r"[\p{C}--\s]+"
"""Soft hyphens, joiners and byte order marks stand within words; line feeds and tabs do not."""
_APOSTROPHES = "[\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}]"

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts that put no spaces between words."""
_LETTERS = rf"[\p{{L}}\p{{M}}\p{{N}}--[{_UNSPACED}]]+"
_WORD = rf"[{_UNSPACED}]\p{{M}}*|{_LETTERS}(?:'{_LETTERS})*"
_SYMBOL = r"[\p{P}\p{S}]"
_EMOJI = r"\p{Extended_Pictographic}"
_SURELY_READ = r"[a-zA-Z0-9\p{Han}]"
_UNREAD = r"[\p{P}\p{S}--\p{Extended_Pictographic}]+"

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Tokenizer:
    """How texts are cut into tokens. No token has a line break or a control character in it."""

    unit: Unit
    lowercase: bool
    punctuation: Literal["remove", "keep"]
    html: Literal["remove", "keep"]

    def tokens(self, texts: pl.Series) -> pl.Series:
        """The tokens of each text: lists of text, `[texts]`; empty for one that has none."""
        return self._clean(texts).str.extract_all(self._pattern)

    def has_tokens(self, texts: pl.Series) -> pl.Series:
        """Whether there is any token in each text: booleans `[texts]`."""
        texts = texts.fill_null("")
        # Nearly every text has a letter outside of all tags; only others need a closer look.
        has = texts.str.contains(_SURELY_READ) & ~texts.str.contains("[<&]")
        doubtful = has.not_().arg_true()
        closer = self._clean(texts.gather(doubtful)).str.contains(self._pattern)
        return has.scatter(doubtful, closer)

    def _clean(self, texts: pl.Series) -> pl.Series:
        texts = texts.fill_null("")
        if self.html == "remove":
            texts = texts.str.replace_all(_TAG, " ")
            texts = texts.str.replace_many(list(_ENTITIES), list(_ENTITIES.values()))
        texts = texts.str.normalize("NFKC").str.replace_all(_INVISIBLE, "")
        if self.lowercase:
            texts = texts.str.to_lowercase()
        if self.unit == "characters":
            if self.punctuation == "remove":
                texts = texts.str.replace_all(_UNREAD, "")
            return texts.str.replace_all(r"\s+", " ").str.strip_chars(" ")
        return texts.str.replace_all(_APOSTROPHES, "'")

    @property
    def _pattern(self) -> str:
        symbol = _SYMBOL if self.punctuation == "keep" else _EMOJI
        return rf"{_WORD}|{symbol}" if self.unit == "words" else "."


def in_parts(texts: np.ndarray, do: Callable[[pl.Series], _Result]) -> Iterator[_Result]:
    """What `do` makes of some thousands of texts after another, in their order.

    Args:
        texts: Objects `[texts]`: each a str or None.
        do: Called in several threads.
    """
    starts = range(0, len(texts), _TOGETHER)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(lambda start: do(_series(texts[start : start + _TOGETHER])), starts)


def _series(texts: np.ndarray) -> pl.Series:

    try:
        return pl.Series(texts.tolist(), dtype=pl.String)
    except UnicodeEncodeError:  # Python has texts with halves of characters; UTF-8 has not.
        whole = (text and text.encode(errors="replace").decode() for text in texts)
        return pl.Series(list(whole), dtype=pl.String)
