"""Panels of one figure that show the main metric of a head, each beside what it is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmzoo.evaluation.pictures.figures import INK, ORANGE, drawable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mmzoo.evaluation.scale import Scale


def panel_title(axes: Axes, text: str) -> None:
    axes.set_title(drawable(text), fontsize=11, color=INK, loc="left")


def metric_axis(axes: Axes, along: Literal["x", "y"], scale: Scale, highest: float = 1) -> None:
    """Gives the axis of a metric its range and unit, and draws the line of its baseline.

    Args:
        axes: of the panel.
        along: which of the two axes it is.
        scale: of the metric.
        highest: where a share ends, with room for its marks.
    """
    from matplotlib.ticker import PercentFormatter

    line = axes.axvline if along == "x" else axes.axhline
    line(
        scale.baseline,
        color=ORANGE,
        linewidth=1.2,
        linestyle=(0, (4, 3)),
        label="always saying the same",
    )
    limit = axes.set_xlim if along == "x" else axes.set_ylim
    if scale.is_share:
        limit(0, highest)
        axis = axes.xaxis if along == "x" else axes.yaxis
        axis.set_major_formatter(PercentFormatter(xmax=1))
    else:
        limit(0, None)


def finish_panels(figure: Figure, axes: Axes, columns: int) -> None:
    """Puts the legend of one of the panels below them all, and room between them."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, frameon=False, fontsize=9, loc="outside lower center", ncols=columns
    )
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)  # That of `new_figure`.
    engine.set(h_pad=0.12)
