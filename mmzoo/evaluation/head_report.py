"""What a report shows of one head: headline, confusions, warnings, plots and worst mistakes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmzoo.config import Config, Preprocessing
from mmzoo.evaluation.evaluate import Evaluation
from mmzoo.evaluation.html_page import Plot
from mmzoo.evaluation.image_grid import captioned_grid, write_png
from mmzoo.evaluation.mistakes import (
    Mistakes,
    predicted_probability,
    worst_mistakes,
)
from mmzoo.evaluation.plots import calibration_plot, confusion_plot, ranking_plot
from mmzoo.evaluation.prior_samples import prior_samples
from mmzoo.evaluation.reconstructions import Reconstructions, reconstructions
from mmzoo.evaluation.regression_plots import regression_plot, residual_plot
from mmzoo.heads import ChoosesClass, ChoosesLabels, LabelledHead
from mmzoo.lazy import keras
from mmzoo.metrics import (
    ErrorBin,
    PerClass,
    confusion_matrix,
    decimals_of,
    errors_by_size,
    main_metric,
    metric_info,
    number_text,
    per_class,
    per_label,
    rounded_text,
)
from mmzoo.metrics.metric_info import percent, percent_decimals
from mmzoo.preprocessing import Arrays
from mmzoo.spec.wording import escape

_MOST_OF_PREDICTIONS = 0.95
_MOST_LISTED = 6
_PLOTS = (
    *("confusion", "calibration", "curves", "regression", "residuals", "mistakes"),
    "reconstructions",
)


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
        positive: the positive class of a binary head; precision, recall and the curves are of it.
        errors: errors by the size of the true value, of a regression of one number.
        rebuilt: texts beside their reconstructions, of a head that rebuilds an input of texts.
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
    positive: str = ""
    errors: Sequence[ErrorBin] = ()
    rebuilt: Reconstructions = field(default_factory=Reconstructions)

    @property
    def warnings(self) -> list[str]:
        """What to know before trusting the metrics."""
        return head_warnings(self.metrics, self.confusion, self.class_names)

    @property
    def predicts_numbers(self) -> bool:
        """Whether the mistakes are errors of numbers, not wrong classes."""
        return self.confusion is None and self.per_label is None

    @property
    def per_class(self) -> PerClass | None:
        return self.per_label if self.confusion is None else per_class(self.confusion)


def head_report(
    name: str,
    config: Config,
    data: Arrays,
    preprocessing: Preprocessing,
    evaluation: Evaluation,
    model: keras.Model,
    folder: Path,
) -> HeadReport:
    """The report on one head; its plots are written into `folder`."""
    head = config.heads[name]
    probes = evaluation.probe_metrics.get(name, {})
    report = HeadReport(name, head.type, evaluation.metrics[name], probes=probes)
    # A single head, by far the most frequent case, has plain file names.
    prefix = "" if len(config.heads) == 1 else f"{name}_"
    files = {kind: folder / f"{prefix}{kind}.png" for kind in _PLOTS}
    if not isinstance(head, LabelledHead):
        rebuilt = reconstructions(name, config, data, preprocessing, evaluation, model)
        return _reconstruction(report, rebuilt, files["reconstructions"])
    labels, predicted = evaluation.labels[name], evaluation.predictions[name]
    there = head.labelled(labels)
    labels, predicted = labels[there], predicted[there]
    if not there.any():
        return report
    mistakes = worst_mistakes(name, config, data, preprocessing, evaluation)
    report = replace(report, mistakes=mistakes)
    _write_mistakes(files["mistakes"], mistakes)
    match head:
        case LabelledHead(output_kind="numbers"):
            return _regression(report, labels.reshape(predicted.shape), predicted, files)
        case ChoosesLabels():
            return _labels(report, head, head.label_rows(labels), predicted, files)
        case ChoosesClass():
            return _classes(report, head, labels, predicted, files)
    return report


def fusion_reports(
    config: Config,
    preprocessing: Preprocessing,
    evaluation: Evaluation,
    model: keras.Model,
    folder: Path,
) -> Iterator[HeadReport]:
    """Yields the report on the fusion, if it has metrics; its plots are written into `folder`."""
    if not evaluation.fusion:
        return
    plots = []
    for name, values in prior_samples(model, config, preprocessing).items():
        if not isinstance(values[0], str):
            plots.append(Plot(f"{name}: samples of the prior", folder / f"{name}_samples.png"))
            images = [np.asarray(value) for value in values]
            write_png(plots[-1].path, captioned_grid(images, [""] * len(images)))
    yield HeadReport("fusion", config.fusion.type, evaluation.fusion, plots=tuple(plots))


def _reconstruction(report: HeadReport, rebuilt: Reconstructions, path: Path) -> HeadReport:
    if not rebuilt.are_images:
        return replace(report, rebuilt=rebuilt)
    write_png(path, rebuilt.grid())
    return replace(report, plots=(Plot("Originals and reconstructions", path),))


def _write_mistakes(path: Path, mistakes: Mistakes) -> None:
    if mistakes.images:
        write_png(path, captioned_grid(mistakes.images, mistakes.captions))
    else:
        path.unlink(missing_ok=True)  # Of an earlier evaluation.


def _regression(
    report: HeadReport, true: NDArray[Any], predicted: NDArray[Any], files: Mapping[str, Path]
) -> HeadReport:
    plots = (
        Plot("Predicted and true values", files["regression"]),
        Plot("Residuals", files["residuals"]),
    )
    regression_plot(plots[0].path, true, predicted)
    residual_plot(plots[1].path, true, predicted)
    one = predicted.ndim == 1 or predicted.shape[1] == 1
    errors = errors_by_size(true.ravel(), predicted.ravel()) if one else []
    return replace(report, plots=plots, errors=errors)


def _labels(
    report: HeadReport,
    head: ChoosesLabels,
    true: NDArray[Any],
    probabilities: NDArray[Any],
    files: Mapping[str, Path],
) -> HeadReport:
    names = head.class_names or ()
    curves = Plot("ROC and precision-recall curves", files["curves"])
    ranking_plot(curves.path, true, probabilities, names, head.threshold)
    scores = per_label(true, probabilities, head.threshold)
    return replace(report, class_names=names, per_label=scores, plots=(curves,))


def _classes(
    report: HeadReport,
    head: ChoosesClass,
    labels: NDArray[Any],
    predicted: NDArray[Any],
    files: Mapping[str, Path],
) -> HeadReport:
    names = head.class_names or ()
    true, classes = head.class_labels(labels), head.predicted_classes(predicted)
    probabilities = head.class_probabilities(predicted)
    confusion = confusion_matrix(true, classes, len(names))
    plots = [
        Plot("Confusion matrix", files["confusion"]),
        Plot("Calibration", files["calibration"]),
    ]
    confusion_plot(plots[0].path, confusion, names)
    confidence = predicted_probability(probabilities, classes)
    calibration_plot(plots[1].path, confidence, classes == true)
    threshold, positive = getattr(head, "threshold", None), ""
    if threshold is not None:  # The score of the second of two classes is its probability.
        positive = names[1]
        plots.append(Plot("ROC and precision-recall curves", files["curves"]))
        ranking_plot(
            plots[-1].path, true[:, None], probabilities[:, 1:], [positive], float(threshold)
        )
    return replace(
        report, class_names=names, confusion=confusion, plots=tuple(plots), positive=positive
    )


class Headline(NamedTuple):
    """The main metric of a head with its interval and baseline, as text.

    Attributes:
        label: "accuracy".
        value: "99.1 %".
        interval: "95 % CI 98.9 to 99.3"; empty where there is none.
        baseline: "majority-class baseline ('1'): 11.4 %"; empty where there is none.
    """

    label: str
    value: str
    interval: str
    baseline: str

    @property
    def value_with_interval(self) -> str:
        return f"{self.value} ({self.interval})" if self.interval else self.value

    def __str__(self) -> str:
        return "; ".join(part for part in (self.value_with_interval, self.baseline) if part)


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
    baseline = ""
    if info.baseline:
        of_baseline = metric_info(info.baseline).text(metrics[info.baseline])
        baseline = f"{info.baseline_label}{majority}: {of_baseline}"
    return Headline(
        label=info.label,
        value=info.text(metrics[info.name], decimals),
        interval=f"95 % CI {info.interval_text(bounds[0], bounds[1], decimals)}" if bounds else "",
        baseline=baseline,
    )


def other_metrics(metrics: Mapping[str, Any], positive: str = "") -> dict[str, str]:
    """The metrics that are not in `headline`, as labels and values, after the positive class."""
    info = main_metric(metrics)
    shown = {info.name, info.baseline} if info else set()
    of = {"positive class": f"'{escape(positive)}'"} if positive else {}
    return of | {
        metric_info(name).label: metric_info(name).text(value)
        for name, value in metrics.items()
        if name not in shown and not name.endswith("_ci95")
    }


def error_rows(errors: Sequence[ErrorBin]) -> tuple[list[str], list[list[str]]]:
    """Errors by the size of the true value, as titles and cells."""
    rows = [
        [
            _range_text(one, [other.low for other in errors]),
            f"{one.examples:,}",
            number_text(one.mean_absolute_error),
            f"{'+' if one.bias > 0 else ''}{number_text(one.bias, 3)}",
        ]
        for one in errors
    ]
    return ["true value", "examples", "mean absolute error", "mean of predicted - true"], rows


def _range_text(one: ErrorBin, lows: Sequence[float]) -> str:
    """The true values of a bin, with the digits in which they differ: from each other, or one value
    from those of the other bins."""
    gaps = (abs(one.low - low) for low in lows if low != one.low)
    size = one.high - one.low or min(gaps, default=0.0)
    bounds = (one.low,) if one.low == one.high else (one.low, one.high)
    return " to ".join(
        rounded_text(bound, max(decimals_of(size, 3), decimals_of(abs(bound), 4)))
        if size and bound and math.isfinite(size)
        else number_text(bound)
        for bound in bounds
    )


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
    if info is None or found is None or not info.baseline:
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
