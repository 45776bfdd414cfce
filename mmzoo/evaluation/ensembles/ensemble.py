"""`mmzoo eval RUN RUN ... --ensemble METHOD`: several finished runs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.devices import Kind, memory_errors
from mmzoo.errors import RunError
from mmzoo.evaluation.ensembles.members import Member, open_members
from mmzoo.evaluation.ensembles.methods import FITTED, Combination, Method, fitted
from mmzoo.evaluation.ensembles.rows import Rows, said_of_splits, said_of_table
from mmzoo.evaluation.ensembles.words import sentence
from mmzoo.evaluation.ensembles.writing import ensemble_folder, write_ensemble
from mmzoo.evaluation.scale import Scale, scale_of
from mmzoo.heads import Head
from mmzoo.metrics import PairedDifference, paired_bootstrap
from mmzoo.runs import Run
from mmzoo.sources import OnBadRow

_VALIDATION = "validation"
_DATA = "data"


@dataclass(frozen=True)
class HeadEnsemble:
    """What an ensemble comes to for one head.

    Attributes:
        combination: how the members' predictions became one.
        predictions: what came of it, float32 `[rows, width]`.
        metrics: of these, as an evaluation of a run has them.
        members: the metrics of each member, by its name.
        best: the name of the member whose main metric is best on these very examples.
        gain: by how much the ensemble is better than that one, of the main metric.
    """

    combination: Combination
    predictions: np.ndarray
    metrics: dict[str, Any]
    members: dict[str, dict[str, Any]]
    best: str
    gain: PairedDifference

    @property
    def scale(self) -> Scale:
        return scale_of(self.metrics)

    @property
    def sentence(self) -> str:
        """Whether it was worth it."""
        return sentence(self.combination.method, self.best, self.gain, self.scale)

    def as_dict(self) -> dict[str, Any]:
        """Its entry in metrics.json."""
        # Of the weighted average alone.
        weights = dict(zip(self.members, self.combination.weights, strict=False))
        return {
            "ensemble": self.metrics,
            "members": self.members,
            "best_member": self.best,
            "metric": self.scale.metric,
            "gain": self.gain.difference,
            "gain_ci95": [self.gain.low, self.gain.high],
            "sentence": self.sentence,
            **({"weights": weights} if weights else {}),
        }


@dataclass(frozen=True)
class Ensemble:
    """Several runs, evaluated together.

    Attributes:
        method: how their predictions became one.
        members: their names.
        rows: what was evaluated, and what each of them says of it.
        heads: of each head, what they come to together.
        metrics: the contents of metrics.json.
        folder: where it is written.
    """

    method: Method
    members: tuple[str, ...]
    rows: Rows
    heads: dict[str, HeadEnsemble]
    metrics: dict[str, Any]
    folder: Path


def ensemble(
    runs: Sequence[Run | Path | str],
    method: Method = "average",
    *,
    split: str = "test",
    data: Path | str | None = None,
    on_bad_row: OnBadRow = "error",
    checkpoint: str | Path = "best",
    device: Kind = "auto",
    output: Path | None = None,
) -> Ensemble:
    """Evaluates several finished runs together, and writes what comes of it.

    Each run prepares the examples in its own way. Then, head by head, their predictions become one:
    by `average`, of probabilities or of numbers; by `weighted`, with weights that are best on the
    validation split; by `vote`, of the decisions; or by `stacking`, a logistic or ridge regression
    on what they say of the validation split.

    Args:
        runs: two or more, each as `mmzoo.evaluate` takes it.
        method: one of these.
        split: "train", "validation" or "test"; not "validation" where the method learns from it.
        data: in the place of a split, a table or folder, as for `mmzoo.evaluate`.
        on_bad_row: what becomes of rows of `data` that cannot be used: "error" or "skip".
        checkpoint: "best" or "last".
        device: "auto", "cpu" or "gpu".
        output: the folder to make; by default `runs/ensembles/<next number>`.

    Raises:
        DataError: `data` cannot be read, or does not fit the models.
        RunError: a run is none, or they do not fit together; the message says what differs.

    Reference: Wolpert, "Stacked generalization", 1992; Kittler et al., "On combining classifiers",
    1998.
    """
    members = open_members(runs, checkpoint, method)
    if method in FITTED and data is None and split == _VALIDATION:
        raise RunError(
            f"--ensemble {method} learns from the validation split, so that split cannot tell what "
            "it is worth. Take --split test."
        )
    ensemble_folder(output, [member.run for member in members])  # Refused before any work.
    with memory_errors():
        rows, learnt = _said(members, method, split, data, on_bad_row, device)
    heads = {
        name: _head_ensemble(name, members, method, rows, learnt)
        for name in members[0].config.heads
    }
    names = tuple(member.name for member in members)
    metrics = _metrics(method, names, rows, heads)
    folder = ensemble_folder(output, [member.run for member in members], make=True)
    write_ensemble(
        folder,
        metrics,
        rows,
        {name: (head.combination, head.predictions) for name, head in heads.items()},
    )
    return Ensemble(method, names, rows, heads, metrics, folder)


def _metrics(
    method: Method, members: tuple[str, ...], rows: Rows, heads: Mapping[str, HeadEnsemble]
) -> dict[str, Any]:
    entry = {
        "data": rows.data.name,
        "examples": rows.evaluations[0].examples,
        "ensemble": method,
        "members": list(members),
        "heads": {name: head.as_dict() for name, head in heads.items()},
    }
    return {rows.split: entry}


def _said(
    members: Sequence[Member],
    method: Method,
    split: str,
    data: Path | str | None,
    on_bad_row: OnBadRow,
    device: Kind,
) -> tuple[Rows, Rows | None]:
    """What the members say of the rows to evaluate, and of those to learn from."""
    learns = method in FITTED
    if data is None:
        found = said_of_splits(members, [split, *([_VALIDATION] if learns else [])], device)
        rows, learnt = found[0], found[1] if learns else None
    else:
        rows = said_of_table(members, data, _DATA, on_bad_row, device)
        learnt = said_of_splits(members, [_VALIDATION], device)[0] if learns else None
    for one in (rows, learnt):
        if one is not None:
            _require_same_labels(members, one)
    return rows, learnt


def _require_same_labels(members: Sequence[Member], rows: Rows) -> None:
    """Two heads of one name may be of different columns."""
    first, *others = rows.evaluations
    for member, other in zip(members[1:], others, strict=True):
        for name, head in member.config.heads.items():
            ours = members[0].config.heads[name].truths(first.labels[name])
            if ours != head.truths(other.labels[name]):
                raise RunError(
                    f"{member.name}: does not fit together with {members[0].name}: the labels of "
                    f"heads.{name} are others, on the {rows.split} split of {rows.data.name}"
                )


def _head_ensemble(
    name: str, members: Sequence[Member], method: Method, rows: Rows, learnt: Rows | None
) -> HeadEnsemble:
    head = members[0].config.heads[name]
    combination = fitted(method, head) if learnt is None else _learnt(name, method, head, learnt)
    said = [one.predictions[name] for one in rows.evaluations]
    together = combination.combined(said)
    labels = rows.evaluations[0].labels[name]
    there = head.labelled(labels)
    if not there.any():
        raise RunError(f"heads.{name}: none of the rows of {rows.data.name} has a label")
    scores = [
        member.config.heads[name].example_scores(labels[there], one.predictions[name][there])
        for member, one in zip(members, rows.evaluations, strict=True)
    ]
    best = int(np.argmax([score.mean() for score in scores]))
    judge = combination.judge
    return HeadEnsemble(
        combination=combination,
        predictions=together,
        metrics=judge.evaluate(labels[there], together[there]),
        members={
            member.name: one.metrics[name]
            for member, one in zip(members, rows.evaluations, strict=True)
        },
        best=members[best].name,
        gain=paired_bootstrap(judge.example_scores(labels[there], together[there]), scores[best]),
    )


def _learnt(name: str, method: Method, head: Head, rows: Rows) -> Combination:
    labels = rows.evaluations[0].labels[name]
    there = head.labelled(labels)
    if not there.any():
        raise RunError(
            f"heads.{name}: no row of the validation split has a label, so --ensemble {method} has "
            "nothing to learn from. Take average or vote."
        )
    said = [one.predictions[name][there] for one in rows.evaluations]
    return fitted(method, head, said, labels[there])
