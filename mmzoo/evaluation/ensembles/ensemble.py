"""`mmzoo eval RUN RUN ... --ensemble METHOD`: several finished runs together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmzoo.devices import Kind, memory_errors
from mmzoo.errors import RunError
from mmzoo.evaluation.ensembles.heads import HeadEnsemble, combinations, measured
from mmzoo.evaluation.ensembles.members import Member, open_members
from mmzoo.evaluation.ensembles.methods import FITTED, Method
from mmzoo.evaluation.ensembles.rows import Rows, said_of_splits, said_of_table
from mmzoo.evaluation.ensembles.writing import ensemble_folder, write_ensemble
from mmzoo.runs import Run
from mmzoo.sources import OnBadRow

_VALIDATION = "validation"
_DATA = "data"


@dataclass(frozen=True)
class Ensemble:
    """Several runs, evaluated together.

    Attributes:
        method: how their predictions became one.
        members: their names.
        rows: what was evaluated, and what each of them says of it.
        heads: of each head that some row has a label of, what they come to together.
        metrics: the contents of metrics.json, in the form of a run's.
        compared: the contents of ensemble.json: each head beside what its members come to.
        folder: where it is written.
    """

    method: Method
    members: tuple[str, ...]
    rows: Rows
    heads: dict[str, HeadEnsemble]
    metrics: dict[str, Any]
    compared: dict[str, Any]
    folder: Path

    @property
    def unlabelled(self) -> list[str]:
        """The heads that no row has a label of, so that they have no metrics."""
        return [name for name in self.rows.evaluations[0].labels if name not in self.heads]


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
    found = combinations(members, method, learnt)
    heads = measured(members, rows, found)
    if not heads:
        raise RunError(f"none of the rows of {rows.data.name} has a label of {', '.join(found)}")
    names = tuple(member.name for member in members)
    metrics = _metrics(rows, found, heads)
    compared = {
        "method": method,
        "split": rows.split,
        "members": list(names),
        "heads": {name: head.as_dict() for name, head in heads.items()},
    }
    records = {"metrics": metrics, "ensemble": compared}
    folder = write_ensemble(output, [member.run for member in members], rows, found, records)
    return Ensemble(method, names, rows, heads, metrics, compared, folder)


def _metrics(rows: Rows, found: Iterable[str], heads: Mapping[str, HeadEnsemble]) -> dict[str, Any]:
    """As metrics.json of a run, but that nothing was minimised, so that there is no loss."""
    return {
        rows.split: {
            "data": rows.data.name,
            "examples": rows.evaluations[0].examples,
            "loss": None,
            **{name: heads[name].metrics if name in heads else {"labelled": 0} for name in found},
        }
    }


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
