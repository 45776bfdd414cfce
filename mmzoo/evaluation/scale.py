"""Scales: what a head's main metric is measured in, and which way is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmzoo.evaluation.reports.findings import MAIN_METRICS, SHARES, metric_value


@dataclass(frozen=True)
class Scale:
    """The main metric of a head, of which the mean of its examples' scores is one of two signs."""

    metric: str
    """As in metrics.json."""
    baseline: float
    """Of always saying the same."""

    @property
    def label(self) -> str:
        return MAIN_METRICS[self.metric][0]

    @property
    def is_share(self) -> bool:
        """Whether it is a share of the examples, of which more is better; else it is an error."""
        return self.metric in SHARES

    def metric_of(self, score: float) -> float:
        """The metric that a mean of scores is."""
        return score if self.is_share else -score

    def bounds_of(self, low: float, high: float) -> list[float]:
        """The bounds of the metric, the lower first."""
        return sorted((self.metric_of(low), self.metric_of(high)))

    def text(self, value: float) -> str:
        """A value of the metric: `98.3 %`, or four digits."""
        return metric_value(self.metric, value)

    def number(self, value: float) -> str:
        """A value without its sign of per cent."""
        return self.text(value).removesuffix(" %")

    def difference(self, value: float) -> str:
        """A difference of two values without its unit: `4.1`."""
        if not self.is_share:
            return f"{value:.4g}" if abs(value) >= 1000 else f"{value:.3g}"
        points = round(100 * value, 3) + 0.0  # Which is never -0.0.
        # A bound that is not 0 must not look so: by it one sees whether a difference shows.
        return f"{points:.1f}" if abs(points) >= 0.05 or not points else f"{points:.1g}"

    def difference_text(self, value: float) -> str:
        """The same with its unit."""
        return f"{self.difference(value)} points" if self.is_share else self.difference(value)


def scale_of(metrics: Mapping[str, Any]) -> Scale:
    """The scale of a head by its entry in metrics.json."""
    metric = next(metric for metric in MAIN_METRICS if metric in metrics)
    return Scale(metric, metrics[MAIN_METRICS[metric][1]])
