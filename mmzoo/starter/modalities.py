"""Inputs for columns: their fields, their encoders, and what these were chosen by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmzoo.lazy import pl
from mmzoo.starter.cells import SAMPLE, texts, word_counts
from mmzoo.starter.kinds import Judged
from mmzoo.starter.plan import Part

_LONGEST_TEXT = 400
"""Words that are read at most: more cost time, and seldom say more."""
_FEW_TEXTS = 2_000
"""Fewer different texts are too few to learn pairs of words from."""
_MOST_WORDS = 20_000
_BUCKETS = 50_000
_FEW_ROWS = 2_000


def text_input(judged: Judged, column: pl.Series) -> Part:
    """A text input whose length leaves nearly all texts whole."""
    cells = judged.cells
    filled = texts(column).drop_nulls()
    few = filled.gather_every(max(1, len(filled) // SAMPLE))
    lengths = few.str.len_chars() if cells.characters else word_counts(few)
    usual = int(lengths.quantile(0.95, "higher") or 1)
    length = min(_LONGEST_TEXT, max(5, _rounded_up(usual)))
    unit = "characters" if cells.characters else "words"
    said = f"95 % of the texts have {usual:,} {unit} or fewer"
    if usual > length:
        said += ", but more take longer"
    encoder: dict[str, Any] = {"type": "embedding", "dim": 64, "dropout": 0.5}
    why = {"length": said}
    if cells.distinct >= _FEW_TEXTS:
        encoder |= {"ngrams": 2, "buckets": _BUCKETS}
        why["encoder"] = "averages vectors of words and of pairs of words: quick, hard to beat"
    fields: dict[str, Any] = {"type": "text", "length": length, "vocabulary_size": _MOST_WORDS}
    if cells.characters:
        fields["tokens"] = "characters"
    if cells.missing:
        fields["missing"] = "empty"
        why["missing"] = f"{cells.missing:,} of {cells.rows:,} cells are empty"
    return Part({**fields, "encoder": encoder}, why)


def learned_where_missing(part: Part, judged: Judged) -> Part:
    """The input of a column with empty cells, for an experiment that has others beside it."""
    fields = {name: value for name, value in part.fields.items() if name != "missing"}
    encoder = fields.pop("encoder")
    cells = judged.cells
    why = {**part.why, "missing": f"{cells.missing:,} of {cells.rows:,} cells are empty"}
    return Part({**fields, "missing": "learned", "encoder": encoder}, why)


def tabular_input(columns: Sequence[Judged], rows: int) -> Part:
    """One input for all numbers, categories and dates."""
    kinds = {judged.name: judged.kind for judged in columns}
    units = [32] if rows < _FEW_ROWS else [128, 64]
    fields = {"type": "tabular", "columns": kinds}
    return Part({**fields, "encoder": {"type": "mlp", "units": units, "dropout": 0.2}})


def _rounded_up(length: int) -> int:
    step = 5 if length <= 50 else 10 if length <= 200 else 50
    return -(-length // step) * step
