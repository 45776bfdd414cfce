"""What the figures of a head mean, in words: its headline, its confusions, and what looks wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmzoo.spec.wording import printable

MAIN_METRICS = {
    # metric: (its label, the metric of the baseline, what the baseline always says)
    "accuracy": ("accuracy", "majority", "the commonest class"),
    "subset_accuracy": ("subset accuracy", "majority", "the commonest set of labels"),
    "mean_absolute_error": ("mean absolute error", "baseline_mean_absolute_error", "the mean"),
}
SHARES = {"accuracy", "balanced_accuracy", "majority", "subset_accuracy", "top5_accuracy"}
"""Metrics that are read in per cent."""
_WORDS = {"f1": "F1", "r2": "R²", "auc": "area under ROC", "top5": "top-5"}
_MOST_OF_PREDICTIONS = 0.95
_MOST_LISTED = 6


class Headline(NamedTuple):
    """The figure that sums a head up, and what to hold it against."""

    label: str
    value: str
    interval: str
    """As "95 % CI 98.9 to 99.3"; empty where there is none."""
    baseline: str
    """As "always saying '1' gives 11.4 %"."""

    def __str__(self) -> str:
        interval = f" ({self.interval})" if self.interval else ""
        return f"{self.value}{interval}; {self.baseline}"


class ConfusedPair(NamedTuple):
    """One class taken for another."""

    true: str
    predicted: str
    mistakes: int
    examples: int
    """How many examples of the true class there are."""

    def __str__(self) -> str:
        share = percent(self.mistakes / self.examples)
        return (
            f"'{printable(self.true)}' taken for '{printable(self.predicted)}': "
            f"{_times(self.mistakes)} "
            f"({share} of {self.examples:,})"
        )


def headline(
    metrics: Mapping[str, Any],
    confusion: NDArray[np.int64] | None = None,
    names: Sequence[str] = (),
) -> Headline | None:
    """The main metric with its interval and baseline; None of metrics that mmzoo does not know.

    Args:
        metrics: a head's entry in `metrics.json`.
        confusion: its confusion matrix, if it has one; the baseline's class is named by it.
        names: the classes' names.
    """
    main = next((metric for metric in MAIN_METRICS if metric in metrics), None)
    if main is None:
        return None
    label, baseline, always = MAIN_METRICS[main]
    if confusion is not None:
        always = f"'{names[confusion.sum(axis=1).argmax()]}'"
    bounds = metrics.get(f"{main}_ci95") or ()
    decimals = max(map(_decimals, (metrics[main], *bounds)))
    ends = [metric_value(main, bound, decimals).removesuffix(" %") for bound in bounds]
    return Headline(
        label=label,
        value=metric_value(main, metrics[main], decimals),
        interval=f"95 % CI {' to '.join(ends)}" if ends else "",
        baseline=f"always saying {always} gives {metric_value(baseline, metrics[baseline])}",
    )


def other_metrics(metrics: Mapping[str, Any]) -> dict[str, str]:
    """What `headline` leaves out, as labels and values."""
    main = next((metric for metric in MAIN_METRICS if metric in metrics), None)
    told = {main, MAIN_METRICS[main][1]} if main else set()
    return {
        " ".join(_WORDS.get(word, word) for word in name.split("_")): metric_value(name, value)
        for name, value in metrics.items()
        if name not in told and not name.endswith("_ci95")
    }


def probe_figures(probes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The main metric of each probe of a head, by its type, as text with the interval."""
    figures = {}
    for kind, metrics in probes.items():
        found = headline(metrics)
        if found is not None:
            interval = f" ({found.interval})" if found.interval else ""
            figures[kind] = f"{found.label} {found.value}{interval}"
    return figures


def confused_pairs(
    confusion: NDArray[np.int64], names: Sequence[str], most: int = 10
) -> list[ConfusedPair]:
    """The commonest mistakes, the most frequent first; those that tie in the order of classes."""
    mistakes = confusion * ~np.eye(len(confusion), dtype=bool)
    support = confusion.sum(axis=1)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:most]
    return [
        ConfusedPair(names[row], names[column], int(mistakes[row, column]), int(support[row]))
        for row, column in zip(*np.unravel_index(order, mistakes.shape), strict=True)
        if mistakes[row, column]
    ]


def head_warnings(
    metrics: Mapping[str, Any],
    confusion: NDArray[np.int64] | None = None,
    names: Sequence[str] = (),
) -> list[str]:
    """What a reader should know before trusting the figures; arguments as for `headline`."""
    warnings = [*_against_baseline(metrics, headline(metrics, confusion, names))]
    if confusion is not None and len(confusion) > 1:
        warnings += _about_classes(confusion, names)
    return warnings


def _against_baseline(metrics: Mapping[str, Any], found: Headline | None) -> Iterator[str]:
    if found is None:
        return
    if "mean_absolute_error" in metrics:
        no_better = metrics["mean_absolute_error"] >= metrics["baseline_mean_absolute_error"]
        unclear = False
    else:
        main = "accuracy" if "accuracy" in metrics else "subset_accuracy"
        no_better = metrics[main] <= metrics["majority"]
        unclear = metrics[f"{main}_ci95"][0] <= metrics["majority"]
    if no_better:
        yield f"The model is no better than a constant: {found.label} {found}."
    elif unclear:
        yield f"The model may be no better than a constant: {found.label} {found}."


def _about_classes(confusion: NDArray[np.int64], names: Sequence[str]) -> Iterator[str]:
    said, support = confusion.sum(axis=0), confusion.sum(axis=1)
    examples = max(1, int(confusion.sum()))
    favourite = int(said.argmax())
    said_share, true_share = said[favourite] / examples, support[favourite] / examples
    if said_share > _MOST_OF_PREDICTIONS > true_share:
        yield (
            f"{percent(said_share)} of the predictions are '{names[favourite]}', "
            f"which {percent(true_share)} of the examples are."
        )
    never = [
        name for name, n, predicted in zip(names, support, said, strict=True) if n and not predicted
    ]
    if never:
        yield f"Never predicted, though there are examples: {_listed(never)}."
    absent = [name for name, n in zip(names, support, strict=True) if not n]
    if absent:
        yield f"No examples, so nothing is known about: {_listed(absent)}."


def _listed(names: list[str]) -> str:
    listed = ", ".join(f"'{printable(name)}'" for name in names[:_MOST_LISTED])
    more = len(names) - _MOST_LISTED
    return f"{listed} and {more} more" if more > 0 else listed


def metric_value(name: str, value: float | None, decimals: int = 1) -> str:
    """A metric as text: shares of examples in per cent, others to four digits."""
    if value is None:
        return "not defined"
    return percent(value, decimals) if name in SHARES else f"{value:.4g}"


def percent(share: float, decimals: int = 1) -> str:
    """A share in per cent; with more decimals where else it would look like all or nothing."""
    return f"{100 * share:.{max(decimals, _decimals(share))}f} %"


def _decimals(share: float) -> int:
    enough = (n for n in range(1, 7) if round(100 * share, n) not in (0, 100))
    return next(enough, 1)


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")
