"""What is read of a column of texts, objects `[texts]`, of which a part is in pieces at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.errors import DataError
from mmzoo.inputs.text.ids import numbered, stacked
from mmzoo.inputs.text.tokens import Tokenizer, in_parts
from mmzoo.inputs.text.vocabulary import counted, most_frequent
from mmzoo.lazy import np, pl

if TYPE_CHECKING:
    from collections.abc import Sequence


def rows_without_words(values: np.ndarray, tokenizer: Tokenizer) -> list[int]:
    """The rows of texts that have no word, or are none."""

    has_words = [part.to_numpy() for part in in_parts(values, tokenizer.has_tokens)]
    return np.flatnonzero(~np.concatenate(has_words)).tolist() if has_words else []


def lengths_of(values: np.ndarray, tokenizer: Tokenizer) -> np.ndarray:
    """How many words or characters each text has, `[texts]`."""

    def count(texts: pl.Series) -> np.ndarray:
        return tokenizer.tokens(texts).list.len().to_numpy()

    return np.concatenate([np.zeros(0, np.int64), *in_parts(values, count)])


def frequent_words(
    values: np.ndarray, tokenizer: Tokenizer, most: int, min_count: int, where: str
) -> tuple[list[str], np.ndarray]:
    """The words of training texts, the most frequent first; and how many each text has.

    Args:
        values: At least one text.
        tokenizer: Says what a word is.
        most: How many are known at most.
        min_count: How often a word must be there to be known.
        where: Says where the texts come from.

    Raises:
        DataError: They have no words, or none often enough.
    """

    def count(texts: pl.Series) -> tuple[pl.DataFrame, np.ndarray]:
        tokens = tokenizer.tokens(texts)
        return counted(tokens), tokens.list.len().to_numpy()

    counts, lengths = zip(*in_parts(values, count), strict=True)
    words = most_frequent(counts, most, min_count)
    if not words:
        often = f" that is there {min_count} times (`min_count`)" if min_count > 1 else ""
        raise DataError(f"{where}: the {len(values):,} training texts have no word{often}.")
    return words, np.concatenate(lengths)


def numbered_texts(
    values: np.ndarray,
    tokenizer: Tokenizer,
    words: Sequence[str],
    length: int,
    keep: Literal["start", "end"],
) -> tuple[np.ndarray, np.ndarray]:
    """Texts as the numbers of their words, unsigned `[texts, at most length]`, and their lengths.

    Args:
        values: Texts, or None.
        tokenizer: Says what a word is.
        words: Those that are known.
        length: How many words of a text are kept.
        keep: Which part of a longer one.
    """

    def number(texts: pl.Series) -> tuple[np.ndarray, np.ndarray]:
        tokens = tokenizer.tokens(texts)
        kept = tokens.list.head(length) if keep == "start" else tokens.list.tail(length)
        return numbered(kept, words), tokens.list.len().to_numpy()

    if not len(values):
        return stacked([], len(words)), np.zeros(0, np.int64)
    parts, lengths = zip(*in_parts(values, number), strict=True)
    return stacked(parts, len(words)), np.concatenate(lengths)
