"""The members of an ensemble: finished runs that fit together, and their predictions."""

from __future__ import annotations

import gc
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.config import Config
from mmzoo.data.frame import Frame, OnBadRow
from mmzoo.devices import Kind, prepare_devices
from mmzoo.errors import RunError
from mmzoo.evaluation.ensemble_methods import Method
from mmzoo.evaluation.evaluate import Evaluation, evaluate_model
from mmzoo.evaluation.evaluation_data import require_same_data, require_split
from mmzoo.lazy import keras, pl
from mmzoo.preprocessing import load_frame, load_rows, transform
from mmzoo.run_log import drop_repeated_messages
from mmzoo.runs import Run
from mmzoo.spec.wording import describe
from mmzoo.trained_model import load_trained, open_trained

logger = logging.getLogger(__name__)

_COMPARED = ("type", "class_names", "classes", "positive_values", "dim", "threshold")
"""The fields of heads that must be the same in all members."""


@dataclass(frozen=True)
class Member:
    """One run of an ensemble.

    Attributes:
        run: the run.
        checkpoint: "best", "last", or a weights file.
        config: the run's config.
    """

    run: Run
    checkpoint: str | Path
    config: Config

    @property
    def name(self) -> str:
        """The run's directory, or the weights file if one was given."""
        if self.checkpoint in ("best", "last"):
            return str(self.run.directory)
        return str(self.checkpoint)

    @property
    def data_key(self) -> str:
        """A key for source, splits and columns: equal for members that read the same data."""
        config = self.config
        parts = {
            "source": config.source.model_dump(mode="json"),
            "seed": config.train.effective_split_seed,
            "inputs": {
                name: spec.model_dump(mode="json", exclude={"encoder"})
                for name, spec in config.inputs.items()
            },
            "wanted": {
                name: (one.role, one.names) for name, one in config.required_columns().items()
            },
        }
        return json.dumps(parts, sort_keys=True)


@dataclass(frozen=True)
class MemberPredictions:
    """The predictions of all members on the same rows.

    Attributes:
        data: the first member's frame, before `transform`.
        split: the split's name.
        evaluations: the evaluation of each member.
    """

    data: Frame
    split: str
    evaluations: list[Evaluation]


def open_members(
    runs: Sequence[Run | Path | str], checkpoint: str | Path, method: Method
) -> list[Member]:
    """Opens the runs of an ensemble.

    Raises:
        RunError: there are fewer than two, one is given twice, one is not a finished run, or their
            heads differ; the message says which and how.
    """
    if len(runs) < 2:
        raise RunError("an ensemble needs two runs or more; got one. Name others beside it.")
    members = []
    for one in runs:
        run, weights = open_trained(one, checkpoint)
        if "test" not in run.metrics():
            raise RunError(
                f"{run.directory}: is not finished, and an ensemble needs finished runs. Finish it "
                f"with `mmzoo train --resume --run {run.directory}` and its config."
            )
        members.append(Member(run, weights, run.config()))
    places = [(member.run.directory.resolve(), str(member.checkpoint)) for member in members]
    for place, member in zip(places, members, strict=True):
        if places.count(place) > 1:
            raise RunError(f"{member.name}: named twice; an ensemble needs different models")
    first, *others = members
    if not first.config.labelled_heads:
        raise RunError(f"{first.name}: has no head with labels, so it cannot be in an ensemble")
    for other in others:
        _require_same_heads(first, other)
    if method == "vote":
        for name, head in first.config.labelled_heads.items():
            if head.output_kind == "numbers":
                raise RunError(
                    f"heads.{name} predicts numbers, which cannot be voted on: use --ensemble "
                    "average, weighted or stacking"
                )
    return members


def _require_same_heads(first: Member, other: Member) -> None:
    ours, theirs = first.config.labelled_heads, other.config.labelled_heads
    if ours.keys() != theirs.keys():
        raise _misfit(
            first, other, f"its heads are {', '.join(theirs)}; there they are {', '.join(ours)}"
        )
    for name in ours:
        for field in _COMPARED:
            was, now = getattr(ours[name], field, None), getattr(theirs[name], field, None)
            if was != now:
                where = f"heads.{name}.{field} is {describe(now)}{_order(was, now)}"
                raise _misfit(first, other, f"{where}; there it is {describe(was)}")


def _order(was: Any, now: Any) -> str:
    if not isinstance(was, tuple) or not isinstance(now, tuple) or sorted(was) != sorted(now):
        return ""
    return ", in another order"


def _misfit(first: Member, other: Member, why: str) -> RunError:
    return RunError(f"{other.name}: does not fit together with {first.name}: {why}")


def predict_splits(
    members: Sequence[Member], splits: Sequence[str], device: Kind
) -> list[MemberPredictions]:
    """The members' predictions on splits of the data that they were trained on.

    Data that several members share is read once.

    Raises:
        RunError: there is no such split, the data has changed since the training, or the split of a
            member has other rows than that of the first.
    """
    read: dict[str, Frame] = {}
    for member in members:
        if member.data_key not in read:
            read[member.data_key] = load_frame(member.config)
        require_same_data(member.run, read[member.data_key])
    loaded = [read[member.data_key] for member in members]
    for split in splits:
        require_split(loaded[0], split)
        for member, data in zip(members[1:], loaded[1:], strict=True):
            _require_same_rows(members[0], loaded[0], member, data, split)
    parts = [data.split(*splits) for data in loaded]
    return _predictions(members, parts, splits, device)


def predict_table(
    members: Sequence[Member], path: Path | str, split: str, on_bad_row: OnBadRow, device: Kind
) -> MemberPredictions:
    """The members' predictions on the rows of another table, or the files of another folder.

    Raises:
        DataError: it cannot be read, or a column is missing.
        RunError: a member cannot use the same rows as the first.
    """
    read: dict[str, Frame] = {}
    for member in members:
        if member.data_key not in read:
            data = load_rows(member.config, str(path), split, labelled=True, on_bad_row=on_bad_row)
            read[member.data_key] = data
            for message in data.messages():
                logger.info(message)
    loaded = [read[member.data_key] for member in members]
    for member, data in zip(members[1:], loaded[1:], strict=True):
        if not _same_names(loaded[0], data, split):
            raise RunError(
                f"{member.name}: can use other rows of {path} than {members[0].name}. Remove the "
                "bad rows from it."
            )
    [found] = _predictions(members, loaded, [split], device)
    return found


def _predictions(
    members: Sequence[Member], loaded: Sequence[Frame], splits: Sequence[str], device: Kind
) -> list[MemberPredictions]:
    with drop_repeated_messages():
        evaluations = list(_evaluations(members, loaded, device))
    found = [
        MemberPredictions(loaded[0], split, [one[split] for one in evaluations]) for split in splits
    ]
    for one in found:
        _require_same_labels(members, one)
    return found


def _evaluations(
    members: Sequence[Member], loaded: Sequence[Frame], device: Kind
) -> Iterator[dict[str, Evaluation]]:
    """Yields split -> evaluation for each member, with one model in memory at a time."""
    for member, data in zip(members, loaded, strict=True):
        devices = prepare_devices(device, member.config.train)
        prepared = transform(member.config, data, member.run.preprocessing())
        model, config = load_trained(member.run, member.checkpoint, devices.precision)
        yield {split: evaluate_model(model, config, prepared, split) for split in data.splits}
        del model
        keras.utils.clear_session()
        gc.collect()


def _require_same_labels(members: Sequence[Member], found: MemberPredictions) -> None:
    """Raises a RunError if heads with the same name have different labels."""
    first, *others = found.evaluations
    for member, other in zip(members[1:], others, strict=True):
        for name, head in member.config.labelled_heads.items():
            ours = members[0].config.labelled_heads[name].true_labels(first.labels[name])
            if ours != head.true_labels(other.labels[name]):
                raise _misfit(
                    members[0],
                    member,
                    f"the labels of heads.{name} differ, on the {found.split} split of "
                    f"{found.data.name}",
                )


def _require_same_rows(
    first: Member, ours: Frame, other: Member, theirs: Frame, split: str
) -> None:
    """Raises a RunError if a split does not have the same examples in both."""
    if ours.fingerprint == theirs.fingerprint:
        return
    if difference := _source_difference(first, other):
        raise _misfit(first, other, f"it was trained on other data: {difference}")
    if _same_content(ours, theirs, split) or (
        split in ours.row_names and _same_names(ours, theirs, split)
    ):
        return
    was, now = (member.config.train.effective_split_seed for member in (first, other))
    if was != now:
        raise _misfit(
            first,
            other,
            f"its {split} split has other examples, since it was drawn with seed {now}; there it "
            f"was seed {was}. Train both with the same `train.split_seed`.",
        )
    raise _misfit(
        first,
        other,
        f"its {split} split has other examples (fingerprint {theirs.fingerprint[:12]}; there it is "
        f"{ours.fingerprint[:12]})",
    )


def _source_difference(first: Member, other: Member) -> str:
    """The differences between the sources of two members, for errors; empty if there are none."""
    was, now = (member.config.source.model_dump(mode="json") for member in (first, other))
    differing = [key for key in {**now, **was} if was.get(key) != now.get(key)]
    return "; ".join(
        f"source.{key} is {describe(now.get(key))}, there it is {describe(was.get(key))}"
        for key in differing
    )


def _same_content(ours: Frame, theirs: Frame, split: str) -> bool:
    source = pl.all().exclude("^mmzoo\\..*$")
    a, b = (frame.split(split).table.select(source) for frame in (ours, theirs))
    return a.equals(b)


def _same_names(ours: Frame, theirs: Frame, split: str) -> bool:
    """Whether both have named rows, with the same names."""
    a, b = ours.row_names.get(split), theirs.row_names.get(split)
    return a is not None and b is not None and np.array_equal(a, b)
