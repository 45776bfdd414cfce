"""Measured: how long an input's values are, and how much of them it reads."""

from __future__ import annotations

from dataclasses import dataclass

from mmzoo.lazy import np


@dataclass(frozen=True)
class Measured:
    """The lengths of values of which no more than a limit is read."""

    lengths: np.ndarray
    """`[rows]`."""
    limit: float
    unit: str
    """What is counted: "words"."""
