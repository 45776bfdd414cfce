"""Vocabulary: the words that an input knows by number, as a text file."""

from __future__ import annotations

from collections.abc import Iterable

from mmzoo.errors import RunError
from mmzoo.lazy import pl

VOCABULARY = "vocabulary.txt"
"""The file's name: one word a line, the most frequent first."""


def counted(tokens: pl.Series) -> pl.DataFrame:
    """How often each token is there: columns `token` and `count`, in no order.

    Args:
        tokens: Lists of text.
    """

    flat = tokens.explode(empty_as_null=False, keep_nulls=False).alias("token")
    return flat.value_counts(name="count").with_columns(pl.col("count").cast(pl.Int64))


def most_frequent(counts: Iterable[pl.DataFrame], most: int, min_count: int) -> list[str]:
    """The most frequent tokens of several counts; of two that are as frequent, by their text.

    Args:
        counts: As `counted` makes them; at least one.
        most: How many, at most.
        min_count: How often a token must be there.
    """

    total = pl.concat(counts).group_by("token").agg(pl.col("count").sum())
    frequent = total.filter(pl.col("count") >= min_count)
    ordered = frequent.sort("count", "token", descending=[True, False])
    return ordered["token"].head(most).to_list()


def written_vocabulary(words: Iterable[str]) -> str:
    """The file's text."""
    return "".join(f"{word}\n" for word in words)


def read_vocabulary(text: str | None, size: int, where: str) -> list[str]:
    """The words of the file.

    Args:
        text: Of the file; None where there is none.
        size: How many words it must have.
        where: Says whose it is.

    Raises:
        RunError: It is not the file that was written.
    """
    place = f"{where}: {VOCABULARY} in the run's folder `preprocessing`"
    mend = "Restore the file, or train again."
    if text is None:
        raise RunError(f"{place} is missing. {mend}")
    words = text.split("\n")  # Not `splitlines`, which takes some characters for ends of lines.
    if words.pop():
        raise RunError(f"{place} is damaged: the last line, {len(words) + 1:,}, has no end. {mend}")
    if len(words) != size:
        raise RunError(
            f"{place} is damaged: expected {size:,} lines as config.yaml has it "
            f"(`vocabulary_size`), found {len(words):,}. {mend}"
        )
    lines: dict[str, int] = {}
    for line, word in enumerate(words, start=1):
        if not word:
            raise RunError(f"{place}, line {line:,}: expected a word, found none. {mend}")
        if lines.setdefault(word, line) != line:
            raise RunError(
                f"{place}, line {line:,}: has the same word as line {lines[word]:,}. {mend}"
            )
    return words
