"""The report of an evaluation: one HTML page that needs no other file, no script and no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmzoo.evaluation.reports.baselines_section import baselines_html
from mmzoo.evaluation.reports.findings import (
    confused_pairs,
    head_warnings,
    headline,
    other_metrics,
    probe_figures,
)
from mmzoo.evaluation.reports.page import (
    Picture,
    definitions,
    name_html,
    notes_html,
    page,
    pictures_html,
    text_html,
)
from mmzoo.files import write_text
from mmzoo.metrics import PerClass, per_class

_MOST_CLASSES_OPEN = 30
"""A table of more classes than these is folded away."""
_LONG_TEXT = 280
"""Characters; of a text that has more, the rest is folded away."""


@dataclass(frozen=True)
class WrittenMistake:
    """A wrong prediction for an example that can be read."""

    caption: str
    """What is true, and what was said."""
    row: str
    """What the example is called."""
    texts: Mapping[str, str]
    """Of each input that can be read, by its name."""


@dataclass(frozen=True)
class HeadReport:
    """What a report says about one head."""

    name: str
    kind: str
    """The head's `type`, such as "classification"."""
    metrics: Mapping[str, Any]
    """Its entry in `metrics.json`."""
    class_names: tuple[str, ...] = ()
    """The names of its classes, or of its labels."""
    confusion: NDArray[np.int64] | None = None
    """[classes, classes], true classes in rows; None where an example may have several labels."""
    per_label: PerClass | None = None
    """Figures of each label, where there is no confusion matrix that they follow from."""
    pictures: tuple[Picture, ...] = ()
    mistakes: tuple[WrittenMistake, ...] = ()
    """The worst ones that can be read, the worst first."""
    probes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The metrics of each of its probes, by their type."""
    loss_weight: float | None = None
    """The weight of its loss, where that was learned."""

    @property
    def warnings(self) -> list[str]:
        """What a reader should know before trusting the figures."""
        return head_warnings(self.metrics, self.confusion, self.class_names)

    @property
    def per_class(self) -> PerClass | None:
        return self.per_label if self.confusion is None else per_class(self.confusion)


@dataclass(frozen=True)
class Report:
    """All that a report shows."""

    title: str
    """The config's name."""
    run: str
    """The run directory."""
    checkpoint: str
    """Which weights: "best", "last" or a file's name."""
    split: str
    examples: int
    data: str
    """The name of the data that was used."""
    data_asked: str
    """The name of the data that the config asks for; differs from `data` after a fallback."""
    fingerprint: str
    date: datetime
    version: str
    """Of mmzoo."""
    loss: float | None
    """None where it is not finite, as in metrics.json."""
    heads: tuple[HeadReport, ...]
    config: str
    """The config as YAML text."""
    history: Path | None = None
    """The PNG of the training's course."""
    pages: Mapping[str, str] = field(default_factory=dict)
    """Of the other pages on this evaluation, the files beside this one by what they say."""
    warnings: tuple[str, ...] = ()
    """Besides those that the heads have of their own."""
    baselines: Mapping[str, Any] = field(default_factory=dict)
    """What baselines.json says of these examples; nothing where it was not asked."""


def write_report(path: Path, report: Report) -> None:
    """Writes the page, whole or not at all; the pictures are read and become part of it."""
    write_text(path, report_page(report))


def report_page(report: Report) -> str:
    """The page as HTML text."""
    return page(
        f"{report.title}: {report.split}",
        f"""{_header(report)}
{_warnings(report)}
{_facts(report)}
{"".join(map(_head, report.heads))}
{baselines_html(report.baselines)}
{_training(report)}""",
    )


def beside_report_html(title: str, inputs: str, report: Report) -> str:
    """The header of another page on the same evaluation, which links back to the report.

    Args:
        title: of the page.
        inputs: which inputs it is about.
        report: of the evaluation.
    """
    return f"""<header>
<h1>{text_html(title)}</h1>
<p>{name_html(inputs)} on the {_evaluated(report)}.
Run {name_html(report.run)}, checkpoint {name_html(report.checkpoint)}:
<a href="report.html">the report</a>.</p>
</header>"""


def _header(report: Report) -> str:
    links = "".join(
        f'<p><a href="{text_html(file)}">{text_html(what)}</a></p>'
        for what, file in report.pages.items()
    )
    return f"""<header>
<h1>{text_html(report.title)}</h1>
<p>Evaluated on the {_evaluated(report)}.</p>
{links}
</header>"""


def _evaluated(report: Report) -> str:
    counted = "1 example" if report.examples == 1 else f"{report.examples:,} examples"
    return f"{text_html(report.split)} split of {name_html(report.data)}: {counted}"


def _warnings(report: Report) -> str:
    notes = []
    if report.data != report.data_asked:
        notes.append(
            f'<p class="note alarm" role="alert"><b>Asked for {name_html(report.data_asked)}, used '
            f"{name_html(report.data)}.</b> The figures below say nothing about "
            f"{name_html(report.data_asked)}.</p>"
        )
    of_heads = [
        f"{head.name}: {warning}" if len(report.heads) > 1 else warning
        for head in report.heads
        for warning in head.warnings
    ]
    return "\n".join([*notes, notes_html([*report.warnings, *of_heads])])


def _facts(report: Report) -> str:
    facts = {
        "run": report.run,
        "checkpoint": report.checkpoint,
        "data": report.data,
        "fingerprint": report.fingerprint,
        "loss": "not finite" if report.loss is None else f"{report.loss:.4g}",
        "date": report.date.strftime("%Y-%m-%d %H:%M"),
        "made by": f"mmzoo {report.version}",
    }
    return f'<div class="facts"><dl>{definitions(facts)}</dl></div>'


def _head(head: HeadReport) -> str:
    return f"""<section>
<h2>{name_html(head.name)}<span class="kind">{text_html(head.kind)}</span></h2>
{_headline(head)}
<dl class="metrics">{definitions(_figures(head))}</dl>
{_probes(head)}
{pictures_html(head.pictures)}
{_confusions(head)}
{_mistakes(head)}
{_classes(head)}
</section>
"""


def _figures(head: HeadReport) -> dict[str, str]:
    """What is beside the headline, by its label."""
    figures = other_metrics(head.metrics)
    if head.loss_weight is not None:
        figures["learned weight of its loss"] = f"{head.loss_weight:.4g}"
    return figures


def _headline(head: HeadReport) -> str:
    found = headline(head.metrics, head.confusion, head.class_names)
    if found is None:
        return ""
    interval = f" ({found.interval})" if found.interval else ""
    return (
        f'<p class="headline"><strong>{text_html(found.value)}</strong>'
        f"<span>{text_html(found.label)}{text_html(interval)};<br>{text_html(found.baseline)}</span></p>"
    )


def _probes(head: HeadReport) -> str:
    """What probes make of the features that the head reads, beside the head itself."""
    if not head.probes:
        return ""
    own = {f"{head.name}, the network's own head": head.metrics}
    return f"<h3>Probes</h3><dl>{definitions(probe_figures({**own, **head.probes}))}</dl>"


def _confusions(head: HeadReport) -> str:
    if head.confusion is None:
        return ""
    pairs = confused_pairs(head.confusion, head.class_names)
    if not pairs:
        return "<h3>Most confused</h3><p>No mistakes.</p>"
    items = "".join(f"<li>{text_html(str(pair))}</li>" for pair in pairs)
    return f'<h3>Most confused</h3><ol class="columns">{items}</ol>'


def _mistakes(head: HeadReport) -> str:
    if not head.mistakes:
        return ""
    items = "\n".join(
        f"<li><b>{text_html(one.caption)}</b> <small>{name_html(one.row)}</small>"
        f"{''.join(_read(name, text, len(one.texts) > 1) for name, text in one.texts.items())}</li>"
        for one in head.mistakes
    )
    return f'<h3>Worst mistakes, as the model reads them</h3><ol class="mistakes">\n{items}\n</ol>'


def _read(name: str, text: str, named: bool) -> str:
    """A text in whole, or folded away below its beginning if it is long."""
    label = f"<i>{name_html(name)}:</i> " if named else ""
    if len(text) <= _LONG_TEXT:
        return f'<p dir="auto">{label}{text_html(text)}</p>'
    beginning = text[:_LONG_TEXT].rpartition(" ")[0] or text[:_LONG_TEXT]
    return (
        f'<details><summary dir="auto">{label}{text_html(beginning)} ...</summary>'
        f'<p dir="auto">{text_html(text[len(beginning) :])}</p></details>'
    )


def _classes(head: HeadReport) -> str:
    scores = head.per_class
    if scores is None:
        return ""
    one, all_of_them = ("label", "Labels") if head.confusion is None else ("class", "Classes")
    rows = "\n".join(
        f"<tr><td>{name_html(name)}</td>{_bar(precision)}{_bar(recall)}{_bar(f1)}<td>{support:,}</td></tr>"
        for name, precision, recall, f1, support in zip(head.class_names, *scores, strict=True)
    )
    table = f"""<div class="scroll"><table>
<thead><tr><th>{one}</th><th>precision</th><th>recall</th><th>F1</th><th>examples</th></tr></thead>
<tbody>
{rows}
</tbody></table></div>"""
    if len(head.class_names) <= _MOST_CLASSES_OPEN:
        return f"<h3>{all_of_them}</h3>{table}"
    return f"<details><summary>{all_of_them} ({len(head.class_names)})</summary>{table}</details>"


def _bar(share: float) -> str:
    return f'<td class="bar" style="--share: {100 * share:.1f}%">{share:.3f}</td>'


def _training(report: Report) -> str:
    history = (Picture("Training", report.history),) if report.history else ()
    return f"""<section>
{pictures_html(history)}
<details><summary>Config</summary><pre>{text_html(report.config)}</pre></details>
</section>"""
