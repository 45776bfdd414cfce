"""Suggested text inputs: a maximum length that truncates few texts, and an encoder."""

from __future__ import annotations

from typing import Any

from mmzoo.data.column_types import ColumnProfile, count_words
from mmzoo.modalities.suggestion import Suggestion

_MAX_LENGTH = 400
"""Longer texts take more time and rarely improve results."""
_MIN_TEXTS_FOR_BIGRAMS = 2_000
_VOCABULARY_SIZE = 20_000
_BUCKETS = 50_000


def suggest_text(column: ColumnProfile) -> Suggestion:
    """A text input for a column of sentences."""
    sample = column.sample
    lengths = sample.str.len_chars() if column.cjk else count_words(sample)
    percentile = int(lengths.quantile(0.95, "higher") or 1)
    length = min(_MAX_LENGTH, max(5, _rounded_up(percentile)))
    unit = "characters" if column.cjk else "words"
    reasons = {"length": f"the 95th percentile of the lengths is {percentile:,} {unit}"}
    if percentile > length:
        reasons["length"] += "; longer texts are truncated to save time"
    encoder: dict[str, Any] = {"type": "embedding", "dim": 64, "dropout": 0.5}
    if column.distinct >= _MIN_TEXTS_FOR_BIGRAMS:
        encoder |= {"ngrams": 2, "buckets": _BUCKETS}
        reasons["encoder"] = "averages embeddings of words and bigrams: a fast, strong baseline"
    fields: dict[str, Any] = {
        "type": "text",
        "length": length,
        "vocabulary_size": _VOCABULARY_SIZE,
    }
    if column.cjk:
        fields["tokens"] = "characters"
    if column.missing:
        fields["missing"] = "empty"
        reasons["missing"] = f"{column.missing:,} of {column.rows:,} cells are empty"
    return Suggestion({**fields, "encoder": encoder}, reasons)


def _rounded_up(length: int) -> int:
    step = 5 if length <= 50 else 10 if length <= 200 else 50
    return -(-length // step) * step
