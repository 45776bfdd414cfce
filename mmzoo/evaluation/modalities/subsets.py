"""Subsets of a model's inputs: which of them there are, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

MOST_FOR_ALL = 5
"""Of more inputs than these, only some subsets are taken: there are twice as many with each."""

Subset = tuple[str, ...]
"""The inputs that are kept, in the config's order; never none."""


def subsets_of(inputs: Sequence[str]) -> list[Subset]:
    """Each input alone, all others by size, each left out, and in the end all of them.

    Of more than five inputs there are those alone, those with one left out, and all.
    """
    count = len(inputs)
    every = count <= MOST_FOR_ALL
    sizes = range(1, count + 1) if every else sorted({1, count - 1, count})
    return [kept for size in sizes for kept in combinations(inputs, size)]


def without(inputs: Sequence[str], name: str) -> Subset:
    """All inputs but one."""
    return tuple(one for one in inputs if one != name)


def subset_words(kept: Subset, inputs: Sequence[str]) -> str:
    """What a subset is called: `image alone`, `all but text`, `image + text`, `all`."""
    left_out = [name for name in inputs if name not in kept]
    if not left_out:
        return "all"
    if len(kept) == 1:
        return f"{kept[0]} alone"
    return f"all but {left_out[0]}" if len(left_out) == 1 else " + ".join(kept)
