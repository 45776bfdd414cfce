"""The contribution of each input to a multimodal model, with confidence intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mmzoo.errors import RunError
from mmzoo.evaluation.comparison import (
    Comparison,
    ComparisonRow,
    comparable_heads,
    comparison_row,
    constant_row,
    difference_words,
    fusion_verdict,
    interval_words,
)
from mmzoo.evaluation.input_weights import learned_input_weights, mean_input_weights
from mmzoo.evaluation.modality_ablation import (
    CONDITIONS,
    MOST_FOR_ALL,
    SHUFFLES,
    Condition,
    Scores,
    Subset,
    subset_scores,
    without,
)
from mmzoo.metrics import BootstrapMetrics, MetricInfo, PairedDifference, negate
from mmzoo.metrics.intervals import DRAWS

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.evaluation.evaluate import Evaluation
    from mmzoo.model import Network
    from mmzoo.preprocessing import Arrays

Leads = Mapping[tuple[Condition, Subset], PairedDifference]
"""Condition and subset -> mean score with all inputs minus that with the subset."""

_ALL = "all"
TRAINED_ALONE = "trained alone"
"""The condition of a separate model, trained on one input."""
_NOTES: dict[Condition, str] = {
    "absent": "Absent: the other inputs are missing, as in training with missing inputs.",
    "shuffled": (
        f"Shuffled: the other inputs are those of other examples (mean of {SHUFFLES} shuffles)."
    ),
}
_COMMAND = "`mmzoo train CONFIG --baselines`"


def require_several_inputs(config: Config, where: str) -> None:
    """Raises a RunError for a unimodal model, whose only input cannot be ablated."""
    if len(config.inputs) == 1:
        [name] = config.inputs
        raise RunError(
            f"{where}: has only one input, {name}: --modalities measures what each of several "
            "inputs contributes. --robustness measures how robust the model is to a corrupted one."
        )


def compare_modalities(
    network: Network,
    config: Config,
    data: Arrays,
    evaluation: Evaluation,
    baselines: Comparison | None = None,
) -> Comparison:
    """Compares every subset of the inputs with all of them.

    Args:
        network: the network, with trained weights.
        config: the network's config, with two inputs or more.
        data: transformed data.
        evaluation: the evaluation of the whole model on the same split.
        baselines: the comparison with unimodal models on the same examples, if they were trained.

    Raises:
        DataError: the split has only one example.
    """
    scores = subset_scores(network, config, data, evaluation.split)
    inputs = tuple(config.inputs)
    rows: list[ComparisonRow] = []
    best: dict[str, str] = {}
    findings: dict[str, list[str]] = {}
    warnings: dict[str, list[str]] = {}
    for head, info in comparable_heads(evaluation).items():
        head_rows, leads = _rows(head, info, scores[head], inputs)
        if single := best_single(inputs, leads):
            best[head] = single
        # An input is rebuilt best from itself, so other inputs need not help there.
        has_labels = head in evaluation.labels
        verdict, warning = (
            _verdict(head, info, inputs, leads, baselines) if has_labels else ([], None)
        )
        findings[head] = [*input_findings(inputs, leads, info), *verdict]
        rows += [*head_rows, *_trained_alone(baselines, head, inputs)]
        if info.baseline:
            rows.append(constant_row(head, info, evaluation.metrics[head]))
        if warning:
            warnings.setdefault(warning, []).append(head)
    learned = learned_input_weights(network.model, config)
    mean = mean_input_weights(network.model, config, data, evaluation.split)
    explained = bool(warnings or baselines)
    return Comparison(
        kind="modalities",
        title="Contribution of each input",
        split=evaluation.split,
        examples=evaluation.examples,
        rows=tuple(rows),
        reference=dict.fromkeys(findings, _ALL),
        best=best,
        findings=findings,
        warnings=[
            text if len(heads) == len(findings) else f"{', '.join(heads)}: {text}"
            for text, heads in warnings.items()
        ],
        notes=[*_notes(rows, inputs, explained), *weights_notes(learned, mean)],
        details={
            "inputs": list(inputs),
            "subsets": "singles, all but one, all" if len(inputs) > MOST_FOR_ALL else "every",
            "shuffles": SHUFFLES,
            "bootstrap_draws": DRAWS,
            "learned_weights": learned,
            "mean_weights": mean,
        },
    )


def _notes(rows: Sequence[ComparisonRow], inputs: Subset, explained: bool) -> list[str]:
    """How the inputs were left out.

    Args:
        rows: of all heads.
        inputs: of the model.
        explained: whether another sentence names the command that trains unimodal models.
    """
    notes = [note for one, note in _NOTES.items() if any(row.condition == one for row in rows)]
    end = "." if explained else f": {_COMMAND} trains those."
    notes.append(
        f"An input alone is this model without the others, not a model trained on it alone{end}"
    )
    if len(inputs) > MOST_FOR_ALL:
        notes.append(f"With {len(inputs)} inputs: each alone, each left out, and all.")
    return notes


def _rows(
    head: str, info: MetricInfo, scores: Scores, inputs: Subset
) -> tuple[list[ComparisonRow], Leads]:
    """The rows of a head, the largest subset first, and their leads."""
    columns = [(condition, subset) for condition in CONDITIONS for subset in scores[condition]]
    metrics = BootstrapMetrics(np.stack([scores[one][subset] for one, subset in columns], axis=1))
    leads = {
        (condition, subset): metrics.difference(columns.index((condition, inputs)), column)
        for column, (condition, subset) in enumerate(columns)
        if subset != inputs
    }
    full = metrics.estimates[columns.index(("shuffled", inputs))]
    rows = [comparison_row(head, _ALL, info, full)]
    for subset in reversed([*scores["shuffled"]]):
        for condition in CONDITIONS:
            if (condition, subset) in leads:
                estimate = metrics.estimates[columns.index((condition, subset))]
                name, lead = subset_name(subset, inputs), leads[condition, subset]
                rows.append(comparison_row(head, name, info, estimate, lead, condition=condition))
    return rows, leads


def _verdict(
    head: str, info: MetricInfo, inputs: Subset, leads: Leads, baselines: Comparison | None
) -> tuple[list[str], str | None]:
    """Whether the fusion beats its best single input, and a warning if that is not shown.

    By the models trained on one input each if there are any, else by leaving out the other inputs.
    """
    trained = baselines.best.get(head) if baselines else None
    if baselines and trained:
        verdict = baselines.findings[head][-1]
        warning = unimodal_warning(trained, baselines.row(head, trained).lead)
        return [f"compared with models trained on one input each, {verdict}"], warning
    single = best_single(inputs, leads)
    verdicts = [fusion_verdict(single, leads["absent", (single,)], info)] if single else []
    return verdicts, ablation_warning(inputs, leads)


def _trained_alone(
    baselines: Comparison | None, head: str, inputs: Sequence[str]
) -> list[ComparisonRow]:
    """The rows of the unimodal models, from the comparison with baselines."""
    if baselines is None or head not in baselines.best:
        return []
    return [
        replace(row, variant=f"{row.variant} alone", condition=TRAINED_ALONE, parameters=None)
        for row in baselines.of_head(head)
        if row.variant in inputs
    ]


def subset_name(subset: Subset, inputs: Sequence[str]) -> str:
    """The name of a subset: `image alone`, `all but text`, `image + text` or `all`."""
    left_out = [name for name in inputs if name not in subset]
    if not left_out:
        return _ALL
    if len(subset) == 1:
        return f"{subset[0]} alone"
    return f"all but {left_out[0]}" if len(left_out) == 1 else " + ".join(subset)


def best_single(inputs: Sequence[str], leads: Leads) -> str | None:
    """The best single input, of those for which training had all other inputs missing."""
    singles = [name for name in inputs if ("absent", (name,)) in leads]
    return min(singles, key=lambda name: leads["absent", (name,)].difference) if singles else None


def input_findings(inputs: Sequence[str], leads: Leads, info: MetricInfo) -> list[str]:
    """A sentence on each input: what it adds to the others.

    This can be measured only for an input that was sometimes missing in training. Otherwise the
    input is shuffled, which shows how much the model relies on it, not what it is worth.
    """
    findings = []
    for name in inputs:
        rest = without(inputs, name)
        if ("absent", rest) in leads:
            findings.append(_contribution(name, leads["absent", rest], info))
        else:
            findings.append(_reliance(name, leads["shuffled", rest], info))
    return findings


def _contribution(name: str, lead: PairedDifference, info: MetricInfo) -> str:
    if lead.high < 0:
        by = difference_words(negate(lead), info)
        return f"{name} hurts: without it the model is better by {by}"
    if lead.low <= 0:
        return f"{name} makes no clear difference ({difference_words(lead, info)})"
    if info.higher_is_better:
        return f"{name} adds {difference_words(lead, info)}"
    by = info.difference_text(lead.difference)
    return f"{name} reduces the {info.label} by {by}, {interval_words(lead, info)}"


def _reliance(name: str, lead: PairedDifference, info: MetricInfo) -> str:
    if lead.low <= 0 <= lead.high:
        return f"shuffling {name} makes no clear difference ({difference_words(lead, info)})"
    worse = lead.low > 0
    verb = "lowers" if worse == info.higher_is_better else "raises"
    by = difference_words(lead if worse else negate(lead), info)
    return f"shuffling {name} {verb} the {info.label} by {by}"


def ablation_warning(inputs: Sequence[str], leads: Leads) -> str | None:
    """A warning if the ablation does not show that the fusion beats every single input."""
    single = best_single(inputs, leads)
    if single is None:
        return (
            "Shuffling shows how much this model relies on an input, not what the input is worth. "
            f"To compare the fusion with each input alone, run {_COMMAND}."
        )
    never = [name for name in inputs if ("absent", (name,)) not in leads]
    if leads["absent", (single,)].low <= 0:
        which = f"{single} alone" if never else f"its best single input, {single}"
        return (
            f"The fusion does not beat {which}. To compare it with a model trained on that input "
            f"alone, run {_COMMAND}."
        )
    if not never:
        return None
    return (
        f"This model was never trained to work with {' or '.join(never)} alone. To compare the "
        f"fusion with that, run {_COMMAND}."
    )


def unimodal_warning(name: str, lead: PairedDifference | None) -> str | None:
    """A warning if the fusion does not beat the best unimodal model."""
    if lead and lead.low > 0:
        return None
    return f"The fusion does not beat a model trained on {name} alone."


def weights_notes(
    learned: Mapping[str, Mapping[str, float]], mean: Mapping[str, Mapping[str, float]]
) -> list[str]:
    """Sentences on the weights of the inputs in the fusion, if it has weights.

    Args:
        learned: head ("" for all heads) -> input -> weight, the same for all examples.
        mean: head -> input -> mean over the examples, for a fusion with weights per example.
    """
    return [
        f"{title}{f' for {head}' if head else ''}: "
        + ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items())
        + "."
        for title, by_head in (
            ("Learned fusion weights", learned),
            ("Mean fusion weights over the examples", mean),
        )
        for head, weights in by_head.items()
    ]
