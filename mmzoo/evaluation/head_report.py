"""What a report shows of one head: headline, confusions, warnings, plots and worst mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmzoo.config import Config, Preprocessing
from mmzoo.evaluation.evaluate import Evaluation
from mmzoo.evaluation.html_page import Plot
from mmzoo.evaluation.mistakes import (
    Mistakes,
    predicted_probability,
    worst_mistakes,
    write_mistakes_grid,
)
from mmzoo.evaluation.plots import calibration_plot, confusion_plot, regression_plot
from mmzoo.heads import ChoosesClass, ChoosesLabels, LabelledHead
from mmzoo.metrics import (
    PerClass,
    confusion_matrix,
    main_metric,
    metric_info,
    per_class,
    per_label,
)
from mmzoo.metrics.metric_info import percent, percent_decimals
from mmzoo.preprocessing import Arrays
from mmzoo.spec.wording import escape

_MOST_OF_PREDICTIONS = 0.95
_MOST_LISTED = 6


@dataclass(frozen=True)
class HeadReport:
    """The section of a report on one head.

    Attributes:
        name: the head's.
        kind: its `type`, such as "classification".
        metrics: its entry in metrics.json.
        class_names: of its classes, or of its labels.
        confusion: int64 [classes, classes], true classes in rows; None where an example may have
            several labels.
        per_label: metrics of each label, where there is no confusion matrix.
        plots: PNG files.
        mistakes: the worst ones, the worst first.
        probes: probe type -> its metrics.
        loss_weight: the weight of its loss, where that was learned.
    """

    name: str
    kind: str
    metrics: Mapping[str, Any]
    class_names: tuple[str, ...] = ()
    confusion: NDArray[np.int64] | None = None
    per_label: PerClass | None = None
    plots: tuple[Plot, ...] = ()
    mistakes: Mistakes = field(default_factory=Mistakes)
    probes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    loss_weight: float | None = None

    @property
    def warnings(self) -> list[str]:
        """What to know before trusting the metrics."""
        return head_warnings(self.metrics, self.confusion, self.class_names)

    @property
    def per_class(self) -> PerClass | None:
        return self.per_label if self.confusion is None else per_class(self.confusion)


def head_report(
    name: str,
    config: Config,
    data: Arrays,
    preprocessing: Preprocessing,
    evaluation: Evaluation,
    folder: Path,
) -> HeadReport:
    """The report on one head; its plots are written into `folder`."""
    head = config.heads[name]
    probes = evaluation.probe_metrics.get(name, {})
    report = HeadReport(name, head.type, evaluation.metrics[name], probes=probes)
    if not isinstance(head, LabelledHead):
        return report
    labels, predicted = evaluation.labels[name], evaluation.predictions[name]
    there = head.labelled(labels)
    labels, predicted = labels[there], predicted[there]
    if not there.any():
        return report
    # A single head, by far the most frequent case, has plain file names.
    prefix = "" if len(config.heads) == 1 else f"{name}_"
    match head:
        case LabelledHead(output_kind="numbers"):
            path = folder / f"{prefix}regression.png"
            regression_plot(path, labels.reshape(predicted.shape), predicted)
            return replace(report, plots=(Plot("Predicted and true values", path),))
        case ChoosesLabels():
            scores = per_label(head.label_rows(labels), predicted, head.threshold)
            return replace(report, class_names=head.class_names or (), per_label=scores)
        case ChoosesClass():
            names = head.class_names or ()
            true, classes = head.class_labels(labels), head.predicted_classes(predicted)
            confusion = confusion_matrix(true, classes, len(names))
            plots = [
                Plot("Confusion matrix", folder / f"{prefix}confusion.png"),
                Plot("Calibration", folder / f"{prefix}calibration.png"),
            ]
            confusion_plot(plots[0].path, confusion, names)
            confidence = predicted_probability(head.class_probabilities(predicted), classes)
            calibration_plot(plots[1].path, confidence, classes == true)
            grid = Plot("Worst mistakes", folder / f"{prefix}mistakes.png")
            mistakes = worst_mistakes(name, config, data, preprocessing, evaluation)
            if mistakes.images:
                write_mistakes_grid(grid.path, mistakes)
                plots.append(grid)
            else:
                grid.path.unlink(missing_ok=True)  # Of an earlier evaluation.
            report = replace(report, class_names=names, confusion=confusion)
            return replace(report, plots=tuple(plots), mistakes=mistakes)
    return report


class Headline(NamedTuple):
    """The main metric of a head with its interval and baseline, as text.

    Attributes:
        label: "accuracy".
        value: "99.1 %".
        interval: "95 % CI 98.9 to 99.3"; empty where there is none.
        baseline: "majority-class baseline ('1'): 11.4 %".
    """

    label: str
    value: str
    interval: str
    baseline: str

    @property
    def value_with_interval(self) -> str:
        return f"{self.value} ({self.interval})" if self.interval else self.value

    def __str__(self) -> str:
        return f"{self.value_with_interval}; {self.baseline}"


def headline(
    metrics: Mapping[str, Any],
    confusion: NDArray[np.int64] | None = None,
    names: Sequence[str] = (),
) -> Headline | None:
    """The main metric with its interval and baseline; None where there is no main metric.

    Args:
        metrics: a head's entry in metrics.json.
        confusion: its confusion matrix, if it has one, to name the majority class.
        names: the classes' names.
    """
    info = main_metric(metrics)
    if info is None:
        return None
    bounds = metrics.get(f"{info.name}_ci95") or ()
    decimals = max(map(percent_decimals, (metrics[info.name], *bounds)))
    majority = f" ('{names[confusion.sum(axis=1).argmax()]}')" if confusion is not None else ""
    baseline = metric_info(info.baseline).text(metrics[info.baseline])
    return Headline(
        label=info.label,
        value=info.text(metrics[info.name], decimals),
        interval=f"95 % CI {info.interval_text(bounds[0], bounds[1], decimals)}" if bounds else "",
        baseline=f"{info.baseline_label}{majority}: {baseline}",
    )


def other_metrics(metrics: Mapping[str, Any]) -> dict[str, str]:
    """The metrics that are not in `headline`, as labels and values."""
    info = main_metric(metrics)
    shown = {info.name, info.baseline} if info else set()
    return {
        metric_info(name).label: metric_info(name).text(value)
        for name, value in metrics.items()
        if name not in shown and not name.endswith("_ci95")
    }


def probe_figures(probes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Probe type -> the main metric of the probe with its interval, as text."""
    found = {kind: headline(metrics) for kind, metrics in probes.items()}
    return {kind: f"{one.label} {one.value_with_interval}" for kind, one in found.items() if one}


def confused_pairs(confusion: NDArray[np.int64], names: Sequence[str], most: int = 10) -> list[str]:
    """The most frequent mistakes in words, in descending order; ties in the order of classes."""
    mistakes = confusion * ~np.eye(len(confusion), dtype=bool)
    support = confusion.sum(axis=1)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:most]
    return [
        f"'{escape(names[row])}' predicted as '{escape(names[column])}': "
        f"{count:,} of {support[row]:,} ({percent(count / support[row])})"
        for row, column in zip(*np.unravel_index(order, mistakes.shape), strict=True)
        if (count := mistakes[row, column])
    ]


def head_warnings(
    metrics: Mapping[str, Any],
    confusion: NDArray[np.int64] | None = None,
    names: Sequence[str] = (),
) -> list[str]:
    """What to know before trusting the metrics; arguments as for `headline`."""
    warnings = [*_baseline_warning(metrics, headline(metrics, confusion, names))]
    if confusion is not None and len(confusion) > 1:
        warnings += _class_warnings(confusion, names)
    return warnings


def _baseline_warning(metrics: Mapping[str, Any], found: Headline | None) -> Iterator[str]:
    info = main_metric(metrics)
    if info is None or found is None:
        return
    value, baseline = metrics[info.name], metrics[info.baseline]
    if value <= baseline if info.higher_is_better else value >= baseline:
        yield f"The model is no better than a constant prediction: {found.label} {found}."
    elif info.higher_is_better and metrics[f"{info.name}_ci95"][0] <= baseline:
        yield f"The model may be no better than a constant prediction: {found.label} {found}."


def _class_warnings(confusion: NDArray[np.int64], names: Sequence[str]) -> Iterator[str]:
    predicted, support = confusion.sum(axis=0), confusion.sum(axis=1)
    examples = max(1, int(confusion.sum()))
    favourite = int(predicted.argmax())
    predicted_share, true_share = predicted[favourite] / examples, support[favourite] / examples
    if predicted_share > _MOST_OF_PREDICTIONS > true_share:
        yield (
            f"{percent(predicted_share)} of the predictions are '{names[favourite]}', but only "
            f"{percent(true_share)} of the examples."
        )
    counts = list(zip(names, support, predicted, strict=True))
    if never := [name for name, examples, times in counts if examples and not times]:
        yield f"Never predicted, though there are examples: {_listed(never)}."
    if unknown := [name for name, examples, _ in counts if not examples]:
        yield f"No examples, so not evaluated: {_listed(unknown)}."


def _listed(names: list[str]) -> str:
    listed = ", ".join(f"'{escape(name)}'" for name in names[:_MOST_LISTED])
    more = len(names) - _MOST_LISTED
    return f"{listed} and {more} more" if more > 0 else listed
