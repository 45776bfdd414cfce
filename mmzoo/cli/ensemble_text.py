"""An ensemble as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mmzoo.cli.text import columns, harmless, wrapped

if TYPE_CHECKING:
    from mmzoo.evaluation.ensembles.ensemble import Ensemble
    from mmzoo.evaluation.ensembles.heads import HeadEnsemble


def ensemble_text(done: Ensemble) -> str:
    """What it comes to: each head's main metric beside those of the members, and a sentence."""
    from mmzoo.evaluation.ensembles.words import CALLED

    evaluation = done.rows.evaluations[0]
    counted = "1 example" if evaluation.examples == 1 else f"{evaluation.examples:,} examples"
    lines = [
        f"{done.rows.split}: {counted} of {done.rows.data.name}, "
        f"{CALLED[done.method]} of {len(done.members)} runs"
    ]
    for name, head in done.heads.items():
        lines += _head(name, head, CALLED[head.combination.method])
    for name in done.unlabelled:
        lines += ["", wrapped(f"  {name}: no row has a label of it, so it has no metrics")]
    return "\n".join(lines)


def _head(name: str, head: HeadEnsemble, called: str) -> Iterator[str]:
    yield from ("", f"  {name}: {head.scale.label}")
    rows = [(f"    {one}", _figure(metrics)) for one, metrics in head.members.items()]
    yield from columns([*rows, (f"    {called}", _figure(head.metrics))])
    if head.combination.weights:
        weights = zip(head.members, head.combination.weights, strict=True)
        told = ", ".join(f"{one} {weight:.3f}" for one, weight in weights)
        yield wrapped(f"    weights, of the validation split: {harmless(told)}")
    yield wrapped(f"    {harmless(head.sentence)}")


def _figure(metrics: Mapping[str, Any]) -> str:
    from mmzoo.evaluation.reports.findings import headline

    found = headline(metrics)
    assert found is not None
    return f"{found.value} ({found.interval})" if found.interval else found.value
