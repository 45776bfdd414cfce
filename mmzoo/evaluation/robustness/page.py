"""The page that says how a model bears worse inputs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mmzoo.evaluation.measure import Measure
from mmzoo.evaluation.reports.page import (
    Picture,
    name_html,
    page,
    paragraphs_html,
    pictures_html,
    table_html,
    text_html,
)
from mmzoo.evaluation.reports.report import Report, beside_report_html
from mmzoo.evaluation.robustness.robustness import UNTOUCHED, Curve, Robustness
from mmzoo.evaluation.scale import Scale

EXPLANATIONS = (
    "One input at a time gets worse, step by step, and the others stay as they are. What is drawn "
    "for an example is the same at every step.",
    "By how much a step is worse than nothing done is told of the same examples, in pairs: where "
    "the interval of that holds 0, no difference shows.",
)
"""How to read the figures."""


def robustness_page(report: Report, found: Robustness, plot: Path) -> str:
    """The page as HTML text.

    Args:
        report: of the same evaluation.
        found: what was measured.
        plot: the PNG of it, which becomes part of the page.
    """
    title = f"{report.title}: as its inputs get worse"
    inputs = dict.fromkeys(curve.input for curve in found.curves)
    heads = dict.fromkeys(curve.head for curve in found.curves)
    body = f"""{beside_report_html(title, ", ".join(inputs), report)}
<section>
{pictures_html([Picture("The metric at each step, and its 95 % interval", plot)])}
{paragraphs_html(EXPLANATIONS)}
</section>
{"".join(_head([curve for curve in found.curves if curve.head == head]) for head in heads)}"""
    return page(title, body)


def _head(curves: list[Curve]) -> str:
    first = curves[0]
    return f"""<section>
<h2>{name_html(first.head)}<span class="kind">{text_html(first.scale.label)}</span></h2>
{"".join(map(_curve, curves))}</section>
"""


def _curve(curve: Curve) -> str:
    way = curve.degradation
    titles = [way.unit, curve.scale.label, "95 % CI", "worse by", "95 % CI"]
    return f"""<h3>{text_html(f"{curve.input}: {way.name}")}</h3>
<p>{text_html(curve.sentence())}</p>
{table_html(titles, map(list, _rows(curve)))}"""


def _rows(curve: Curve) -> Iterator[tuple[str, ...]]:
    """The step, the metric and its interval, by how much it is worse and the interval of that."""
    scale = curve.scale
    yield (UNTOUCHED, *_figures(curve.whole, scale), "", "")
    for step, measure, fall in zip(
        curve.degradation.steps, curve.measures, curve.falls, strict=True
    ):
        ends = f"{scale.difference(fall.low)} to {scale.difference(fall.high)}"
        worse = scale.difference_text(fall.difference)
        yield (f"{step:g}", *_figures(measure, scale), worse, ends)


def _figures(measure: Measure, scale: Scale) -> tuple[str, str]:
    return scale.text(measure.value), f"{scale.number(measure.low)} to {scale.number(measure.high)}"
