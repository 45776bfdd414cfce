"""A fusion beside its inputs alone, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmzoo.cli.text import columns, harmless, wrapped

if TYPE_CHECKING:
    from mmzoo.runs import Run
    from mmzoo.training.baselines import Baselines, HeadGains


def baselines_text(baselines: Baselines) -> str:
    """A table for each head, and whether the fusion was worth it to that."""
    lines = ["Beside each input alone, trained in the same way:"]
    for head in baselines.heads:
        lines += ["", *_table(baselines, head), "", wrapped(harmless(f"  {head.sentence}"))]
    return "\n".join(lines)


def _table(baselines: Baselines, head: HeadGains) -> list[str]:
    titles = ("  input", f"{head.name}: {head.scale.label}", "95 % CI", "parameters", "the fusion")
    rows = [("  " + " + ".join(baselines.alone), *_figures(baselines.fusion, head), "")]
    rows += [
        (f"  {name}", *_figures(run, head), _gain(head, name))
        for name, run in baselines.alone.items()
    ]
    return columns([titles, *rows], right=(1, 2, 3))


def _figures(run: Run, head: HeadGains) -> tuple[str, str, str]:
    from mmzoo.training.baselines import trained

    metrics, scale = run.metrics()["test"][head.name], head.scale
    bounds = metrics.get(f"{scale.metric}_ci95") or ()
    interval = " to ".join(scale.number(bound) for bound in bounds)
    return scale.text(metrics[scale.metric]), interval, f"{trained(run)['parameters']:,}"


def _gain(head: HeadGains, name: str) -> str:
    """By how much the fusion is better, of the examples that both were tested on."""
    gain = head.gains.get(name)
    if gain is None:
        return "was tested on other examples"
    found, scale = gain.difference, head.scale
    word = "better" if found.difference >= 0 else "worse"
    by = scale.difference_text(abs(found.difference))
    return f"{word} by {by}"
