"""Folds: the examples in equal parts, each of which tests once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from annotated_types import Ge, Le

from mmzoo.lazy import np
from mmzoo.spec import Problem, Spec

_SEED = 0
"""The same folds in every run, so that runs on all of them test each example once."""


class Fold(Spec):
    """One of several equal parts of the examples, which tests what the others train."""

    index: Annotated[int, Ge(1)]
    """Which of the folds tests, counted from 1."""
    of: Annotated[int, Ge(2), Le(1_000)] = 10
    """Into how many folds the examples are dealt."""

    def rules(self) -> Iterator[Problem]:
        if self.index > self.of:
            yield Problem(("index",), f"expected at most {self.of}, which is how many there are")


def dealt(rows: int, of: int, classes: np.ndarray | None = None) -> np.ndarray:
    """Deals rows into folds, the same ones whenever it is asked.

    Folds differ by a row at most, in all and of every class. A class of two rows or more is never
    in one fold alone.

    Args:
        rows: How many rows there are.
        of: How many folds.
        classes: int64 `[rows]`, so that each class keeps its share; at random without.

    Returns:
        int64 `[rows]`, the fold of each row, counted from 0.
    """

    order = np.random.RandomState(_SEED).permutation(rows)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    folds = np.empty(rows, np.int64)
    folds[order] = np.arange(rows) % of
    return folds
