"""The page that says whether each input was worth it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mmzoo.evaluation.modalities.modalities import HeadModalities, Modalities
from mmzoo.evaluation.modalities.subsets import subset_words
from mmzoo.evaluation.modalities.words import explanations, notes, sentences
from mmzoo.evaluation.reports.page import (
    Picture,
    name_html,
    notes_html,
    page,
    paragraphs_html,
    pictures_html,
    table_html,
    text_html,
)
from mmzoo.evaluation.reports.report import Report, beside_report_html


def modality_page(report: Report, found: Modalities, plot: Path) -> str:
    """The page as HTML text.

    Args:
        report: of the same evaluation.
        found: what was measured.
        plot: the PNG of it, which becomes part of the page.
    """
    title = f"{report.title}: what its inputs are worth"
    body = f"""{beside_report_html(title, ", ".join(found.inputs), report)}
{notes_html(notes(found))}
<section>
{pictures_html([Picture("The metric with some of the inputs, and its 95 % interval", plot)])}
{paragraphs_html(explanations(found))}
</section>
{"".join(_head(head, found) for head in found.heads)}"""
    return page(title, body)


def _head(head: HeadModalities, found: Modalities) -> str:
    said = "".join(f"<li>{text_html(sentence)}</li>" for sentence in sentences(head))
    titles = [title for way in head.measures for title in (way, "95 % CI")]
    rows = (_row(head, found, kept) for kept in reversed([*head.measures["shuffled"]]))
    return f"""<section>
<h2>{name_html(head.name)}<span class="kind">{text_html(head.scale.label)}</span></h2>
<ul>{said}</ul>
{table_html(["inputs", *titles], map(list, rows))}</section>
"""


def _row(head: HeadModalities, found: Modalities, kept: tuple[str, ...]) -> Iterator[str]:
    yield subset_words(kept, found.inputs)
    for measures in head.measures.values():
        one = measures.get(kept)
        yield head.scale.text(one.value) if one else ""
        yield f"{head.scale.number(one.low)} to {head.scale.number(one.high)}" if one else ""
