"""The plots of a report, each a function of arrays that writes one PNG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    tidy,
    write_figure,
)
from mmzoo.metrics import expected_calibration_error, reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_ANNOTATED = 20
_MOST_NAMED = 120
_MOST_POINTS = 5_000
_MOST_OUTPUTS = 9
_SPLITS = {"train": "", "validation": "validation_"}
"""Split -> prefix of its columns in history.csv."""
_SPLIT_COLOURS = {"train": FAINT, "validation": BLUE}
_COUNTERS = {"epoch", "step"}


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
    above.bar(centres[filled], curve.accuracy[filled], width, color=BLUE, label="accuracy")
    gap = (curve.confidence - curve.accuracy)[filled]
    above.bar(
        centres[filled],
        gap,
        width,
        bottom=curve.accuracy[filled],
        facecolor="none",
        edgecolor=ORANGE,
        hatch="////",
        linewidth=1,
        label="gap",
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


def regression_plot(
    path: Path, true: NDArray[Any], predicted: NDArray[Any], names: Sequence[str] = ()
) -> None:
    """Draws predicted against true values, a panel for each of the first nine outputs.

    Args:
        path: the PNG to write.
        true: float [n, d] or [n].
        predicted: float, of the same shape.
        names: of the `d` numbers, if they have names.
    """
    true = np.asarray(true, np.float64).reshape(len(true), -1)
    predicted = np.asarray(predicted, np.float64).reshape(len(predicted), -1)
    panels = min(true.shape[1], _MOST_OUTPUTS)
    columns = min(panels, 3)
    rows = math.ceil(panels / columns)
    labels = class_labels(names)
    figure = new_figure(max(4.6, 3.6 * columns), max(4.6, 3.6 * rows))
    for panel in range(panels):
        axes = figure.add_subplot(rows, columns, panel + 1)
        _scatter(axes, true[:, panel], predicted[:, panel])
        if labels:
            axes.set_title(labels[panel], fontsize=11, color=INK, loc="left")
        axes.set_xlabel("true", color=INK)
        axes.set_ylabel("predicted", color=INK)
        tidy(axes)
    write_figure(figure, path)


def _scatter(axes: Axes, true: NDArray[np.float64], predicted: NDArray[np.float64]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    low = min(true.min(), predicted.min())
    high = max(true.max(), predicted.max())
    margin = 0.03 * (high - low) or 1.0
    limits = (low - margin, high + margin)
    if len(true) > _MOST_POINTS:
        blues = LinearSegmentedColormap.from_list("density", ["#b9d4ee", "#2f6fb3", "#0b2d52"])
        # So many points would be one blot; the colour of a hexagon shows how many are under it.
        axes.hexbin(
            true, predicted, gridsize=50, bins="log", mincnt=1, cmap=blues, extent=limits * 2
        )
    else:
        opacity = min(0.8, max(0.2, 250 / len(true)))
        axes.scatter(true, predicted, s=14, color=BLUE, alpha=opacity, linewidths=0)
    axes.plot(limits, limits, color=ORANGE, linewidth=1.2)
    axes.set(xlim=limits, ylim=limits, aspect="equal")


def history_plot(path: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Draws learning curves: a chart for each metric, with training and validation values.

    Args:
        path: the PNG to write.
        history: the rows of history.csv: `epoch`, and for any metrics `<metric>` and
            `validation_<metric>`. A value that is missing or not finite is left out.
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
        if len(drawn) > 1:
            axes.legend(frameon=False, fontsize=9)
        axes.set_title(drawable(metric.replace("_", " ")), fontsize=11, color=INK, loc="left")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
        axes.set_xlabel("epoch", color=INK)
        tidy(axes)
    write_figure(figure, path)


def _metrics_of(history: Sequence[Mapping[str, Any]]) -> list[str]:
    """The metrics that have a value in some epoch, in column order; the learning rate goes last."""
    columns = dict.fromkeys(
        column for row in history for column in row if _curve(history, column)[0]
    )
    metrics = dict.fromkeys(column.removeprefix(_SPLITS["validation"]) for column in columns)
    drawn = [metric for metric in metrics if metric not in _COUNTERS]
    return sorted(drawn, key=lambda metric: metric == "learning_rate")


def _curve(history: Sequence[Mapping[str, Any]], name: str) -> tuple[list[int], list[float]]:
    points = [(int(row["epoch"]), float(row[name])) for row in history if name in row]
    finite = [point for point in points if math.isfinite(point[1])]
    return [epoch for epoch, _ in finite], [value for _, value in finite]
