"""Comparison of an ensemble with its members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmzoo.evaluation.comparison import (
    Comparison,
    ComparisonRow,
    constant_row,
    difference_words,
    metrics_row,
    with_lead,
)
from mmzoo.evaluation.ensemble_members import Member, MemberPredictions
from mmzoo.evaluation.ensemble_methods import METHOD_NAMES, Combination, Method
from mmzoo.metrics import MetricInfo, PairedDifference, main_metric, negate, paired_bootstrap


def compare_members(
    members: Sequence[Member],
    evaluated: MemberPredictions,
    method: Method,
    combinations: Mapping[str, Combination],
    predictions: Mapping[str, np.ndarray],
    metrics: Mapping[str, Mapping[str, Any]],
) -> Comparison:
    """Compares the ensemble with its best member, for each head that has labels."""
    names = [member.name for member in members]
    rows: list[ComparisonRow] = []
    best: dict[str, str] = {}
    findings: dict[str, list[str]] = {}
    warnings = []
    for name, combination in combinations.items():
        info = main_metric(metrics[name])
        if info is None:
            if metrics[name].get("labelled") == 0:
                warnings.append(f"{name}: none of the rows has a label, so it has no metrics.")
            continue
        index, gain = _gain_over_best(name, members, evaluated, combination, predictions[name])
        best[name] = names[index]
        title = METHOD_NAMES[combination.method]
        rows += [
            metrics_row(name, member, info, one.metrics[name])
            for member, one in zip(names, evaluated.evaluations, strict=True)
        ]
        rows.append(with_lead(metrics_row(name, title, info, metrics[name]), negate(gain)))
        rows.append(constant_row(name, info, metrics[name]))
        findings[name] = [
            *_weights_words(names, combination),
            ensemble_verdict(title, names[index], gain, info),
        ]
    return Comparison(
        kind="ensemble",
        title=f"{METHOD_NAMES[method].capitalize()} of {len(members)} runs",
        split=evaluated.split,
        examples=evaluated.evaluations[0].examples,
        rows=tuple(rows),
        reference=best,
        best=best,
        findings=findings,
        warnings=warnings,
        details=_details(names, evaluated, method, combinations),
    )


def _gain_over_best(
    name: str,
    members: Sequence[Member],
    evaluated: MemberPredictions,
    combination: Combination,
    predicted: np.ndarray,
) -> tuple[int, PairedDifference]:
    """The index of the member with the best mean score, and the ensemble's gain over it."""
    labels = evaluated.evaluations[0].labels[name]
    labelled = combination.head.labelled(labels)
    scores = [
        member.config.labelled_heads[name].example_scores(
            labels[labelled], one.predictions[name][labelled]
        )
        for member, one in zip(members, evaluated.evaluations, strict=True)
    ]
    index = int(np.argmax([score.mean() for score in scores]))
    own = combination.decision_head.example_scores(labels[labelled], predicted[labelled])
    return index, paired_bootstrap(own, scores[index])


def _details(
    names: Sequence[str],
    evaluated: MemberPredictions,
    method: Method,
    combinations: Mapping[str, Combination],
) -> dict[str, Any]:
    """What ensemble.json has besides the comparison itself."""
    return {
        "data": evaluated.data.name,
        "method": method,
        "methods": {name: one.method for name, one in combinations.items()},
        "members": {
            name: one.metrics for name, one in zip(names, evaluated.evaluations, strict=True)
        },
        "weights": {
            name: dict(zip(names, one.weights, strict=True))
            for name, one in combinations.items()
            if one.weights
        },
    }


def ensemble_verdict(title: str, best: str, gain: PairedDifference, info: MetricInfo) -> str:
    """A sentence on whether an ensemble with this gain in mean score beats its best member."""
    if gain.low > 0:
        return f"the {title} beats its best member, {best}, by {difference_words(gain, info)}"
    if gain.high < 0:
        by = difference_words(negate(gain), info)
        return f"the {title} is worse than its best member, {best}, by {by}"
    if gain.low == gain.high == 0:
        return f"the {title} is as good as its best member, {best}, on every example"
    by = difference_words(gain, info)
    return f"no clear difference between the {title} and its best member, {best} ({by})"


def _weights_words(members: Sequence[str], combination: Combination) -> list[str]:
    if not combination.weights:
        return []
    weights = zip(members, combination.weights, strict=True)
    words = ", ".join(f"{name} {weight:.3f}" for name, weight in weights)
    return [f"weights, fitted to the validation split: {words}"]
