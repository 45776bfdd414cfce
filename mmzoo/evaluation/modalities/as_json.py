"""What inputs are worth, as modalities.json has it."""

from __future__ import annotations

from typing import Any

from mmzoo.evaluation.measure import DRAWS, difference_json
from mmzoo.evaluation.modalities.modalities import HeadModalities, Modalities, Single
from mmzoo.evaluation.modalities.subset_scores import SHUFFLES, WAYS
from mmzoo.evaluation.modalities.words import sentences, warnings


def modalities_json(found: Modalities) -> dict[str, Any]:
    """What modalities.json holds."""
    return {
        "split": found.split,
        "examples": found.examples,
        "inputs": list(found.inputs),
        "subsets": "singles, all but one, all" if found.subsets_left_out else "every",
        "shuffles": SHUFFLES,
        "bootstrap_draws": DRAWS,
        "learned_weights": {head: dict(one) for head, one in found.learned_weights.items()},
        "mean_weights": {head: dict(one) for head, one in found.mean_weights.items()},
        "heads": {
            head.name: {
                "metric": head.scale.metric,
                "baseline": head.scale.baseline,
                "examples": head.examples,
                "subsets": _subsets_json(head),
                "adds": {
                    way: {name: difference_json(one) for name, one in added.items()}
                    for way, added in head.added.items()
                },
                "over_best_single": {
                    way: _single_json(single) for way, single in head.best.items()
                },
                "over_trained_alone": _single_json(head.trained_alone),
                "sentences": sentences(head),
                "warnings": warnings(head),
            }
            for head in found.heads
        },
    }


def _single_json(single: Single | None) -> dict[str, Any] | None:
    return {"input": single.name, **difference_json(single.gain)} if single else None


def _subsets_json(head: HeadModalities) -> list[dict[str, Any]]:
    """Every subset, with the metric by each way."""
    subsets = dict.fromkeys(kept for measured in head.measures.values() for kept in measured)
    return [
        {
            "inputs": list(kept),
            **{
                way: one.as_json() if one else None
                for way in WAYS
                for one in [head.measures.get(way, {}).get(kept)]
            },
        }
        for kept in sorted(subsets, key=len)
    ]
