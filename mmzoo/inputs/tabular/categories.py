"""Categories: which of a column are known, and their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mmzoo.lazy import np, pl
from mmzoo.modalities.tabular.encoders import MISSING, UNSEEN
from mmzoo.spec import Problem, Spec

FIRST = 2
"""The number of the most frequent value."""


class Categories(Spec):
    """The known values of a category."""

    kind: Literal["category"] = "category"
    values: tuple[str, ...]
    """The most frequent first; value i has the number `FIRST` + i."""

    def rules(self) -> Iterator[Problem]:
        if len(set(self.values)) != len(self.values):
            yield Problem(("values",), "expected each value once")

    @property
    def size(self) -> int:
        """How many numbers there are, those of missing and unseen values among them."""
        return FIRST + len(self.values)

    def prepared(self, values: np.ndarray) -> np.ndarray:
        """Texts, objects `[rows]` with None where missing, as float32 `[rows, 1]`."""

        texts = pl.Series(values.tolist(), dtype=pl.String)
        numbers = texts.replace_strict(
            pl.Series(self.values, dtype=pl.String),
            pl.Series(range(FIRST, self.size), dtype=pl.Float32),
            default=float(UNSEEN),
            return_dtype=pl.Float32,
        )
        return numbers.set(texts.is_null(), float(MISSING)).to_numpy(allow_copy=True)[:, None]

    def written(self, prepared: np.ndarray) -> list[str]:
        """Prepared values `[rows, 1]` as text."""

        texts = np.array(["missing", "unknown", *self.values], dtype=object)
        return list(texts[prepared[:, 0].astype(np.int64)])


def fit_categories(values: np.ndarray, most: int, min_count: int) -> Categories:
    """The most frequent training values; of two that are as frequent, by their text.

    Args:
        values: objects `[rows]` that are text or None.
        most: How many are known at most.
        min_count: How often one must be there to be known.
    """

    texts = pl.Series("value", values.tolist(), dtype=pl.String).drop_nulls()
    counts = texts.value_counts(name="count").filter(pl.col("count") >= min_count)
    ordered = counts.sort("count", "value", descending=[True, False])
    return Categories(values=tuple(ordered["value"].head(most)))
