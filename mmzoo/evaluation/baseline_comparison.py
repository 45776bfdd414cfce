"""Baselines: a multimodal run compared with runs of its inputs alone, on the same test examples."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmzoo.errors import DataError
from mmzoo.evaluation.comparison import (
    Comparison,
    ComparisonRow,
    constant_row,
    fusion_verdict,
    metrics_row,
    with_lead,
)
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.evaluation.evaluation_data import load_split
from mmzoo.metrics import MetricInfo, PairedDifference, main_metric, paired_bootstrap
from mmzoo.preprocessing import transform
from mmzoo.runs import Run
from mmzoo.trained_model import load_trained

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunScores:
    """The score of a run for each example of a split.

    Attributes:
        run: the run.
        names: names of the rows, text or int64 `[rows]`; None where they have none.
        labels: each head's labels.
        scores: each head's scores, float64 `[rows]`, higher is better; NaN without a label.
    """

    run: Run
    names: np.ndarray | None
    labels: dict[str, np.ndarray]
    scores: dict[str, np.ndarray]


def run_scores(run: Run, split: str) -> RunScores:
    """Evaluates the best weights of a finished run on a split of its data.

    Raises:
        RunError: the run is damaged, or its data has changed.
    """
    config = run.config()
    frame = load_split(run, config, split)
    data = transform(config, frame, run.preprocessing())
    model, _ = load_trained(run, precision=run.environment()["device"]["precision"])
    evaluation = evaluate_model(model, config, data, split)
    scores = {}
    for name, head in config.labelled_heads.items():
        labels = evaluation.labels[name]
        there = head.labelled(labels)
        scores[name] = np.full(len(labels), np.nan)
        scores[name][there] = head.example_scores(
            labels[there], evaluation.predictions[name][there]
        )
    return RunScores(run, data.row_names.get(split), evaluation.labels, scores)


@dataclass(frozen=True)
class PairedScores:
    """The scores of two runs on the examples that both were tested on.

    Attributes:
        rows: indices of these examples among those of the first run, int64 `[examples]`.
        first: the scores of the first run, float64 `[examples]`, all finite.
        second: those of the second.
        of_examples: how many examples either of them was tested on.
    """

    rows: np.ndarray
    first: np.ndarray
    second: np.ndarray
    of_examples: int

    @property
    def examples(self) -> int:
        return len(self.rows)

    def lead(self) -> PairedDifference:
        """How much better the first run is."""
        return paired_bootstrap(self.first, self.second)


def paired_scores(first: RunScores, second: RunScores, head: str) -> PairedScores:
    """Matches the test examples of two runs.

    Args:
        first: of one run.
        second: of another, on the same split.
        head: the name of a head that both have.

    Raises:
        DataError: there are no common examples, or they cannot be determined.
    """
    rows, others = _common_rows(first, second, head)
    scores = np.stack([first.scores[head][rows], second.scores[head][others]])
    there = np.isfinite(scores).all(axis=0)
    if not there.any():
        raise DataError(
            f"{second.run.directory}: has no test example in common with {first.run.directory}"
        )
    tested = [np.isfinite(run.scores[head]).sum() for run in (first, second)]
    ours, theirs = scores[:, there]
    either = int(sum(tested) - there.sum())
    return PairedScores(rows[there], ours, theirs, either)


def _common_rows(first: RunScores, second: RunScores, head: str) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the common rows in the first run and in the second."""
    labels, others = first.labels[head], second.labels[head]
    rows, their_rows = np.arange(len(labels)), np.arange(len(others))
    if first.names is not None and second.names is not None:
        _, rows, their_rows = np.intersect1d(first.names, second.names, return_indices=True)
    numbers = labels.dtype.kind == "f"
    if not np.array_equal(labels[rows], others[their_rows], equal_nan=numbers):
        raise DataError(
            f"{second.run.directory}: was tested on other examples than {first.run.directory}, "
            "and the common ones cannot be determined"
        )
    return rows, their_rows


def best_single_input(pairs: Mapping[str, PairedScores]) -> str:
    """The best input alone, on the examples that all inputs have.

    Where no example has all of them, each input is judged on its own examples.

    Args:
        pairs: input -> the scores of the fusion and of the input alone.
    """

    def lead(name: str) -> float:
        pair = pairs[name]
        shared = np.logical_and.reduce([np.isin(pair.rows, p.rows) for p in pairs.values()])
        shared = shared if shared.any() else np.ones_like(shared)
        return float((pair.first - pair.second)[shared].mean())

    return min(pairs, key=lead)


def compare_baselines(
    pairs: Mapping[str, Mapping[str, PairedScores]],
    runs: Mapping[str, dict[str, Any]],
    split: str,
    seed: int,
) -> Comparison:
    """The comparison of a fusion with each of its inputs alone.

    Args:
        pairs: head -> input -> the scores of the fusion and of the input alone; without the inputs
            whose test examples cannot be matched.
        runs: variant -> `run` (a path relative to the fusion's), `parameters`, `seconds` and
            `metrics` of the split. The fusion is the first of them.
        split: the split's name.
        seed: `train.seed` of all runs.
    """
    fusion = next(iter(runs))
    metrics = runs[fusion]["metrics"]
    rows: list[ComparisonRow] = []
    best, findings, common = {}, {}, []
    for head, of_head in pairs.items():
        info = main_metric(metrics[head])
        if info is None:
            if metrics[head].get("labelled") == 0:
                logger.info(f"Note: {head} is not compared: the {split} split has no labels of it.")
            continue
        leads = {name: pair.lead() for name, pair in of_head.items()}
        for variant, entry in runs.items():
            row = metrics_row(
                head, variant, info, entry["metrics"][head], parameters=entry["parameters"]
            )
            rows.append(with_lead(row, leads[variant]) if variant in leads else row)
        rows.append(constant_row(head, info, metrics[head]))
        partial = [_common_figures(head, name, of_head[name], info) for name in of_head]
        partial = [one for one in partial if one["examples"] < one["of_examples"]]
        common += partial
        findings[head] = [_common_words(one, info) for one in partial]
        if of_head:
            best[head] = name = best_single_input(of_head)
            verdict = fusion_verdict(name, leads[name], info)
            findings[head].append(f"{verdict}{_where(of_head[name])}")
        else:
            findings[head].append("the inputs were tested on other examples than the fusion")
    return Comparison(
        kind="baselines",
        title="Fusion compared with each input alone",
        split=split,
        examples=metrics["examples"],
        rows=tuple(rows),
        reference=dict.fromkeys(findings, fusion),
        best=best,
        findings=findings,
        notes=(
            f"Each model was trained once (train.seed {seed}): the interval covers the sampling of "
            "the test examples, not the variation between seeds. To see that, repeat with `--set "
            f"train.seed={seed + 1}`.",
        ),
        details={"seed": seed, "common_examples": common, "runs": dict(runs)},
    )


def _where(pair: PairedScores) -> str:
    if pair.examples == pair.of_examples:
        return ""
    return f", on the {pair.examples:,} of {pair.of_examples:,} test examples in common"


def _common_figures(head: str, name: str, pair: PairedScores, info: MetricInfo) -> dict[str, Any]:
    """The metric of both models on the examples that both were tested on."""
    sign = 1 if info.higher_is_better else -1
    return {
        "head": head,
        "variant": name,
        "examples": pair.examples,
        "of_examples": pair.of_examples,
        "reference_value": sign * float(pair.first.mean()),
        "value": sign * float(pair.second.mean()),
    }


def _common_words(found: Mapping[str, Any], info: MetricInfo) -> str:
    return (
        f"{found['variant']}: its difference is on the {found['examples']:,} of "
        f"{found['of_examples']:,} test examples in common, where the fusion has "
        f"{info.text(found['reference_value'])} and {found['variant']} alone "
        f"{info.text(found['value'])}"
    )
