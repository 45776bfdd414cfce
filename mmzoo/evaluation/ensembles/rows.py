"""What the members of an ensemble say of the same rows."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mmzoo.devices import Kind, prepare_devices
from mmzoo.errors import RunError
from mmzoo.evaluation.ensembles.members import Member
from mmzoo.evaluation.evaluate import Evaluation, evaluate_model
from mmzoo.evaluation.run_data import require_trained_on
from mmzoo.examples import load_data, load_rows, prepare
from mmzoo.lazy import keras
from mmzoo.run_log import repeats_dropped
from mmzoo.sources import Data, OnBadRow
from mmzoo.spec import did_you_mean
from mmzoo.spec.wording import describe
from mmzoo.trained import load_trained

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rows:
    """A split, or a table, and what every member says of it.

    Attributes:
        data: of the first member, as it was read.
        split: the split's name.
        evaluations: of each member.
    """

    data: Data
    split: str
    evaluations: list[Evaluation]


def said_of_splits(members: Sequence[Member], splits: Sequence[str], device: Kind) -> list[Rows]:
    """What the members say of splits of the data that they were trained on.

    Raises:
        RunError: there is no such split, the data are not those of the training any more, or a
            split has other rows for one member than for the first.
    """
    read: dict[str, Data] = {}
    for member in members:
        if member.reads not in read:
            read[member.reads] = load_data(member.config)
        require_trained_on(member.run, read[member.reads])
    loaded = [read[member.reads] for member in members]
    for split in splits:
        if split not in loaded[0].splits:
            there = loaded[0].splits
            meant = did_you_mean(split, there) or "."
            raise RunError(f"unknown split '{split}'{meant} There are: {', '.join(there)}")
        for member, data in zip(members[1:], loaded[1:], strict=True):
            _require_same_rows(members[0], loaded[0], member, data, split)
    parts = [
        replace(data, splits={split: data.splits[split] for split in splits}) for data in loaded
    ]
    with repeats_dropped():
        evaluations = list(_evaluations(members, parts, device))
    return [Rows(parts[0], split, [one[split] for one in evaluations]) for split in splits]


def said_of_table(
    members: Sequence[Member],
    path: Path | str,
    split: str,
    on_bad_row: OnBadRow,
    device: Kind,
) -> Rows:
    """What the members say of the rows of another table, or of the files of another folder.

    Raises:
        DataError: there is nothing to be read, or a column is missing.
        RunError: other rows can be used for one member than for the first.
    """
    read: dict[str, Data] = {}
    for member in members:
        if member.reads not in read:
            data = load_rows(member.config, str(path), split, labelled=True, on_bad_row=on_bad_row)
            read[member.reads] = data
            for note in data.notes:
                logger.info(f"Note: {note}.")
    loaded = [read[member.reads] for member in members]
    for member, data in zip(members[1:], loaded[1:], strict=True):
        if not _same_names(loaded[0], data, split):
            raise RunError(
                f"{member.name}: can use other rows of {path} than {members[0].name}. Take bad "
                "rows out of it."
            )
    with repeats_dropped():
        evaluations = list(_evaluations(members, loaded, device))
    return Rows(loaded[0], split, [one[split] for one in evaluations])


def _evaluations(
    members: Sequence[Member], loaded: Sequence[Data], device: Kind
) -> Iterator[dict[str, Evaluation]]:
    """Of each member in turn, so that one model is in memory at a time: each of the splits."""
    for member, data in zip(members, loaded, strict=True):
        devices = prepare_devices(device, member.config.train)
        prepared = prepare(member.config, data, member.run.preprocessing())
        model, config = load_trained(member.run, member.checkpoint, devices.precision)
        yield {split: evaluate_model(model, config, prepared, split) for split in data.splits}
        del model
        keras.utils.clear_session()
        gc.collect()


def _require_same_rows(first: Member, ours: Data, other: Member, theirs: Data, split: str) -> None:
    """Raises a RunError where a split is not of the same examples."""
    if ours.fingerprint == theirs.fingerprint:
        return
    begin = f"{other.name}: does not fit together with {first.name}: "
    if difference := _of_sources(first, other):
        raise RunError(f"{begin}it was trained on other data: {difference}")
    if _same_content(ours, theirs, split) or (
        split in ours.row_names and _same_names(ours, theirs, split)
    ):
        return
    was, now = (member.config.train.seed_of_splits for member in (first, other))
    if was != now:
        raise RunError(
            f"{begin}its {split} split has other examples, as seed {now} decided which; there it "
            f"was seed {was}. Train both with the same `train.split_seed`."
        )
    raise RunError(
        f"{begin}its {split} split has other examples (fingerprint {theirs.fingerprint[:12]}; "
        f"there it is {ours.fingerprint[:12]})"
    )


def _of_sources(first: Member, other: Member) -> str:
    """What differs between the sources of two members, in words; empty where nothing does."""
    was, now = (member.config.source.model_dump(mode="json") for member in (first, other))
    differing = [key for key in {**now, **was} if was.get(key) != now.get(key)]
    return "; ".join(
        f"source.{key} is {describe(now.get(key))}, there it is {describe(was.get(key))}"
        for key in differing
    )


def _same_content(ours: Data, theirs: Data, split: str) -> bool:
    a, b = ours.splits[split], theirs.splits[split]
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def _same_names(ours: Data, theirs: Data, split: str) -> bool:
    """Whether both have the same rows, which have names, of one and the same source."""
    a, b = ours.row_names.get(split), theirs.row_names.get(split)
    return a is not None and b is not None and np.array_equal(a, b)
