"""Retrieval metrics of vectors in a common space: recall, ranks and classes of what is found.

All rows are compared with all rows, in blocks: memory does not grow with the square of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmzoo.metrics.intervals import wilson_interval
from mmzoo.metrics.metric_inputs import Floats, Integers, Metrics

_RECALL_AT = (1, 5, 10)
_MOST_NUMBERS = 1 << 22
"""Most similarities in memory at once: 16 MB."""
_TOLERANCE = 1e-6
"""Cosines that differ by less are ties: equal vectors differ by rounding."""


class Ranks(NamedTuple):
    """The place of the right candidate of each query, by descending cosine; arrays `[queries]`."""

    above: NDArray[np.int64]
    """How many candidates are nearer than the right one."""
    tied: NDArray[np.int64]
    """How many are as near, with itself: 1 or more."""
    right_class: NDArray[np.float64] | None
    """The share of the nearest candidates that have the query's class; most often 0 or 1, as there
    is a single nearest one. None without classes."""

    def recall_at(self, k: int) -> NDArray[np.float64]:
        """The chance that the right candidate is among the first `k`, with ties in random order."""
        return np.clip((k - self.above) / self.tied, 0, 1)

    def expected(self) -> NDArray[np.float64]:
        """The expected rank of the right candidate, from 1, with ties in random order."""
        return self.above + (self.tied + 1) / 2


def find_ranks(
    queries: Floats,
    candidates: Floats,
    classes: Integers | None = None,
    exclude_self: bool = False,
    most_numbers: int = _MOST_NUMBERS,
) -> Ranks:
    """Ranks all candidates for each query; the right one has the same index.

    Args:
        queries: unit vectors, float `[rows, dim]`.
        candidates: likewise.
        classes: class ids `[rows]`, of queries and candidates alike.
        exclude_self: leave out the candidate with the query's index, in the classes.
        most_numbers: similarities to hold at once.
    """
    rows = len(queries)
    queries, candidates = (np.asarray(one, np.float32) for one in (queries, candidates))
    above, tied = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    right = None if classes is None else np.zeros(rows)
    size = max(1, most_numbers // max(rows, 1))
    for begin in range(0, rows, size):
        block = slice(begin, min(begin + size, rows))
        own = np.arange(block.stop - begin), np.arange(begin, block.stop)
        cosines = queries[block] @ candidates.T
        of_right = cosines[own][:, None]
        nearer = cosines > of_right + _TOLERANCE
        above[block] = nearer.sum(axis=1)
        tied[block] = (cosines >= of_right - _TOLERANCE).sum(axis=1) - above[block]
        if right is not None and classes is not None:
            if exclude_self:
                cosines[own] = -np.inf
            nearest = cosines >= cosines.max(axis=1, keepdims=True) - _TOLERANCE
            same = classes[block, None] == classes[None, :]
            right[block] = (nearest & same).sum(axis=1) / nearest.sum(axis=1)
    return Ranks(above, tied, right)


def retrieval_metrics(vectors: Mapping[str, Floats], classes: Integers | None = None) -> Metrics:
    """How well the vector of one input finds that of another input of the same row.

    For each direction of each pair of inputs, over the rows with both: `<a>_to_<b>_recall_at_1`
    (also 5 and 10), the share of rows whose right vector is among the nearest ones by
    cosine; and `<a>_to_<b>_median_rank`, from 1. Ties count as in random order, so equal vectors
    give chance. With classes, `<a>_to_<b>_class_at_1` is the share of rows whose nearest
    vector has the right class, over the rows with a class; with one input, the nearest of the other
    rows. `recall_at_1` and `class_at_1` are means over all directions, with an interval as if both
    directions of a row were always right or wrong together.

    Args:
        vectors: input -> unit vectors `[rows, dim]`, NaN where a row lacks the input.
        classes: class ids `[rows]`, -1 where missing.

    Returns:
        The means with intervals (`_ci95`) and chance (`chance_`) first, then `examples`, the rows
        with two inputs or more, and each direction. Metrics without any row are None.
    """
    present = {name: ~np.isnan(values[:, 0]) for name, values in vectors.items()}
    pairs = combinations(vectors, 2)
    directions = [one for a, b in pairs for one in ((a, b), (b, a))] or [
        (one, one) for one in vectors
    ]
    details: Metrics = {}
    shares: dict[str, list[_Share]] = {"recall_at_1": [], "class_at_1": []}
    for a, b in directions:
        there = present[a] & present[b]
        if a != b:
            ranks = find_ranks(vectors[a][there], vectors[b][there])
            for k in _RECALL_AT:
                share = _Share(ranks.recall_at(k), k / max(there.sum(), 1))
                details |= share.metrics(f"{a}_to_{b}_recall_at_{k}")
                shares["recall_at_1"] += [share] if k == 1 else []
            rank = float(np.median(ranks.expected())) if there.any() else None
            details[f"{a}_to_{b}_median_rank"] = rank
        if classes is not None:
            there &= classes >= 0
            share = _class_share(vectors[a][there], vectors[b][there], classes[there], a == b)
            details |= share.metrics(f"{a}_to_{b}_class_at_1")
            shares["class_at_1"].append(share)
    means: Metrics = {}
    for name, of_directions in shares.items():
        if of_directions:
            means |= _mean_metrics(name, of_directions)
    examples = np.sum([*present.values()], axis=0) >= min(2, len(present))
    return {**means, "examples": int(examples.sum()), **details}


class _Share(NamedTuple):
    """The share of queries with a right answer."""

    right: NDArray[np.float64]
    """Of each query, most often 0 or 1."""
    chance: float
    """The share that random answers have."""

    def metrics(self, name: str) -> Metrics:
        """The share and its interval; None without queries."""
        if not len(self.right):
            return {name: None, f"{name}_ci95": None}
        interval = wilson_interval(float(self.right.sum()), len(self.right))
        return {name: float(self.right.mean()), f"{name}_ci95": list(interval)}


def _class_share(
    queries: Floats, candidates: Floats, classes: Integers, exclude_self: bool
) -> _Share:
    right = find_ranks(queries, candidates, classes, exclude_self).right_class
    assert right is not None
    shares = np.unique(classes, return_counts=True)[1] / max(len(classes), 1)
    return _Share(right, float(np.sum(shares**2)))


def _mean_metrics(name: str, shares: list[_Share]) -> Metrics:
    """The mean over directions that have queries, with its interval and that of chance."""
    there = [share for share in shares if len(share.right)]
    if not there:
        return {name: None, f"{name}_ci95": None, f"chance_{name}": None}
    mean = float(np.mean([share.right.mean() for share in there]))
    rows = min(len(share.right) for share in there)
    interval = list(wilson_interval(mean * rows, rows))
    chance = float(np.mean([share.chance for share in there]))
    return {name: mean, f"{name}_ci95": interval, f"chance_{name}": chance}
