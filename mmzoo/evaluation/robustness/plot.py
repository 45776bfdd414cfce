"""The picture of how a model bears worse inputs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmzoo.evaluation.pictures.figures import BLUE, INK, new_figure, tidy, write_figure
from mmzoo.evaluation.pictures.panels import finish_panels, metric_axis, panel_title
from mmzoo.evaluation.robustness.robustness import UNTOUCHED, Curve, Robustness

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_BESIDE = 3


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
        panel_title(axes, f"{curve.head}, {title}" if len(heads) > 1 else title)
    finish_panels(figure, axes, columns=2)
    write_figure(figure, path)


def _panel(axes: Axes, curve: Curve) -> None:
    value, low, high = np.array([curve.whole, *curve.measures]).T
    # At equal distances: what is measured in decibels falls, and shares do not go on for ever.
    places = np.arange(len(value))
    axes.fill_between(places, low, high, color=BLUE, alpha=0.2, linewidth=0, label="95 % CI")
    axes.plot(places, value, color=BLUE, marker="o", markersize=4)
    metric_axis(axes, "y", curve.scale, highest=1.02)
    axes.set_xticks(places, [UNTOUCHED, *(f"{step:g}" for step in curve.degradation.steps)])
    axes.set_xlabel(curve.degradation.unit, color=INK)
    axes.set_ylabel(curve.scale.label, color=INK)
    tidy(axes)
