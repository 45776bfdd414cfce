"""Ids: texts as the numbers of their words, padded at the end."""

from __future__ import annotations

from collections.abc import Sequence

from mmzoo.lazy import np, pl

PADDING = 0
UNKNOWN = 1
FIRST = 2
"""The id of the most frequent word."""


def numbered(tokens: pl.Series, words: Sequence[str]) -> np.ndarray:
    """Ids of some texts' tokens: unsigned `[texts, most tokens]`, at least one position.

    A text without any token is read as one unknown word, so that every text has something to read.

    Args:
        tokens: Lists of text `[texts]`.
        words: The vocabulary.
    """

    ids = (
        tokens.explode(empty_as_null=True, keep_nulls=True)
        .replace_strict(
            pl.Series(words, dtype=pl.String),
            pl.Series(range(FIRST, FIRST + len(words)), dtype=pl.UInt32),
            default=UNKNOWN,
            return_dtype=pl.UInt32,
        )
        .fill_null(UNKNOWN)
    )
    lengths = np.maximum(tokens.list.len().to_numpy(), 1)
    padded = np.full((len(lengths), lengths.max(initial=1)), PADDING, _smallest_dtype(len(words)))
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = ids.to_numpy()
    return padded


def stacked(parts: Sequence[np.ndarray], words: int) -> np.ndarray:
    """Ids of all texts, of ids of some of them each: as wide as the widest.

    Args:
        parts: Of `numbered`.
        words: How many the vocabulary has.
    """

    width = max((part.shape[1] for part in parts), default=1)
    whole = np.full((sum(map(len, parts)), width), PADDING, _smallest_dtype(words))
    start = 0
    for part in parts:
        whole[start : start + len(part), : part.shape[1]] = part
        start += len(part)
    return whole


def _smallest_dtype(words: int) -> np.dtype:

    return np.min_scalar_type(FIRST + words - 1)
