"""Categorical columns: known categories, their ids, and category dropout."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Literal

from mmzoo.data.column_types import one_spelling
from mmzoo.lazy import np, pl, tf
from mmzoo.modalities.tabular.tabular_mlp import MISSING, UNSEEN, Layout
from mmzoo.randomness import Randomness
from mmzoo.spec import Problem, Spec

FIRST = 2
"""Id of the most frequent category."""


class Categories(Spec):
    """The known categories of a column."""

    kind: Literal["category"] = "category"
    values: tuple[str, ...]
    """Categories, the most frequent first; category i has the id `FIRST + i`."""

    def rules(self) -> Iterator[Problem]:
        if len(set(self.values)) != len(self.values):
            yield Problem(("values",), "expected each value once")

    @property
    def size(self) -> int:
        """Number of ids, including those of missing and unseen categories."""
        return FIRST + len(self.values)

    def transform(self, values: pl.Series) -> np.ndarray:
        """Converts strings to ids, float32 `[rows, 1]`."""
        ids = one_spelling(values).replace_strict(
            pl.Series(self.values, dtype=pl.String),
            pl.Series(range(FIRST, self.size), dtype=pl.Float32),
            default=float(UNSEEN),
            return_dtype=pl.Float32,
        )
        return ids.set(values.is_null(), float(MISSING)).to_numpy(allow_copy=True)[:, None]

    def to_texts(self, transformed: np.ndarray) -> list[str]:
        """Transformed values `[rows, 1]` as text."""
        texts = np.array(["missing", "unknown", *self.values], dtype=object)
        return list(texts[transformed[:, 0].astype(np.int64)])


def fit_categories(values: pl.Series, most: int, min_count: int) -> Categories:
    """The most frequent training values; ties are ordered alphabetically.

    Args:
        values: strings, null where missing.
        most: maximum number of categories.
        min_count: minimum number of occurrences of a category.
    """
    texts = one_spelling(values).alias("value").drop_nulls()
    counts = texts.value_counts(name="count").filter(pl.col("count") >= min_count)
    ordered = counts.sort("count", "value", descending=[True, False])
    return Categories(values=tuple(ordered["value"].head(most)))


def nearest_spelling(values: pl.Series, known: Categories) -> tuple[str, str]:
    """The most frequent of some unseen values, and the known one that is spelled most like it."""
    counts = values.alias("value").value_counts(name="count")
    found = counts.sort("count", "value", descending=[True, False])["value"][0]
    folded = {" ".join(one.split()).casefold(): one for one in reversed(known.values)}
    [near] = difflib.get_close_matches(
        " ".join(found.split()).casefold(), folded, n=1, cutoff=0
    ) or [""]
    return found, folded.get(near, "")


def hide_categories(
    rows: tf.Tensor, layout: Layout, share: float, randomness: Randomness
) -> tf.Tensor:
    """Category dropout: replaces random categories by missing or unseen, half of them each.

    Args:
        rows: transformed rows, float32 `[batch, width]`.
        layout: column layout of the rows.
        share: probability that a category is replaced.
        randomness: random numbers of the rows.
    """
    if not layout.categories or not share:
        return rows
    numbers, categories = rows[:, : layout.numbers], rows[:, layout.numbers :]
    drawn = randomness.uniform(len(layout.categories))
    hidden = tf.where(drawn < share / 2, float(MISSING), float(UNSEEN))
    categories = tf.where(drawn < share, hidden, categories)
    return tf.concat([numbers, categories], axis=1)
