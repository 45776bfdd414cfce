"""Unlabelled: heads that no example of a split has a label for, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mmzoo.errors import DataError
from mmzoo.heads import Head
from mmzoo.sources import Data
from mmzoo.spec.wording import shorten


def without_labels(
    heads: Mapping[str, Head], columns: Mapping[str, str], data: Data
) -> dict[str, tuple[str, ...]]:
    """Split -> the heads that none of its examples has a label for, of splits that have such.

    Args:
        heads: by name.
        columns: what the data calls the labels of each.
        data: opened; a split without the column of a head is one to predict from.
    """
    found = {
        split: tuple(
            name
            for name, head in heads.items()
            if columns[name] in of and not head.labelled(of[columns[name]]).any()
        )
        for split, of in data.splits.items()
    }
    return {split: names for split, names in found.items() if names}


def unlabelled_notes(
    heads: Mapping[str, Head], columns: Mapping[str, str], data: Data
) -> Iterator[str]:
    """A sentence, without a stop, on each head that a split has no label for.

    Of the training split there is none, as that is an error.
    """
    for split, names in without_labels(heads, columns, data).items():
        for name in names if split != "train" else ():
            means = "nothing of it is measured"
            if split == "validation":
                means = "validation_loss, and all that goes by it, says nothing of it"
            yield (
                f"heads.{name}: none of the {data.examples(split):,} {split} examples has a label, "
                f"so {means}"
            )


def require_monitored(
    heads: Mapping[str, Head],
    columns: Mapping[str, str],
    data: Data,
    monitor: str,
    watchable: Sequence[str],
) -> None:
    """Raises a DataError if no validation example has a label of the head that is watched.

    Args:
        heads: by name.
        columns: what the data calls the labels of each.
        data: opened.
        monitor: the metric that is watched.
        watchable: all that might be.
    """
    silent = {
        f"validation_{name}_{metric}": name
        for name in without_labels(heads, columns, data).get("validation", ())
        for metric in heads[name].metric_names
    }
    if monitor not in silent:
        return
    name = silent[monitor]
    others = [metric for metric in watchable if metric not in silent]
    raise DataError(
        f"train.monitor: {monitor} is watched, and none of the {data.examples('validation'):,} "
        f"validation examples of {data.name} has a label for heads.{name} (column "
        f"'{shorten(columns[name])}'). Watch another metric ({', '.join(others)}), or have rows "
        "with that label in the validation split."
    )
