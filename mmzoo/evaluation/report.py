"""The HTML report of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mmzoo.evaluation.comparison import Comparison
from mmzoo.evaluation.head_report import (
    Headline,
    HeadReport,
    confused_pairs,
    error_rows,
    headline,
    other_metrics,
    probe_figures,
)
from mmzoo.evaluation.html_page import (
    Plot,
    definitions,
    image_html,
    name_html,
    notes_html,
    page,
    paragraphs_html,
    plots_html,
    prose_html,
    table_html,
    text_html,
)
from mmzoo.files import write_text
from mmzoo.metrics import number_text

_MOST_CLASSES_OPEN = 30
"""A table of more classes is collapsed."""
_FEW = 10
"""Bars of classes with fewer examples are fainter: their length is mostly chance."""
_LONG_TEXT = 280
"""Characters; the rest of a longer text is collapsed."""


@dataclass(frozen=True)
class Report:
    """Everything that a report shows.

    Attributes:
        title: the config's name.
        run: the run directory.
        checkpoint: "best", "last" or a weights file.
        split: the split's name.
        examples: how many it has.
        data: the name of the data that was used.
        requested_data: the name of the data in the config; differs from `data` after a fallback.
        fingerprint: of the data.
        date: of the evaluation.
        version: of mmzoo.
        loss: None where it is not finite, as in metrics.json.
        heads: a report on each head, and on the fusion if that has metrics.
        config: as YAML text.
        history: the PNG of the learning curves.
        pages: title -> file of the other pages on this evaluation.
        warnings: in addition to those of the heads.
        baselines: the comparison with each input alone, where that was trained.
        generated: the PNG of generated images, if the model generates any.
        generated_metrics: their metrics, if they were judged.
    """

    title: str
    run: str
    checkpoint: str
    split: str
    examples: int
    data: str
    requested_data: str
    fingerprint: str
    date: datetime
    version: str
    loss: float | None
    heads: tuple[HeadReport, ...]
    config: str
    history: Path | None = None
    pages: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    baselines: Comparison | None = None
    generated: Path | None = None
    generated_metrics: Mapping[str, Any] = field(default_factory=dict)


def write_report(path: Path, report: Report) -> None:
    """Writes the page atomically, with its plots embedded."""
    write_text(path, report_page(report))


def report_page(report: Report) -> str:
    """The page as HTML text."""
    return page(
        f"{report.title}: {report.split}",
        f"""{_header(report)}
{_warnings(report)}
{_facts(report)}
{_generated(report)}
{"".join(map(_head, report.heads))}
{_baselines(report)}
{_training(report)}""",
    )


def linked_header(title: str, report: Report) -> str:
    """The header of another page on the same evaluation, with a link to the report."""
    return f"""<header>
<h1>{text_html(title)}</h1>
<p>Evaluated on the {_evaluated(report)}.
Run {name_html(report.run)}, checkpoint {name_html(report.checkpoint)}:
<a href="report.html">the report</a>.</p>
</header>"""


def comparison_html(comparison: Comparison) -> str:
    """The warnings, a table with findings for each head, and the notes."""
    heads = "".join(_comparison_head(comparison, head) for head in comparison.heads)
    return f"{notes_html(comparison.warnings)}{heads}{paragraphs_html(comparison.notes)}"


def _comparison_head(comparison: Comparison, head: str) -> str:
    titles, rows = comparison.table(head)
    findings = "".join(
        f"<li>{prose_html(finding)}</li>" for finding in comparison.findings.get(head, ())
    )
    label = text_html(comparison.info(head).label)
    return f"""<h3>{name_html(head)}<span class="kind">{label}</span></h3>
{table_html(titles, rows, comparison.text_columns)}<ul>{findings}</ul>
"""


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
    if report.data != report.requested_data:
        notes.append(
            f'<p class="note alarm" role="alert"><b>{name_html(report.requested_data)} was not '
            f"available, used {name_html(report.data)} instead.</b> The metrics below are not of "
            f"{name_html(report.requested_data)}.</p>"
        )
    of_heads = [
        f"{head.name}: {warning}" if len(report.heads) > 1 else warning
        for head in report.heads
        for warning in head.warnings
    ]
    return "\n".join([*notes, notes_html([*report.warnings, *of_heads])])


def _baselines(report: Report) -> str:
    if report.baselines is None:
        return ""
    return f"""<section>
<h2>{text_html(report.baselines.heading)}</h2>
{comparison_html(report.baselines)}
</section>"""


def _facts(report: Report) -> str:
    facts = {
        "run": report.run,
        "checkpoint": report.checkpoint,
        "data": report.data,
        "fingerprint": report.fingerprint,
        "loss": "not finite" if report.loss is None else number_text(report.loss),
        "date": report.date.strftime("%Y-%m-%d %H:%M"),
        "written by": f"mmzoo {report.version}",
    }
    return f'<div class="facts"><dl>{definitions(facts)}</dl></div>'


def _generated(report: Report) -> str:
    if report.generated is None:
        return ""
    metrics = report.generated_metrics
    return f"""<section>
<h2>Generated images</h2>
{_main_figure(headline(metrics))}
<dl class="metrics">{definitions(other_metrics(metrics))}</dl>
{plots_html((Plot("Generated images by condition", report.generated),))}
</section>
"""


def _head(head: HeadReport) -> str:
    return f"""<section>
<h2>{name_html(head.name)}<span class="kind">{text_html(head.kind)}</span></h2>
{_headline(head)}
<dl class="metrics">{definitions(_figures(head))}</dl>
{_probes(head)}
{plots_html(head.plots)}
{_rebuilt(head)}
{_errors(head)}
{_confusions(head)}
{_mistakes(head)}
{_classes(head)}
</section>
"""


def _figures(head: HeadReport) -> dict[str, str]:
    """The metrics below the headline."""
    figures = other_metrics(head.metrics, head.positive)
    if head.loss_weight is not None:
        figures["learned loss weight"] = number_text(head.loss_weight)
    return figures


def _headline(head: HeadReport) -> str:
    return _main_figure(headline(head.metrics, head.confusion, head.class_names))


def _main_figure(found: Headline | None) -> str:
    if found is None:
        return ""
    interval = f" ({found.interval})" if found.interval else ""
    baseline = f";<br>{text_html(found.baseline)}" if found.baseline else ""
    return (
        f'<p class="headline"><strong>{text_html(found.value)}</strong>'
        f"<span>{text_html(found.label)}{text_html(interval)}{baseline}</span></p>"
    )


def _probes(head: HeadReport) -> str:
    """The probes on the features of the head, beside the head itself."""
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
    items = "".join(f"<li>{text_html(pair)}</li>" for pair in pairs)
    return f'<h3>Most confused</h3><ol class="columns">{items}</ol>'


def _rebuilt(head: HeadReport) -> str:
    if not head.rebuilt.rows:
        return ""
    table = table_html(["example", "original", "rebuilt", "error"], head.rebuilt.texts())
    return f"<h3>Originals and reconstructions</h3>{table}"


def _errors(head: HeadReport) -> str:
    if not head.errors:
        return ""
    return f"<h3>Errors by size</h3>{table_html(*error_rows(head.errors))}"


def _mistakes(head: HeadReport) -> str:
    """The worst mistakes, each with the example's name, its image and its texts."""
    found = head.mistakes
    if not found.captions:
        return ""
    images = [*map(image_html, found.images)] or [""] * len(found.captions)
    items = "\n".join(
        f"<li>{image}<b>{text_html(caption)}</b> <small>{name_html(row)}</small>"
        f"{''.join(_text(name, of[at], len(found.texts) > 1) for name, of in found.texts.items())}"
        "</li>"
        for at, (image, caption, row) in enumerate(
            zip(images, found.captions, found.rows, strict=True)
        )
    )
    kind = "cards" if found.images else "columns" if not found.texts else ""
    what = "Largest errors" if head.predicts_numbers else "Worst mistakes"
    read = ", as the model reads them" if found.images or found.texts else ""
    return f'<h3>{what}{read}</h3><ol class="mistakes {kind}">\n{items}\n</ol>'


def _text(name: str, text: str, named: bool) -> str:
    """A text, collapsed below its beginning if it is long."""
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
    one, plural = ("label", "Labels") if head.confusion is None else ("class", "Classes")
    rows = "\n".join(
        f"<tr{_faint(support)}><td>{name_html(name)}</td>{_bar(precision)}{_bar(recall)}{_bar(f1)}"
        f"<td>{support:,}</td></tr>"
        for name, precision, recall, f1, support in zip(head.class_names, *scores, strict=True)
    )
    table = f"""<div class="scroll"><table>
<thead><tr><th>{one}</th><th>precision</th><th>recall</th><th>F1</th><th>examples</th></tr></thead>
<tbody>
{rows}
</tbody></table></div>"""
    if len(head.class_names) <= _MOST_CLASSES_OPEN:
        return f"<h3>{plural}</h3>{table}"
    return f"<details><summary>{plural} ({len(head.class_names)})</summary>{table}</details>"


def _faint(examples: int) -> str:
    return ' class="few"' if examples < _FEW else ""


def _bar(share: float) -> str:
    return f'<td class="bar" style="--share: {100 * share:.1f}%">{share:.3f}</td>'


def _training(report: Report) -> str:
    history = (Plot("Learning curves", report.history),) if report.history else ()
    return f"""<section>
{plots_html(history)}
<details><summary>Config</summary><pre>{text_html(report.config)}</pre></details>
</section>"""
