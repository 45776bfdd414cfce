"""Scan: the result of scanning the columns of an input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mmzoo.lazy import np, pl

Files = Mapping[str, str]
"""State of a fitted input, such as its vocabulary: text files by name, stored in the run."""


@dataclass(frozen=True)
class Scan:
    """Parsed or probed values of an input, and the rows that cannot be used."""

    values: pl.Series
    """One value per row of the frame, null where missing. The dtype is up to the input: structs of
    probed files, lists of tokens, structs of cells, or arrays."""
    issues: Mapping[int, str] = field(default_factory=dict)
    """Row -> why it cannot be used, as a clause."""
    content: str | None = None
    """sha256 of the contents of all readable files, split by split; None without files."""
    notes: tuple[str, ...] = ()
    """Notes for the user, without a full stop."""
    warnings: tuple[str, ...] = ()
    """Likely faults of the data that do not stop a training, without a full stop."""


@dataclass(frozen=True)
class Lengths:
    """Lengths of the values of an input with a maximum length."""

    lengths: np.ndarray
    """`[rows]`, before truncation."""
    limit: float
    """Maximum length."""
    unit: str
    """Unit of the lengths: "words"."""
