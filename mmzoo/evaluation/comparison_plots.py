"""The plot of a comparison: bars of the variants, or curves over the levels of a corruption."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from mmzoo.evaluation.comparison import Comparison, ComparisonRow
from mmzoo.evaluation.figures import (
    BLUE,
    INK,
    ORANGE,
    drawable,
    new_figure,
    plain_ticks,
    tidy,
    write_figure,
)
from mmzoo.metrics import MetricInfo

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = {"": "#1c4474", "absent": BLUE, "shuffled": "#9cc5ea", "trained alone": "#8fa8a3"}
"""Of the conditions; the reference has none."""
_LABELS = {
    "": "all inputs",
    "absent": "others absent",
    "shuffled": "others shuffled",
    "trained alone": "trained alone",
}
_MOST_BESIDE = 3


def comparison_plot(path: Path, comparison: Comparison) -> None:
    """Draws the metric of every row with its interval, and the constant baseline as a line.

    Args:
        path: the PNG to write.
        comparison: of several variants, or of levels of corruptions.
    """
    levels = any(row.level is not None for row in comparison.rows)
    figure = _curves(comparison) if levels else _bars(comparison)
    write_figure(figure, path)


def _bars(comparison: Comparison) -> Figure:
    """A panel of bars for each head: a group for each variant, a bar for each condition."""
    heads = comparison.heads
    variants = {head: _variants(comparison, head) for head in heads}
    tallest = max(map(len, variants.values()))
    figure = new_figure(7.2, len(heads) * (1.3 + 0.42 * tallest))
    panels = figure.subplots(len(heads), 1, squeeze=False)[:, 0]
    for axes, head in zip(panels, heads, strict=True):
        info = comparison.info(head)
        rows = [row for row in comparison.of_head(head) if row.interval]
        conditions = [one for one in _COLOURS if any(row.condition == one for row in rows)]
        height = 0.8 / max(1, len(conditions) - 1)
        for condition in conditions:
            own = [row for row in rows if row.condition == condition]
            at = _bar_centres(own, rows, variants[head], height)
            # The reference has no condition, and its group no other bar.
            thick = height if condition else 0.8
            value, low, high = _estimates(own)
            axes.barh(at, value, thick * 0.92, color=_COLOURS[condition], label=_LABELS[condition])
            whiskers = np.maximum([value - low, high - value], 0)
            axes.errorbar(
                value, at, xerr=whiskers, fmt="none", ecolor=INK, elinewidth=1.2, capsize=2.5
            )
        _metric_axis(axes, "x", comparison, head)
        axes.set_yticks(np.arange(len(variants[head])), [drawable(one) for one in variants[head]])
        axes.invert_yaxis()
        tidy(axes)
        axes.grid(False, axis="y")
        _title(axes, f"{head}: {info.label}" if len(heads) > 1 else info.label)
    _finish(figure, panels[0], columns=5)
    return figure


def _bar_centres(
    own: Sequence[ComparisonRow], rows: Sequence[ComparisonRow], variants: list[str], height: float
) -> np.ndarray:
    """Positions of some rows' bars, such that all bars of a variant are centred at its label."""
    centres = []
    for row in own:
        group = [one.condition for one in rows if one.variant == row.variant]
        group.sort(key=list(_COLOURS).index)
        shift = group.index(row.condition) - (len(group) - 1) / 2
        centres.append(variants.index(row.variant) + height * shift)
    return np.array(centres)


def _curves(comparison: Comparison) -> Figure:
    """A panel for each head and corruption of an input: the metric over the levels."""
    heads = comparison.heads
    panels: dict[tuple[str, str, str], list[ComparisonRow]] = {}
    for row in comparison.rows:
        if row.level is not None:
            panels.setdefault((row.head, row.variant, row.condition), []).append(row)
    columns = min(_MOST_BESIDE, len(panels) // len(heads))
    lines = math.ceil(len(panels) / columns)
    figure = new_figure(max(4.6, 3.6 * columns), 3.0 * lines)
    for place, ((head, variant, condition), rows) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(lines, columns, place)
        clean = comparison.row(head, comparison.reference[head])
        value, low, high = _estimates([clean, *rows])
        # At equal distances: decibels fall with the severity, and shares end at 1.
        at = np.arange(len(value))
        axes.fill_between(at, low, high, color=BLUE, alpha=0.2, linewidth=0, label="95 % CI")
        axes.plot(at, value, color=BLUE, marker="o", markersize=4)
        _metric_axis(axes, "y", comparison, head, highest=1.02)
        axes.set_xticks(at, [clean.variant, *(f"{row.level:g}" for row in rows)])
        axes.set_xlabel(rows[0].unit, color=INK)
        axes.set_ylabel(comparison.info(head).label, color=INK)
        tidy(axes)
        title = f"{variant}: {condition}"
        _title(axes, f"{head}, {title}" if len(heads) > 1 else title)
    _finish(figure, axes, columns=2)
    return figure


def _variants(comparison: Comparison, head: str) -> list[str]:
    return list(dict.fromkeys(row.variant for row in comparison.of_head(head) if row.interval))


def _estimates(rows: Sequence[ComparisonRow]) -> np.ndarray:
    """Values, lower and upper bounds, `[3, rows]`."""
    return np.array([(row.value, *(row.interval or (row.value, row.value))) for row in rows]).T


def _metric_axis(
    axes: Axes, along: Literal["x", "y"], comparison: Comparison, head: str, highest: float = 1
) -> None:
    """Sets range and unit of the axis of a metric, and draws the line of its baseline.

    Args:
        axes: of the panel.
        along: which of the two axes it is.
        comparison: has the baseline as a row.
        head: the head.
        highest: the end of an axis of shares, with room for markers.
    """
    from matplotlib.ticker import PercentFormatter

    info: MetricInfo = comparison.info(head)
    line = axes.axvline if along == "x" else axes.axhline
    if info.baseline:
        baseline = comparison.row(head, info.baseline_label).value
        assert baseline is not None
        line(
            baseline,
            color=ORANGE,
            linewidth=1.2,
            linestyle=(0, (4, 3)),
            label="constant baseline",
        )
    limit = axes.set_xlim if along == "x" else axes.set_ylim
    if info.percent:
        limit(0, highest)
        axis = axes.xaxis if along == "x" else axes.yaxis
        axis.set_major_formatter(PercentFormatter(xmax=1))
    else:
        limit(0, None)
        plain_ticks(axes.xaxis if along == "x" else axes.yaxis)


def _title(axes: Axes, text: str) -> None:
    axes.set_title(drawable(text), fontsize=11, color=INK, loc="left")


def _finish(figure: Figure, axes: Axes, columns: int) -> None:
    """Puts the legend of one of the panels below them all, and room between them."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, frameon=False, fontsize=9, loc="outside lower center", ncols=columns
    )
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)  # That of `new_figure`.
    engine.set(h_pad=0.12)
