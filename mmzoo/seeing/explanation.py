"""Explanation: where a model looked for a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmzoo.seeing.score import Score

_MOST_SAID = 3
_WORTH_SAYING = 0.0005
"""Smaller probabilities would be written as 0.0 %."""


@dataclass(frozen=True)
class Explanation:
    """Where a model looked for one class in one picture.

    Attributes:
        picture: what the model saw, uint8 `[height, width, channels]`.
        heat: how much each place of the last feature map speaks for the class, float32
            `[rows, columns]` from 0 to 1; all 0 where no place does.
        score: what is explained.
        kind: what the gradients are of: "logit", "value" of a regression, or "log-probability".
        said: the head's labels and the probability of each, or a regression's numbers.
    """

    picture: NDArray[np.uint8]
    heat: NDArray[np.float32]
    score: Score
    kind: str
    said: dict[str, float]

    @property
    def centre(self) -> tuple[float, float] | None:
        """The heat's centre of mass as shares of the height, from the top, and of the width, from
        the left; None where there is no heat."""
        total = float(self.heat.sum())
        if total == 0:
            return None
        rows, columns = self.heat.shape
        down = float(self.heat.sum(axis=1) @ (np.arange(rows) + 0.5)) / total / rows
        across = float(self.heat.sum(axis=0) @ (np.arange(columns) + 0.5)) / total / columns
        return down, across

    def as_dict(self) -> dict[str, Any]:
        """All but the arrays, as JSON takes it."""
        return {
            "head": self.score.head,
            "class": self.score.label,
            "value" if self.kind == "value" else "probability": self.said[self.score.label],
            "gradients_of": self.kind,
            "centre": self.centre,
            "map": self.heat.shape,
            "predicted": self.best(_MOST_SAID),
        }

    def __str__(self) -> str:
        rows, columns = self.heat.shape
        explained = f"What speaks for {self.score.label} (gradients of its {self.kind}, on a map of"
        lines = [self.said_text(), f"{explained} {rows} x {columns}):"]
        if self.centre is None:
            lines.append("no place in the picture does.")
        else:
            down, across = (round(100 * share) for share in self.centre)
            lines.append(f"its centre is {down} % down and {across} % across.")
        return "\n".join(lines)

    def said_text(self) -> str:
        """What the head says, as "digit: 7 (98.1 %), 1 (1.2 %)"."""
        best = self.best(_MOST_SAID)
        if self.kind == "value":
            return ", ".join(f"{label}: {value:.6g}" for label, value in best.items())
        explained, first = self.score.label, next(iter(best))
        best[explained] = self.said[explained]
        said = [
            f"{label} ({100 * value:.1f} %)"
            for label, value in best.items()
            if value >= _WORTH_SAYING or label in (first, explained)
        ]
        return f"{self.score.head}: {', '.join(said)}"

    def best(self, most: int) -> dict[str, float]:
        """The labels of the highest probability, the highest first; or the first numbers."""
        found = list(self.said.items())
        if self.kind != "value":
            found.sort(key=lambda item: -item[1])
        return dict(found[:most])
