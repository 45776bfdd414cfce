"""What a fusion is worth: by how much it is better than each of its inputs alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmzoo.evaluation.run_scores import PairedScores
from mmzoo.evaluation.scale import Scale
from mmzoo.evaluation.verdicts import fusion_verdict
from mmzoo.metrics import PairedDifference


@dataclass(frozen=True)
class Gain:
    """By how much the fusion is better than one input alone, on the examples that both have.

    Attributes:
        difference: above 0 where the fusion is better.
        examples: how many these examples are.
        of: how many examples either was tested on.
        fusion: the fusion's metric on these examples.
        alone: the input's.
        shared: the difference on those of them that all inputs have, by which the best is found;
            on all of them where none is of all inputs.
    """

    difference: PairedDifference
    examples: int
    of: int
    fusion: float
    alone: float
    shared: float

    def as_dict(self) -> dict[str, Any]:
        return {
            "difference": self.difference.difference,
            "ci95": [self.difference.low, self.difference.high],
            "examples": self.examples,
            "of_examples": self.of,
            "fusion": self.fusion,
            "alone": self.alone,
        }


@dataclass(frozen=True)
class HeadGains:
    """What the fusion is worth to one head.

    Attributes:
        name: the head's.
        scale: what its main metric is measured in.
        gains: by input; without those whose test examples are not the fusion's.
        best: the best of these inputs alone, on the examples that all of them have; None where
            there are none.
    """

    name: str
    scale: Scale
    gains: Mapping[str, Gain]

    @property
    def best(self) -> str | None:
        if not self.gains:
            return None
        return min(self.gains, key=lambda name: self.gains[name].shared)

    @property
    def sentence(self) -> str:
        """Whether the fusion beats the best single input, in words."""
        if self.best is None:
            return f"{self.name}: the inputs were tested on other examples than the fusion"
        gain = self.gains[self.best]
        said = f"{self.name}: {fusion_verdict(self.best, gain.difference, self.scale)}"
        if gain.examples == gain.of:
            return said
        return f"{said}, on the {gain.examples:,} of {gain.of:,} test examples that both have"


def gains_of(pairs: Mapping[str, PairedScores], scale: Scale) -> dict[str, Gain]:
    """What a fusion is worth beside each input alone.

    Args:
        pairs: by input, the scores of the fusion and of the input.
        scale: of the head's main metric.
    """
    gains = {}
    for name, pair in pairs.items():
        shared = np.logical_and.reduce([np.isin(pair.rows, p.rows) for p in pairs.values()])
        shared = shared if shared.any() else np.ones_like(shared)
        gains[name] = Gain(
            pair.difference(),
            pair.examples,
            pair.of,
            fusion=scale.metric_of(float(pair.first.mean())),
            alone=scale.metric_of(float(pair.second.mean())),
            shared=float((pair.first - pair.second)[shared].mean()),
        )
    return gains
