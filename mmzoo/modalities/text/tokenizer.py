"""Tokenizer: texts to words or characters, and these to token ids."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html.entities import html5
from typing import Literal

from mmzoo.lazy import np, pl

Unit = Literal["words", "characters"]

_CHUNK_SIZE = 2_500
"""Texts per task of a thread, to limit the memory for intermediate strings."""

_TAG = (
    r"(?i)</?(?:a|abbr|b|big|blockquote|body|br|center|cite|code|dd|div|dl|dt|em|font|h[1-6]|head|hr"
    r"|html|i|img|li|meta|ol|p|pre|q|s|small|span|strike|strong|sub|sup|table|tbody|td|th|thead|tr"
    r"|tt|u|ul)(?:\s[^<>]*)?/?>"
)
"""HTML tags by name, so that `<unk>` and `<3` remain."""
_ENTITY = r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
"""A character as HTML may write it: `&eacute;`, `&#233;`, `&#xE9;`."""
_INVISIBLE = r"[\p{C}\p{Variation_Selector}--\s]+"
"""Control characters other than whitespace, such as soft hyphens, byte order marks and variation
selectors, which turn a heart into an emoji."""
_APOSTROPHES = "[\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}]"

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts without spaces between words."""
_LETTERS = rf"[\p{{L}}\p{{M}}\p{{N}}--[{_UNSPACED}]]+"
_WORD = rf"[{_UNSPACED}]\p{{M}}*|{_LETTERS}(?:'{_LETTERS})*"
_SYMBOL = r"[\p{P}\p{S}]"
_FLAG = r"\p{Regional_Indicator}{2}"
_EMOJI = rf"{_FLAG}|\p{{Extended_Pictographic}}"
_REMOVED = r"[\p{P}\p{S}--[\p{Extended_Pictographic}\p{Regional_Indicator}]]+"


@dataclass(frozen=True)
class Tokenizer:
    """Splits texts into tokens. Tokens never contain line breaks or control characters."""

    unit: Unit
    lowercase: bool
    punctuation: Literal["remove", "keep"]
    html: Literal["remove", "keep"]

    def tokens(self, texts: pl.Series) -> pl.Series:
        """Tokens of each text: lists of strings, `[texts]`; empty for texts without tokens."""
        return self._clean(texts).str.extract_all(self._pattern)

    def _clean(self, texts: pl.Series) -> pl.Series:
        texts = texts.fill_null("")
        if self.html == "remove":
            texts = texts.str.replace_all(_TAG, " ")
            found = texts.str.extract_all(_ENTITY).explode().drop_nulls().unique().to_list()
            found = [one for one in found if one[1] == "#" or one[1:] in html5]
            if found:
                texts = texts.str.replace_many(found, [html.unescape(one) for one in found])
        texts = texts.str.normalize("NFKC").str.replace_all(_INVISIBLE, "")
        if self.lowercase:
            texts = texts.str.to_lowercase()
        if self.unit == "characters":
            if self.punctuation == "remove":
                texts = texts.str.replace_all(_REMOVED, "")
            return texts.str.replace_all(r"\s+", " ").str.strip_chars(" ")
        return texts.str.replace_all(_APOSTROPHES, "'")

    @property
    def _pattern(self) -> str:
        symbol = rf"{_FLAG}|{_SYMBOL}" if self.punctuation == "keep" else _EMOJI
        return rf"{_WORD}|{symbol}" if self.unit == "words" else rf"{_FLAG}|."


def tokenize(texts: pl.Series, tokenizer: Tokenizer) -> pl.Series:
    """Tokens of all texts, computed in threads: lists of categoricals, `[texts]`.

    A categorical takes 4 bytes per token; a string would take 16 or more.

    Args:
        texts: strings; null gives an empty list.
        tokenizer: tokenizer to use.
    """
    kind = pl.List(pl.Categorical)

    def part(start: int) -> pl.Series:
        return tokenizer.tokens(texts.slice(start, _CHUNK_SIZE)).cast(kind)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(part, range(0, len(texts), _CHUNK_SIZE)))
    return pl.concat(parts) if parts else pl.Series(texts.name, [], dtype=kind)


PADDING = 0
UNKNOWN = 1
FIRST = 2
"""Id of the most frequent word."""


def encode_ids(tokens: pl.Series, words: Sequence[str]) -> np.ndarray:
    """Token ids of texts, padded: unsigned integers `[texts, longest text]`.

    A text without tokens becomes one unknown token, so that no sequence is empty.

    Args:
        tokens: lists of categoricals `[texts]`, see `tokenize`.
        words: vocabulary.
    """
    codes = tokens.explode(empty_as_null=True, keep_nulls=True).to_physical()
    # A string has the same categorical code in all columns.
    known = pl.Series(words, dtype=pl.Categorical).to_physical().to_numpy()
    found = codes.drop_nulls().to_numpy()
    largest = max(int(found.max(initial=0)), int(known.max(initial=0)))
    id_of = np.full(largest + 1, UNKNOWN, np.min_scalar_type(FIRST + len(words) - 1))
    id_of[known] = np.arange(FIRST, FIRST + len(words))
    ids = np.full(len(codes), UNKNOWN, id_of.dtype)
    ids[codes.is_not_null().to_numpy()] = id_of[found]
    lengths = np.maximum(tokens.list.len().fill_null(0).to_numpy(), 1)
    padded = np.full((len(lengths), lengths.max(initial=1)), PADDING, id_of.dtype)
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = ids
    return padded
