"""The page that says whether each input was worth it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmzoo.evaluation.modalities.modalities import HeadModalities, Modalities
from mmzoo.evaluation.modalities.subsets import subset_words
from mmzoo.evaluation.modalities.words import (
    NOT_TRAINED_ALONE,
    WAYS_EXPLAINED,
    sentences,
    warnings,
    weights_sentences,
)
from mmzoo.evaluation.reports.page import Picture, name_html, page, pictures_html, text_html


def modality_page(title: str, data: str, found: Modalities, plot: Path) -> str:
    """The page as HTML text.

    Args:
        title: the config's name.
        data: the name of the data that was used.
        found: what was measured.
        plot: the PNG of it, which becomes part of the page.
    """
    notes = [
        f"{head.name}: {warning}" if len(found.heads) > 1 else warning
        for head in found.heads
        for warning in warnings(head)
    ]
    body = f"""<header>
<h1>{text_html(title)}: what its inputs are worth</h1>
<p>{text_html(", ".join(found.inputs))} on the {text_html(found.split)} split of {name_html(data)}:
{found.examples:,} examples.</p>
</header>
{"".join(f'<p class="note">{text_html(note)}</p>' for note in notes)}
<section>
{pictures_html([Picture("The metric with some of the inputs, and its 95 % interval", plot)])}
{_paragraphs(explanations(found))}
</section>
{"".join(_head(head, found) for head in found.heads)}"""
    return page(f"{title}: what its inputs are worth", body)


def explanations(found: Modalities) -> list[str]:
    """How to read the figures, in sentences."""
    ways = [WAYS_EXPLAINED[way] for way in found.heads[0].measures]
    few = (
        f"Of the subsets of {len(found.inputs)} inputs only some are here: each input alone, each "
        "left out, and all."
    )
    return [
        *(f"{way[0].upper()}{way[1:]}." for way in ways),
        NOT_TRAINED_ALONE,
        *([few] if found.subsets_left_out else []),
        *weights_sentences(found),
    ]


def _head(head: HeadModalities, found: Modalities) -> str:
    said = "".join(
        f"<li>{text_html(sentence[0].upper() + sentence[1:])}.</li>" for sentence in sentences(head)
    )
    titles = "".join(f"<th>{way}</th><th>95 % CI</th>" for way in head.measures)
    rows = "\n".join(_row(head, found, kept) for kept in reversed([*head.measures["shuffled"]]))
    return f"""<section>
<h2>{name_html(head.name)}<span class="kind">{text_html(head.scale.label)}</span></h2>
<ul>{said}</ul>
<div class="scroll"><table>
<thead><tr><th>inputs</th>{titles}</tr></thead>
<tbody>
{rows}
</tbody></table></div>
</section>
"""


def _row(head: HeadModalities, found: Modalities, kept: tuple[str, ...]) -> str:
    cells = [f"<td>{text_html(subset_words(kept, found.inputs))}</td>"]
    for measures in head.measures.values():
        one = measures.get(kept)
        if one is None:
            cells.append("<td></td><td></td>")
        else:
            ends = f"{head.scale.number(one.low)} to {head.scale.number(one.high)}"
            cells.append(f"<td>{head.scale.text(one.value)}</td><td>{ends}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _paragraphs(texts: Sequence[str]) -> str:
    return "".join(f"<p>{text_html(text)}</p>" for text in texts)
