"""The plots of a regression head: predicted against true values, and residuals."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    new_figure,
    plain_ticks,
    tidy,
    write_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_POINTS = 5_000
_MOST_OUTPUTS = 9
_MOST_RESIDUALS = 3


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
    true, predicted = _columns(true), _columns(predicted)
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
        plain_ticks(axes.xaxis, ticks=4)
        plain_ticks(axes.yaxis)
    write_figure(figure, path)


def residual_plot(
    path: Path, true: NDArray[Any], predicted: NDArray[Any], names: Sequence[str] = ()
) -> None:
    """Draws predicted minus true against the prediction, and as a histogram; a row for each output.

    Points above the line are predictions that are too high. Arguments as in `regression_plot`; of
    many outputs the first three are drawn.
    """
    true, predicted = _columns(true), _columns(predicted)
    rows = min(true.shape[1], _MOST_RESIDUALS)
    labels = class_labels(names)
    figure = new_figure(7.2, 3.4 * rows)
    grid = figure.subplots(rows, 2, squeeze=False, sharey="row", width_ratios=[3, 1])
    for output, (points, bars) in enumerate(grid):
        residuals = predicted[:, output] - true[:, output]
        _points(points, predicted[:, output], residuals)
        points.set_xlabel("predicted", color=INK)
        points.set_ylabel("predicted minus true", color=INK)
        if labels:
            points.set_title(labels[output], fontsize=11, color=INK, loc="left")
        bars.hist(residuals, bins=_bins(residuals), orientation="horizontal", color=FAINT)
        bars.set_xlabel("examples", color=INK)
        for axes in (points, bars):
            axes.axhline(0, color=ORANGE, linewidth=1.2)
            tidy(axes)
            plain_ticks(axes.xaxis, ticks=4)
            plain_ticks(axes.yaxis)
    write_figure(figure, path)


def _bins(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of the bars of a histogram; equal values, but for rounding, have one bar."""
    low, high = values.min(), values.max()
    margin = 1e-6 * max(1.0, abs(low), abs(high))
    if high - low < margin:
        return np.array([low - margin, high + margin])
    return np.linspace(low, high, 1 + min(30, max(5, math.isqrt(len(values)))))


def _columns(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(values, np.float64).reshape(len(values), -1)


def _scatter(axes: Axes, true: NDArray[np.float64], predicted: NDArray[np.float64]) -> None:
    low = min(true.min(), predicted.min())
    high = max(true.max(), predicted.max())
    margin = 0.03 * (high - low) or 1.0
    limits = (low - margin, high + margin)
    _points(axes, true, predicted, (*limits, *limits))
    axes.plot(limits, limits, color=ORANGE, linewidth=1.2)
    axes.set(xlim=limits, ylim=limits, aspect="equal")


def _points(
    axes: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    extent: tuple[float, float, float, float] | None = None,
) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    if len(x) > _MOST_POINTS:
        blues = LinearSegmentedColormap.from_list("density", ["#b9d4ee", "#2f6fb3", "#0b2d52"])
        # So many points would be one blot; the colour of a hexagon shows how many are under it.
        axes.hexbin(x, y, gridsize=50, bins="log", mincnt=1, cmap=blues, extent=extent)
    else:
        opacity = min(0.8, max(0.2, 250 / len(x)))
        axes.scatter(x, y, s=14, color=BLUE, alpha=opacity, linewidths=0)
