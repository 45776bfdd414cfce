"""The picture of what each subset of the inputs is worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmzoo.evaluation.modalities.modalities import HeadModalities, Modalities
from mmzoo.evaluation.modalities.subset_scores import Way
from mmzoo.evaluation.modalities.subsets import subset_words
from mmzoo.evaluation.pictures.figures import INK, drawable, new_figure, tidy, write_figure
from mmzoo.evaluation.pictures.panels import finish_panels, metric_axis, panel_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS: dict[Way, str] = {"absent": "#2f6fb3", "shuffled": "#9cc5ea"}
_LABELS: dict[Way, str] = {"absent": "others absent", "shuffled": "others shuffled"}


def modality_plot(path: Path, found: Modalities) -> None:
    """Draws the metric of every subset as a bar with its interval, a panel for each head.

    Args:
        path: the PNG to write.
        found: what was measured.
    """
    subsets = max(len(head.measures["shuffled"]) for head in found.heads)
    figure = new_figure(7.2, len(found.heads) * (1.3 + 0.42 * subsets))
    panels = figure.subplots(len(found.heads), 1, squeeze=False)[:, 0]
    for axes, head in zip(panels, found.heads, strict=True):
        _bars(axes, head, found)
        title = f"{head.name}: {head.scale.label}" if len(found.heads) > 1 else head.scale.label
        panel_title(axes, title)
    finish_panels(figure, panels[0], columns=3)
    write_figure(figure, path)


def _bars(axes: Axes, head: HeadModalities, found: Modalities) -> None:
    kept = [*head.measures["shuffled"]]
    places = np.arange(len(kept))  # All inputs come last, so they are at the top.
    height = 0.8 / len(head.measures)
    for number, (way, measures) in enumerate(head.measures.items()):
        has = np.array([one in measures for one in kept])
        value, low, high = np.array([measures[one] for one in kept if one in measures]).T
        at = places[has] + 0.4 - height * (number + 0.5)
        axes.barh(at, value, height * 0.92, color=_COLOURS[way], label=_LABELS[way])
        whiskers = np.maximum([value - low, high - value], 0)
        axes.errorbar(value, at, xerr=whiskers, fmt="none", ecolor=INK, elinewidth=1.2, capsize=2.5)
    metric_axis(axes, "x", head.scale)
    axes.set_yticks(places, [drawable(subset_words(one, found.inputs)) for one in kept])
    tidy(axes)
    axes.grid(False, axis="y")
