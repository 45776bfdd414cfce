"""Pairing: which picture and which recording make a pair, class by class."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from mmzoo.lazy import np
from mmzoo.sources.cut import stratified_cut
from mmzoo.sources.data import Splits

OFFICIAL = {"train": "train", "validation": "train", "test": "test"}
"""Of each split, which of the two sets' own it is made of."""


@dataclass(frozen=True)
class Pairs:
    """The pairs of one split."""

    labels: np.ndarray
    """int64 `[pairs]`, the class of each."""
    pictures: np.ndarray
    """int64 `[pairs]`, rows of the official split."""
    recordings: np.ndarray
    """int64 `[pairs]`, rows of the official split."""


def paired(
    written: Splits, spoken: Splits, counts: Mapping[str, int], validation: float, seed: int
) -> dict[str, Pairs]:
    """Pairs pictures and recordings of the same class.

    Args:
        written: The official splits of the pictures, `train` and `test`, with `label`.
        spoken: Those of the recordings, with the same classes.
        counts: How many pairs each split is to have: of each class as many as of any other, or one
            more.
        validation: Share of the official training examples on either side that are in no training
            pair, but in those that validate.
        seed: Decides everything.

    Raises:
        DataError: A class has a single example to train on.
    """

    pictures = _rows(written["train"]["label"], written["test"]["label"], validation, seed)
    recordings = _rows(spoken["train"]["label"], spoken["test"]["label"], validation, seed)
    classes = 1 + int(spoken["train"]["label"].max())
    pairs = {}
    for split, official in OFFICIAL.items():
        random = stream(seed, f"{split} pairs")
        labels = random.permutation(np.arange(counts[split]) % classes)
        pairs[split] = Pairs(
            labels,
            partners(labels, written[official]["label"], pictures[split], random),
            partners(labels, spoken[official]["label"], recordings[split], random),
        )
    return pairs


def partners(
    labels: np.ndarray, classes: np.ndarray, among: np.ndarray, random: np.random.RandomState
) -> np.ndarray:
    """An example of the right class for each pair.

    Those of a class are dealt in a random order, over and over where there are more pairs than
    examples; so each is in as many pairs as any other of its class, or in one more.

    Args:
        labels: int64 `[pairs]`, the class of each pair.
        classes: int64 `[examples]`, the class of each example.
        among: int64, the rows of those that may be taken; some of each class.
        random: Decides the order.

    Returns:
        int64 `[pairs]`, rows of `classes`.
    """

    rows = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        dealt = random.permutation(among[classes[among] == label])
        rows[places] = np.resize(dealt, len(places))
    return rows


def stream(seed: int, purpose: str) -> np.random.RandomState:
    """Random numbers for one purpose, which do not depend on those for others."""

    return np.random.RandomState([seed, zlib.crc32(purpose.encode())])


def _rows(
    train: np.ndarray, test: np.ndarray, validation: float, seed: int
) -> dict[str, np.ndarray]:
    """The rows of the official split that each split may take."""

    kept, cut = stratified_cut(train, validation, seed)
    return {"train": kept, "validation": cut, "test": np.arange(len(test))}
