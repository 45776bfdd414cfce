"""The members of an ensemble: finished runs, and whether they fit together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmzoo.config import Config
from mmzoo.errors import RunError
from mmzoo.evaluation.ensembles.methods import Method
from mmzoo.heads import Head
from mmzoo.runs import Run
from mmzoo.spec.wording import describe
from mmzoo.trained import open_trained

_COMPARED = ("type", "class_names", "classes", "positive_values", "dim", "threshold")
"""The fields of heads that predictions can only be combined with if all members have them alike."""


@dataclass(frozen=True)
class Member:
    """One of the runs.

    Attributes:
        run: the run.
        checkpoint: "best", "last", or a weights file.
        config: what it was trained with.
    """

    run: Run
    checkpoint: str | Path
    config: Config

    @property
    def name(self) -> str:
        """What it is called: its directory, or the weights file where that is not the best one."""
        if self.checkpoint in ("best", "last"):
            return str(self.run.directory)
        return str(self.checkpoint)

    @property
    def reads(self) -> str:
        """What is equal where two members read the very same data: source, splits and columns."""
        config = self.config
        parts = {
            "source": config.source.model_dump(mode="json"),
            "seed": config.train.seed_of_splits,
            "inputs": {
                name: spec.model_dump(mode="json", exclude={"encoder"})
                for name, spec in config.inputs.items()
            },
            "wanted": {name: (one.role, one.names) for name, one in config.wanted().items()},
        }
        return json.dumps(parts, sort_keys=True)


def open_members(
    runs: Sequence[Run | Path | str], checkpoint: str | Path, method: Method
) -> list[Member]:
    """Opens the runs of an ensemble.

    Raises:
        RunError: there are fewer than two, one is named twice, one is no run, or their heads do not
            fit together; the message says which, and what differs.
    """
    if len(runs) < 2:
        raise RunError("an ensemble needs two runs or more; got one. Name others beside it.")
    members = []
    for one in runs:
        run, weights = open_trained(one, checkpoint)
        if "test" not in run.metrics():
            raise RunError(
                f"{run.directory}: is not finished, and an ensemble is of finished runs. Go on "
                f"with it by `mmzoo train --resume --run {run.directory}` and its config."
            )
        members.append(Member(run, weights, run.config()))
    places = [(member.run.directory.resolve(), str(member.checkpoint)) for member in members]
    for place, member in zip(places, members, strict=True):
        if places.count(place) > 1:
            raise RunError(f"{member.name}: named twice; an ensemble is of different models")
    first, *others = members
    for other in others:
        _require_same_heads(first, other)
    if method == "vote":
        for name, head in first.config.heads.items():
            if head.decides == "numbers":
                raise RunError(
                    f"heads.{name} predicts numbers, which are not voted on: take --ensemble "
                    "average, weighted or stacking"
                )
    return members


def _require_same_heads(first: Member, other: Member) -> None:
    ours, theirs = first.config.heads, other.config.heads
    if ours.keys() != theirs.keys():
        raise _misfit(
            first, other, f"its heads are {', '.join(theirs)}; there they are {', '.join(ours)}"
        )
    for name in ours:
        for field in _COMPARED:
            was, now = _field(ours[name], field), _field(theirs[name], field)
            if was != now:
                raise _misfit(
                    first,
                    other,
                    f"heads.{name}.{field} is {describe(now)}{_order(was, now)}; there it is "
                    f"{describe(was)}",
                )


def _field(head: Head, field: str) -> Any:
    return getattr(head, field, None)


def _order(was: Any, now: Any) -> str:
    if not isinstance(was, tuple) or not isinstance(now, tuple) or sorted(was) != sorted(now):
        return ""
    return ", in another order"


def _misfit(first: Member, other: Member, why: str) -> RunError:
    return RunError(f"{other.name}: does not fit together with {first.name}: {why}")
