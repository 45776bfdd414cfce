"""What an ensemble says with each head, and whether that is better than what its members say."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmzoo.errors import RunError
from mmzoo.evaluation.ensembles.members import Member
from mmzoo.evaluation.ensembles.methods import Combination, Method, fitted
from mmzoo.evaluation.ensembles.rows import Rows
from mmzoo.evaluation.ensembles.words import sentence
from mmzoo.evaluation.evaluate import head_metrics
from mmzoo.evaluation.scale import Scale, scale_of
from mmzoo.metrics import PairedDifference, paired_bootstrap

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class HeadEnsemble:
    """What an ensemble comes to for one head that rows have a label of.

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
        """Its entry in ensemble.json."""
        # Of the weighted average alone.
        weights = dict(zip(self.members, self.combination.weights, strict=False))
        return {
            "method": self.combination.method,
            "metric": self.scale.metric,
            "members": self.members,
            "best_member": self.best,
            "gain": self.gain.difference,
            "gain_ci95": [self.gain.low, self.gain.high],
            "sentence": self.sentence,
            **({"weights": weights} if weights else {}),
        }


def combinations(
    members: Sequence[Member], method: Method, learnt: Rows | None
) -> dict[str, Combination]:
    """How what the members say becomes one, head by head.

    Args:
        members: the runs.
        method: how.
        learnt: the rows that a method learns from; None where it learns nothing.

    Raises:
        RunError: there is nothing to be learnt of any head.
    """
    heads = members[0].config.heads
    if learnt is None:
        return {name: fitted(method, head) for name, head in heads.items()}
    labels = learnt.evaluations[0].labels
    there = {name: head.labelled(labels[name]) for name, head in heads.items()}
    if not any(rows.any() for rows in there.values()):
        raise RunError(
            f"no row of the validation split has a label of {', '.join(heads)}, so --ensemble "
            f"{method} has nothing to learn from. Take average or vote."
        )
    found = {}
    for name, head in heads.items():
        rows = there[name]
        if rows.any():
            said = [one.predictions[name][rows] for one in learnt.evaluations]
            found[name] = fitted(method, head, said, labels[name][rows])
        else:
            found[name] = fitted("average", head)
            logger.info(
                f"Note: no row of the validation split has a label of {name}: it is averaged, as "
                f"{method} has nothing to learn from."
            )
    return found


def measured(
    members: Sequence[Member], rows: Rows, found: Mapping[str, Combination]
) -> dict[str, HeadEnsemble]:
    """The ensemble beside its members, for each head that some row has a label of."""
    labels = rows.evaluations[0].labels
    return {
        name: _measured(name, members, rows, combination)
        for name, combination in found.items()
        if combination.head.labelled(labels[name]).any()
    }


def _measured(
    name: str, members: Sequence[Member], rows: Rows, combination: Combination
) -> HeadEnsemble:
    together = combination.combined([one.predictions[name] for one in rows.evaluations])
    judge, labels = combination.judge, rows.evaluations[0].labels[name]
    there = judge.labelled(labels)
    scores = [
        member.config.heads[name].example_scores(labels[there], one.predictions[name][there])
        for member, one in zip(members, rows.evaluations, strict=True)
    ]
    best = int(np.argmax([score.mean() for score in scores]))
    return HeadEnsemble(
        combination=combination,
        predictions=together,
        metrics=head_metrics(judge, labels, together),
        members={
            member.name: one.metrics[name]
            for member, one in zip(members, rows.evaluations, strict=True)
        },
        best=members[best].name,
        gain=paired_bootstrap(judge.example_scores(labels[there], together[there]), scores[best]),
    )
