"""Vocabulary: the most frequent tokens, and notes on how well it covers texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from mmzoo.errors import RunError
from mmzoo.lazy import np, pl
from mmzoo.modalities.text.tokenizer import PADDING, UNKNOWN, Unit

VOCABULARY = "vocabulary.txt"
"""File name; the file has one word per line, the most frequent first."""


def most_frequent(tokens: pl.Series, most: int, min_count: int) -> list[str]:
    """The most frequent tokens; ties are ordered alphabetically.

    Args:
        tokens: lists of categoricals `[texts]`, see `tokenize`.
        most: maximum number of tokens.
        min_count: minimum number of occurrences of a token.
    """
    flat = tokens.explode(empty_as_null=False, keep_nulls=False).alias("token")
    counts = flat.value_counts(name="count").with_columns(
        pl.col("token").cast(pl.String), pl.col("count").cast(pl.Int64)
    )
    frequent = counts.filter(pl.col("count") >= min_count)
    ordered = frequent.sort("count", "token", descending=[True, False])
    return ordered["token"].head(most).to_list()


def format_vocabulary(words: Iterable[str]) -> str:
    """Content of the vocabulary file."""
    return "".join(f"{word}\n" for word in words)


def read_vocabulary(text: str | None, size: int, where: str) -> list[str]:
    """Words of a vocabulary file.

    Args:
        text: content of the file; None if it is missing.
        size: expected number of words.
        where: names the input in errors.

    Raises:
        RunError: the file is missing or damaged.
    """
    place = f"{where}: {VOCABULARY} in the run's folder `preprocessing`"
    fix = "Restore the file, or train again."
    if text is None:
        raise RunError(f"{place} is missing. {fix}")
    words = text.split("\n")  # `splitlines` would also split at other characters.
    if words.pop():
        raise RunError(
            f"{place} is damaged: the last line, {len(words) + 1:,}, is incomplete. {fix}"
        )
    if len(words) != size:
        raise RunError(
            f"{place} is damaged: expected {size:,} lines as config.yaml says "
            f"(`vocabulary_size`), found {len(words):,}. {fix}"
        )
    lines: dict[str, int] = {}
    for line, word in enumerate(words, start=1):
        if not word:
            raise RunError(f"{place}, line {line:,}: expected a word, found none. {fix}")
        if lines.setdefault(word, line) != line:
            raise RunError(
                f"{place}, line {line:,}: repeats the word of line {lines[word]:,}. {fix}"
            )
    return words


MAX_TRUNCATED_SHARE = 0.1
"""Share of truncated texts above which the note reports them."""
LENGTH_PERCENTILE = 95
"""Percentile of the lengths that is proposed as `length`."""


def coverage_note(
    ids: Mapping[str, np.ndarray],
    lengths: np.ndarray,
    length: int,
    keep: Literal["start", "end"],
    unit: Unit,
) -> str:
    """Shares of out-of-vocabulary tokens and, if there are many, of truncated texts.

    Empty if there is nothing to report.

    Args:
        ids: split -> token ids `[texts, positions]`.
        lengths: lengths of all texts before truncation, int `[texts]`.
        length: maximum length.
        keep: the part that remains of longer texts.
        unit: the kind of token.
    """
    unknown = {
        split: float((of_split == UNKNOWN).sum() / max(1, (of_split != PADDING).sum()))
        for split, of_split in ids.items()
    }
    several = len(unknown) > 1
    shares = [
        f"{share_text(share)} of the {unit}{f' of {split}' if several else ''}"
        for split, share in unknown.items()
        if share
    ]
    notes = [f"not in the vocabulary: {', '.join(shares)}"] if shares else []
    truncated = (lengths > length).mean() if len(lengths) else 0.0
    if truncated > MAX_TRUNCATED_SHARE:
        proposed = int(np.percentile(lengths, LENGTH_PERCENTILE, method="higher"))
        lost = "end" if keep == "start" else "start"
        notes.append(
            f"{share_text(truncated)} of the texts are longer than {length:,} {unit} and lose "
            f"their {lost} (`length: {proposed}` would truncate at most "
            f"{100 - LENGTH_PERCENTILE} % of them, and take longer)"
        )
    return "; ".join(notes)


def share_text(share: float) -> str:
    """`0.3 %`, `31 %`; never 0 where there is any."""
    if 0 < share < 0.001:
        return "less than 0.1 %"
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"
