"""Names, directions and formats of metrics: how a figure of metrics.json is printed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmzoo.metrics.intervals import Estimate, PairedDifference, negate

_SHARE = re.compile(r"_(recall|class)_at_\d+$")
"""The end of the names of retrieval metrics from one input to another."""
_WORDS = {
    "f1": "F1",
    "r2": "R²",
    "auc": "area under ROC",
    "top5": "top-5",
    "elbo": "ELBO",
    "kl": "KL",
    "frechet": "Fréchet",
}


@dataclass(frozen=True)
class MetricInfo:
    """What a metric is called, which direction is better, and how its values are printed.

    Attributes:
        name: as in metrics.json.
        higher_is_better: False for errors.
        percent: whether it is a share, printed in percent; differences are then in points.
        baseline: the metric of the constant predictor that it is compared with, if it has one.
        baseline_label: what that predictor is called.
        is_main: whether it sums up a head that has none with a baseline.
    """

    name: str
    higher_is_better: bool = True
    percent: bool = False
    baseline: str = ""
    baseline_label: str = ""
    is_main: bool = False

    @property
    def label(self) -> str:
        """Its name in words, such as "mean absolute error"."""
        return " ".join(_WORDS.get(word, word) for word in self.name.split("_"))

    def text(self, value: float | str | None, decimals: int = 1) -> str:
        """A value with its unit: `98.3 %`, or four digits: `241,700`; a text as it is."""
        if value is None:
            return "not defined"
        if isinstance(value, str):
            return value
        return percent(value, decimals) if self.percent else number_text(value)

    def interval_text(self, low: float, high: float, decimals: int = 1) -> str:
        """The bounds of an interval of values: `98.1 to 98.5`."""
        bounds = (self.text(bound, decimals).removesuffix(" %") for bound in (low, high))
        return " to ".join(bounds)

    def difference_text(self, difference: float) -> str:
        """A difference of two values with its unit: `4.1 points`, or three digits."""
        number = self._difference_number(difference)
        return f"{number} points" if self.percent else number

    def difference_interval_text(self, low: float, high: float) -> str:
        """The bounds of an interval of differences: `3.2 to 5.0`."""
        return f"{self._difference_number(low)} to {self._difference_number(high)}"

    def _difference_number(self, difference: float) -> str:
        if not self.percent:
            return number_text(difference, 4 if abs(difference) >= 1000 else 3)
        points = round(100 * difference, 3) + 0.0  # Which is never -0.0.
        # A bound that is not 0 must not look like 0: it decides whether the difference is clear.
        return f"{points:.1f}" if abs(points) >= 0.05 or not points else f"{points:.1g}"

    def of_scores(self, estimate: Estimate) -> Estimate:
        """The metric whose examples' scores (higher is better) have this mean."""
        if self.higher_is_better:
            return estimate
        return Estimate(0.0 - estimate.value, 0.0 - estimate.high, 0.0 - estimate.low)

    def of_score_difference(self, difference: PairedDifference) -> PairedDifference:
        """A difference of mean scores as one of the metric; its own inverse."""
        return difference if self.higher_is_better else negate(difference)


_METRICS = {
    metric.name: metric
    for metric in (
        MetricInfo(
            "accuracy", percent=True, baseline="majority", baseline_label="majority-class baseline"
        ),
        MetricInfo(
            "subset_accuracy",
            percent=True,
            baseline="majority",
            baseline_label="most-frequent-set baseline",
        ),
        MetricInfo(
            "mean_absolute_error",
            higher_is_better=False,
            baseline="baseline_mean_absolute_error",
            baseline_label="mean baseline",
        ),
        MetricInfo(
            "discriminator_accuracy",
            higher_is_better=False,
            percent=True,
            baseline="chance",
            baseline_label="chance",
        ),
        *(
            MetricInfo(name, higher_is_better=False, is_main=True)
            for name in ("mean_squared_error", "token_cross_entropy", "cell_error")
        ),
        *(
            MetricInfo(name, percent=True, baseline=f"chance_{name}", baseline_label="chance")
            for name in ("recall_at_1", "class_at_1")
        ),
        MetricInfo("elbo", is_main=True),
        MetricInfo("balanced_accuracy", percent=True),
        MetricInfo("majority", percent=True),
        MetricInfo("chance", percent=True),
        MetricInfo("new_discriminator_accuracy", higher_is_better=False, percent=True),
        MetricInfo("top5_accuracy", percent=True),
        MetricInfo("token_accuracy", percent=True),
        MetricInfo("category_accuracy", percent=True),
        MetricInfo("frechet_distance", higher_is_better=False, is_main=True),
        MetricInfo("class_accuracy", percent=True),
        MetricInfo("real_class_accuracy", percent=True),
    )
}


def metric_info(name: str) -> MetricInfo:
    """The entry of a metric; others than the above print as plain numbers, shares in percent."""
    return _METRICS.get(name) or MetricInfo(name, percent=bool(_SHARE.search(name)))


def main_metric(metrics: Mapping[str, Any]) -> MetricInfo | None:
    """The metric that sums up a head: the first with a baseline, else a main one, or None.

    Args:
        metrics: the head's entry in metrics.json.
    """
    found = [m for m in _METRICS.values() if (m.baseline or m.is_main) and m.name in metrics]
    return next((m for m in found if metrics[m.name] is not None), None)


def number_text(value: float, digits: int = 4) -> str:
    """A number as people read it: `241,700`, `0.0123`, `1.2e-07`.

    Args:
        value: any number.
        digits: significant digits; zeros at the end of decimals are left out.
    """
    if not math.isfinite(value):
        return "not finite"
    rounded = float(f"{value:.{digits}g}")
    size = abs(rounded)
    if size and not 1e-4 <= size < 1e15:
        return f"{rounded:.{digits}g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(size))) if size else 0
    text = f"{rounded + 0.0:,.{decimals}f}"  # Adding 0 makes -0.0 positive.
    return text.rstrip("0").rstrip(".") if decimals else text


def rounded_text(value: float, decimals: int) -> str:
    """A number rounded to decimals, as people read it; to hundreds with -2: `1,700,000,123,500`."""
    rounded = round(value, decimals) if math.isfinite(value) else value
    place = math.floor(math.log10(abs(rounded))) if math.isfinite(rounded) and rounded else 0
    return number_text(rounded, max(1, place + 1 + decimals))


def decimals_of(size: float, digits: int) -> int:
    """The decimals, for `rounded_text`, that show the first digits of a positive number."""
    return digits - 1 - math.floor(math.log10(size))


def percent(share: float, decimals: int = 1) -> str:
    """A share in percent, with more decimals where fewer would show 0 or 100."""
    return f"{100 * share:.{max(decimals, percent_decimals(share))}f} %"


def percent_decimals(share: float) -> int:
    """The decimals that a share needs so that it does not look like 0 or 100 percent."""
    enough = (n for n in range(1, 7) if round(100 * share, n) not in (0, 100))
    return next(enough, 1)
