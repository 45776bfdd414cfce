"""The picture of how a model bears worse inputs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmzoo.evaluation.pictures.figures import (
    BLUE,
    INK,
    ORANGE,
    drawable,
    new_figure,
    tidy,
    write_figure,
)
from mmzoo.evaluation.robustness.robustness import Curve, Robustness

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_BESIDE = 3
UNTOUCHED = "none"
"""What the step is called at which nothing is done."""


def robustness_plot(path: Path, found: Robustness) -> None:
    """Draws a panel for each head and each way in which an input gets worse.

    Args:
        path: the PNG to write.
        found: what was measured.
    """
    heads = {curve.head for curve in found.curves}
    columns = min(_MOST_BESIDE, len(found.curves) // len(heads))
    rows = math.ceil(len(found.curves) / columns)
    figure = new_figure(max(4.6, 3.6 * columns), 3.0 * rows)
    for place, curve in enumerate(found.curves, start=1):
        axes = figure.add_subplot(rows, columns, place)
        _panel(axes, curve)
        title = f"{curve.input}: {curve.degradation.name}"
        axes.set_title(
            drawable(f"{curve.head}, {title}" if len(heads) > 1 else title),
            fontsize=11,
            color=INK,
            loc="left",
        )
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, fontsize=9, loc="outside lower center", ncols=2)
    write_figure(figure, path)


def _panel(axes: Axes, curve: Curve) -> None:
    from matplotlib.ticker import PercentFormatter

    value, low, high = np.array([curve.whole, *curve.measures]).T
    # At equal distances: what is measured in decibels falls, and shares do not go on for ever.
    places = np.arange(len(value))
    axes.fill_between(places, low, high, color=BLUE, alpha=0.2, linewidth=0, label="95 % CI")
    axes.plot(places, value, color=BLUE, marker="o", markersize=4)
    axes.axhline(
        curve.scale.baseline,
        color=ORANGE,
        linewidth=1.2,
        linestyle=(0, (4, 3)),
        label="always saying the same",
    )
    axes.set_xticks(places, [UNTOUCHED, *(f"{step:g}" for step in curve.degradation.steps)])
    axes.set_xlabel(curve.degradation.unit, color=INK)
    axes.set_ylabel(curve.scale.label, color=INK)
    if curve.scale.is_share:
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    else:
        axes.set_ylim(bottom=0)
    tidy(axes)
