"""The plots of a report, each a function of arrays that writes one PNG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from mmzoo.evaluation.figures import (
    BLUE,
    FAINT,
    INK,
    ORANGE,
    class_labels,
    drawable,
    new_figure,
    plain_ticks,
    tidy,
    write_figure,
)
from mmzoo.metrics import (
    area_under_roc,
    average_precision,
    expected_calibration_error,
    precision_recall_curve,
    reliability,
    roc_curve,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_ANNOTATED = 20
_MOST_NAMED = 120
_FEW = 10
"""Bars of fewer examples are drawn fainter."""
_MOST_CURVES = 8
_SPLITS = {"train": "", "validation": "validation_"}
"""Split -> prefix of its columns in history.csv."""
_SPLIT_COLOURS = {"train": FAINT, "validation": BLUE}
_COUNTERS = {"epoch", "step"}
_RATE = "learning_rate"


def confusion_plot(path: Path, confusion: NDArray[np.int64], names: Sequence[str]) -> None:
    """Draws a confusion matrix, coloured by the share of the true class.

    The diagonal and the mistakes have colour scales of their own: on a common one, the 99 % of a
    good model's diagonal would leave every mistake white.

    Args:
        path: the PNG to write.
        confusion: counts int64 [classes, classes], true classes in rows.
        names: the classes' names; up to 120 are written, and the counts of up to 20.
    """
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm
    from matplotlib.ticker import PercentFormatter

    classes = len(confusion)
    shares = confusion / np.maximum(1, confusion.sum(axis=1, keepdims=True))
    on_diagonal = np.eye(classes, dtype=bool)
    mistakes = np.ma.masked_array(shares, on_diagonal)
    worst = float(shares[~on_diagonal].max(initial=0))

    side = min(15.0, max(3.2, (0.52 if classes <= _MOST_ANNOTATED else 0.13) * classes))
    figure = new_figure(side + 1.8, side + 1.2)
    axes = figure.add_subplot()
    blues = LinearSegmentedColormap.from_list("right", ["#ffffff", "#d6e8f8", "#9cc5ea"])
    reds = LinearSegmentedColormap.from_list(
        "mistakes", ["#ffffff", "#fbc48c", "#e8692c", "#a01818"]
    )
    axes.imshow(np.ma.masked_array(shares, ~on_diagonal), cmap=blues, vmin=0, vmax=1)
    # The square root keeps one bad pair from hiding the others; few mistakes do not turn red.
    scale = PowerNorm(0.5, vmin=0, vmax=max(worst, 0.01))
    image = axes.imshow(mistakes, cmap=reds, norm=scale)
    if worst:
        bar = figure.colorbar(image, ax=axes, shrink=0.6, pad=0.02, aspect=30)
        bar.ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=None))
        bar.set_label("mistakes, share of the true class", color=INK, fontsize=9)
        bar.ax.tick_params(labelsize=8, colors=INK)
        bar.outline.set_visible(False)

    if classes <= _MOST_NAMED:
        _name_classes(axes, class_labels(names))
    if classes <= _MOST_ANNOTATED:
        _write_counts(axes, confusion, scale(shares))
        axes.set_xticks(np.arange(classes + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(classes + 1) - 0.5, minor=True)
        axes.grid(which="minor", color="#e6e9ec", linewidth=0.8)
    axes.tick_params(which="both", length=0, colors=INK)
    axes.spines[:].set_color("#d0d7de")
    correct, examples = int(np.trace(confusion)), int(confusion.sum())
    axes.set_title(f"{correct:,} of {examples:,} correct", color=INK, fontsize=11, loc="left")
    axes.set_xlabel("predicted", color=INK)
    axes.set_ylabel("true", color=INK)
    write_figure(figure, path)


def _name_classes(axes: Axes, labels: list[str]) -> None:
    places = np.arange(len(labels))
    size = 9 if len(labels) <= 30 else 6
    slanted = max(map(len, labels)) > 3 and len(labels) > 2
    axes.set_yticks(places, labels, fontsize=size)
    if not slanted:
        axes.set_xticks(places, labels, fontsize=size)
    elif size == 9:
        axes.set_xticks(
            places, labels, fontsize=size, rotation=45, ha="right", rotation_mode="anchor"
        )
    else:
        axes.set_xticks(places, labels, fontsize=size, rotation=90)


def _write_counts(axes: Axes, confusion: NDArray[np.int64], depth: NDArray[np.float64]) -> None:
    """Writes each count that is not 0 into its cell, in white on dark colours."""
    size = 9 if confusion.max() < 100_000 else 7
    for row, column in zip(*np.nonzero(confusion), strict=True):
        dark = row != column and depth[row, column] > 0.65
        axes.text(
            column,
            row,
            str(confusion[row, column]),
            ha="center",
            va="center",
            fontsize=size,
            fontweight="bold" if row == column else "normal",
            color="white" if dark else INK,
        )


def calibration_plot(
    path: Path, confidence: NDArray[Any], correct: NDArray[Any], bins: int = 15
) -> None:
    """Draws a reliability diagram: accuracy by confidence, above a histogram of the confidence.

    Bars of fewer than ten predictions are fainter: their height is mostly chance.

    Args:
        path: the PNG to write.
        confidence: float [n], the probability of the predicted class.
        correct: bool [n], whether the prediction is right.
        bins: the number of bins.

    Reference: Guo et al., "On calibration of modern neural networks", 2017.
    """
    from matplotlib.ticker import PercentFormatter

    curve = reliability(confidence, correct, bins)
    error = expected_calibration_error(confidence, correct, bins)
    filled = curve.examples > 0
    centres = (np.arange(bins) + 0.5) / bins
    width = 0.92 / bins

    figure = new_figure(5.0, 5.4)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    few, few_words = curve.examples < _FEW, f", fewer than {_FEW} predictions"
    for shown, opacity, ending in ((filled & ~few, 1.0, ""), (filled & few, 0.3, few_words)):
        if not shown.any():
            continue
        right, confident = curve.accuracy[shown], curve.confidence[shown]
        above.bar(
            centres[shown], right, width, color=BLUE, alpha=opacity, label=f"accuracy{ending}"
        )
        above.bar(
            centres[shown],
            confident - right,
            width,
            bottom=right,
            facecolor="none",
            edgecolor=ORANGE,
            alpha=opacity,
            hatch="////",
            linewidth=1,
            label="" if ending and (filled & ~few).any() else "gap",
        )
    above.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=(0, (4, 3)), label="ideal")
    above.set_ylim(0, 1.01)
    above.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    above.set_ylabel("accuracy", color=INK)
    above.set_title(f"Expected calibration error {error:.3f}", fontsize=11, color=INK, loc="left")
    above.legend(loc="upper left", frameon=False, fontsize=9)

    below.bar(centres, curve.examples / max(1, curve.examples.sum()), width, color=FAINT)
    below.set_xlim(0, 1)
    below.xaxis.set_major_formatter(PercentFormatter(xmax=1))
    below.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    below.set_xlabel("confidence", color=INK)
    below.set_ylabel("share of predictions", color=INK)
    for axes in (above, below):
        tidy(axes)
    write_figure(figure, path)


def ranking_plot(
    path: Path,
    true: NDArray[Any],
    probabilities: NDArray[Any],
    names: Sequence[str],
    threshold: float,
) -> None:
    """Draws ROC and precision-recall curves side by side, a curve for each label.

    Of many labels the eight with the most examples are drawn. Dots are at the decision threshold.

    Args:
        path: the PNG to write.
        true: 0 or 1 [n, labels].
        probabilities: float [n, labels].
        names: of the labels, or of the positive class.
        threshold: from which probability on a label is predicted.
    """
    true = np.asarray(true, bool)
    order = np.argsort(-true.sum(axis=0), kind="stable")[:_MOST_CURVES]
    labels = class_labels(names)
    figure = new_figure(9.6, 4.6)
    roc, precision_recall = figure.subplots(1, 2)
    for place, label in enumerate(sorted(order)):
        is_true, scores = true[:, label], probabilities[:, label]
        colour = BLUE if true.shape[1] == 1 else f"C{place}"
        chosen = scores >= threshold
        hits, found = int((is_true & chosen).sum()), int(chosen.sum())
        positives, negatives = int(is_true.sum()), int((~is_true).sum())
        curve, area = roc_curve(is_true, scores), area_under_roc(is_true, scores)
        if curve is not None:
            roc.plot(*curve, color=colour, label=f"{labels[label]}, area {area:.3f}")
            roc.plot((found - hits) / negatives, hits / positives, "o", color=colour, markersize=5)
        curve, area = precision_recall_curve(is_true, scores), average_precision(is_true, scores)
        if curve is not None:
            precision_recall.step(
                *curve, where="pre", color=colour, label=f"{labels[label]}, average {area:.3f}"
            )
            share = positives / len(true)
            precision_recall.axhline(share, color=colour, linewidth=0.8, linestyle=(0, (4, 3)))
            if found:
                precision_recall.plot(
                    hits / positives, hits / found, "o", color=colour, markersize=5
                )
    roc.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=(0, (4, 3)))
    one = f" of '{labels[0]}'" if true.shape[1] == 1 else ""
    _finish_curves(roc, f"ROC{one}", "false positive rate", "true positive rate", "lower right")
    title = f"Precision and recall{one}"
    _finish_curves(precision_recall, title, "recall", "precision", "lower left")
    write_figure(figure, path)


def _finish_curves(
    axes: Axes, title: str, along: str, up: str, corner: Literal["lower left", "lower right"]
) -> None:
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_title(title, fontsize=11, color=INK, loc="left")
    axes.set_xlabel(along, color=INK)
    axes.set_ylabel(up, color=INK)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc=corner, fontsize=8, framealpha=0.85, edgecolor="none")
    tidy(axes)


def history_plot(path: Path, history: Sequence[Mapping[str, Any]], best: int | None = None) -> None:
    """Draws learning curves: a chart for each metric, with training and validation values.

    A learning rate that never changes is left out.

    Args:
        path: the PNG to write.
        history: the rows of history.csv: `epoch`, and for any metrics `<metric>` and
            `validation_<metric>`. A value that is missing or not finite is left out.
        best: the epoch to mark.
    """
    from matplotlib.ticker import MaxNLocator

    metrics = _metrics_of(history)
    columns = min(max(1, len(metrics)), 3)
    rows = max(1, math.ceil(len(metrics) / columns))
    figure = new_figure(4.4 * columns, 3.2 * rows)
    for place, metric in enumerate(metrics, start=1):
        axes = figure.add_subplot(rows, columns, place)
        curves = {split: _curve(history, prefix + metric) for split, prefix in _SPLITS.items()}
        drawn = {split: curve for split, curve in curves.items() if curve[0]}
        for split, (epochs, values) in drawn.items():
            marker = "o" if len(epochs) <= 30 else ""
            axes.plot(
                epochs,
                values,
                color=_SPLIT_COLOURS[split],
                marker=marker,
                markersize=3.5,
                label=split,
            )
        if best is not None and len(history) > 1:
            axes.axvline(best, color=ORANGE, linewidth=1, linestyle=(0, (4, 3)), label="best epoch")
        if len(drawn) > 1:
            axes.legend(frameon=False, fontsize=9)
        axes.set_title(drawable(metric.replace("_", " ")), fontsize=11, color=INK, loc="left")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
        axes.set_xlabel("epoch", color=INK)
        plain_ticks(axes.yaxis)
        tidy(axes)
    write_figure(figure, path)


def _metrics_of(history: Sequence[Mapping[str, Any]]) -> list[str]:
    """The metrics that have a value in some epoch, in column order; the learning rate goes last."""
    columns = dict.fromkeys(
        column for row in history for column in row if _curve(history, column)[0]
    )
    metrics = dict.fromkeys(column.removeprefix(_SPLITS["validation"]) for column in columns)
    drawn = [metric for metric in metrics if metric not in _COUNTERS]
    if len(set(_curve(history, _RATE)[1])) == 1:
        drawn.remove(_RATE)
    return sorted(drawn, key=lambda metric: metric == _RATE)


def _curve(history: Sequence[Mapping[str, Any]], name: str) -> tuple[list[int], list[float]]:
    points = [(int(row["epoch"]), float(row[name])) for row in history if name in row]
    finite = [point for point in points if math.isfinite(point[1])]
    return [epoch for epoch, _ in finite], [value for _, value in finite]
