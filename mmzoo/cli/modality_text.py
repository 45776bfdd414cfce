"""What the inputs are worth, and how a model bears worse ones, as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mmzoo.cli.text import columns, wrapped

if TYPE_CHECKING:
    from mmzoo.evaluation.modalities.modalities import HeadModalities, Modalities
    from mmzoo.evaluation.robustness.robustness import Curve, Robustness


def modalities_text(found: Modalities) -> str:
    """A table of the subsets and sentences for each head, notes, and how to read them."""
    from mmzoo.evaluation.modalities.words import explanations, notes

    lines = [f"What the inputs are worth, on {found.split}:"]
    for head in found.heads:
        lines += ["", *_head(head, found)]
    lines += [wrapped(f"    Note: {note}") for note in notes(found)]
    lines += ["", *(wrapped(f"  {text}") for text in explanations(found))]
    return "\n".join(lines)


def _head(head: HeadModalities, found: Modalities) -> Iterator[str]:
    from mmzoo.evaluation.modalities.subsets import subset_words
    from mmzoo.evaluation.modalities.words import sentences

    titles = [f"{head.name}: {head.scale.label}"]
    for way in head.measures:
        titles += [way, "95 % CI"]
    rows = [titles]
    for kept in reversed([*head.measures["shuffled"]]):
        row = [f"  {subset_words(kept, found.inputs)}"]
        for measures in head.measures.values():
            one = measures.get(kept)
            ends = f"{head.scale.number(one.low)} to {head.scale.number(one.high)}" if one else ""
            row += [head.scale.text(one.value) if one else "", ends]
        rows.append(row)
    yield from (f"  {line}" for line in columns(rows, right=range(1, len(titles))))
    yield ""
    yield from (wrapped(f"    {sentence}") for sentence in sentences(head))


def robustness_text(found: Robustness) -> str:
    """Two lines for each way in which an input gets worse: how far, and the metric there."""
    lines = [f"As an input gets worse, on {found.split}:"]
    for curve in found.curves:
        lines += ["", *_curve(curve)]
    return "\n".join(lines)


def _curve(curve: Curve) -> Iterator[str]:
    from mmzoo.evaluation.robustness.robustness import UNTOUCHED

    way = curve.degradation
    steps = [f"    {way.unit}", UNTOUCHED, *(f"{step:g}" for step in way.steps)]
    values = [curve.scale.text(one.value) for one in (curve.whole, *curve.measures)]
    yield f"  {curve.head}, {curve.input}: {way.name}"
    yield from columns([steps, [f"    {curve.scale.label}", *values]], right=range(1, len(steps)))
    yield wrapped(f"    {curve.sentence()}")
