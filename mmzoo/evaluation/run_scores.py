"""What finished runs say of the same examples, scored one by one, so that they can be compared."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mmzoo.errors import DataError
from mmzoo.evaluation.evaluate import evaluate_model
from mmzoo.evaluation.run_data import same_data
from mmzoo.examples import prepare
from mmzoo.metrics import PairedDifference, paired_bootstrap
from mmzoo.runs import Run
from mmzoo.trained import load_trained


@dataclass(frozen=True)
class RunScores:
    """How good a run is on each example of a split.

    Attributes:
        run: the run.
        names: what the rows are called, text or int64 `[rows]`; None where they have no names.
        labels: each head's labels.
        scores: each head's scores, float64 `[rows]`, higher is better; NaN where it has no label.
    """

    run: Run
    names: np.ndarray | None
    labels: dict[str, np.ndarray]
    scores: dict[str, np.ndarray]


def run_scores(run: Run, split: str) -> RunScores:
    """Runs the best model of a run over a split of its data.

    Args:
        run: a finished run.
        split: the split's name.

    Raises:
        RunError: the run is damaged, or its data is not the same any more.
    """
    config = run.config()
    data = same_data(run, config)
    data = replace(data, splits={split: data.splits[split]})  # The others take time to prepare.
    data = prepare(config, data, run.preprocessing())
    model, _ = load_trained(run, precision=run.environment()["device"]["precision"])
    evaluation = evaluate_model(model, config, data, split)
    scores = {}
    for name, head in config.heads.items():
        labels = evaluation.labels[name]
        there = head.labelled(labels)
        scores[name] = np.full(len(labels), np.nan)
        scores[name][there] = head.example_scores(
            labels[there], evaluation.predictions[name][there]
        )
    return RunScores(run, data.row_names.get(split), evaluation.labels, scores)


@dataclass(frozen=True)
class PairedScores:
    """How good two runs are on the examples that both were tested on.

    Attributes:
        rows: the examples' numbers among those of the first run, int64 `[examples]`.
        first: the scores of the first run, float64 `[examples]`, all finite.
        second: those of the second.
        of: how many examples either of them was tested on.
    """

    rows: np.ndarray
    first: np.ndarray
    second: np.ndarray
    of: int

    @property
    def examples(self) -> int:
        return len(self.rows)

    def difference(self) -> PairedDifference:
        """By how much the first is better."""
        return paired_bootstrap(self.first, self.second)


def paired_scores(first: RunScores, second: RunScores, head: str) -> PairedScores:
    """What two runs say of the examples that both were tested on.

    Args:
        first: of one run.
        second: of another, on the same split.
        head: the name of a head that both have.

    Raises:
        DataError: there are no such examples, or it cannot be known which they are.
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
    """The numbers of the rows that both have, in the first and in the second."""
    labels, others = first.labels[head], second.labels[head]
    rows, their_rows = np.arange(len(labels)), np.arange(len(others))
    if first.names is not None and second.names is not None:
        _, rows, their_rows = np.intersect1d(first.names, second.names, return_indices=True)
    numbers = labels.dtype.kind == "f"
    if not np.array_equal(labels[rows], others[their_rows], equal_nan=numbers):
        raise DataError(
            f"{second.run.directory}: was tested on other examples than {first.run.directory}, "
            "and which they have in common cannot be known"
        )
    return rows, their_rows
