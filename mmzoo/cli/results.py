"""Metrics as a short table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def metrics_text(metrics: Mapping[str, Any]) -> str:
    """The contents of a metrics.json for people."""
    from mmzoo.evaluation.findings import headline, other_metrics

    lines = []
    for split, entry in metrics.items():
        lines.append(
            f"{split}: {entry['examples']:,} examples of {entry['data']}, loss {_loss(entry)}"
        )
        for head, values in entry.items():
            if isinstance(values, Mapping):
                lines.append(f"  {head}: {headline(values)}")
                others = other_metrics(values)
                width = max(map(len, others), default=0)
                lines += [f"    {name:<{width}}  {value}" for name, value in others.items()]
    return "\n".join(lines)


def _loss(entry: Mapping[str, Any]) -> str:
    return "not a number" if entry["loss"] is None else f"{entry['loss']:.4g}"
