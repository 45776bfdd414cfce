"""Missing inputs and labels: masks, arrays with missing labels, and notes and errors on them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from mmzoo.data.frame import Frame, scanned_column
from mmzoo.errors import DataError
from mmzoo.heads import LabelledHead
from mmzoo.lazy import np, pl
from mmzoo.spec.wording import shorten

PresenceMasks = dict[str, "np.ndarray"]
"""Split -> bool `[rows]`: whether each example has an input."""


def presence_masks(frame: Frame, name: str) -> PresenceMasks:
    """Presence masks of an input of a scanned frame."""
    present = frame.table[scanned_column(name)].is_not_null().to_numpy()
    return {split: present[rows] for split, rows in frame.rows.items()}


def missing_counts(frame: Frame, presence: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Input -> split -> number of examples without it, for inputs with any missing value.

    Args:
        frame: scanned frame.
        presence: optional inputs, see `Config.presence`.
    """
    counts = {
        name: {split: int((~mask).sum()) for split, mask in presence_masks(frame, name).items()}
        for name in presence
    }
    return {name: by_split for name, by_split in counts.items() if any(by_split.values())}


def missing_digests(frame: Frame, presence: Mapping[str, str]) -> dict[str, str]:
    """Mask -> its sha256, for inputs with any missing value; part of the data's fingerprint."""
    digests = {}
    for name in missing_counts(frame, presence):
        content = b"".join(mask.tobytes() for mask in presence_masks(frame, name).values())
        digests[presence[name]] = hashlib.sha256(content).hexdigest()
    return digests


def missing_notes(frame: Frame, presence: Mapping[str, str]) -> Iterator[str]:
    """Yields a note on each input with any missing value."""
    for name, counts in missing_counts(frame, presence).items():
        listed = ", ".join(
            f"{count:,} of {frame.examples(split):,} {split} examples"
            for split, count in counts.items()
            if count
        )
        yield f"inputs.{name} is missing in {listed}: learned features replace it"


def mark_missing(captions: Sequence[str], name: str, missing: Sequence[bool]) -> list[str]:
    """Captions with a remark on examples that lack the input."""
    return [
        f"{caption} (no {name})" if is_missing else caption
        for caption, is_missing in zip(captions, missing, strict=True)
    ]


def require_present(frame: Frame, presence: Mapping[str, str]) -> None:
    """Raises a DataError if an input is missing in all training examples."""
    for name in presence:
        if not presence_masks(frame, name)["train"].any():
            raise DataError(
                f"inputs.{name}: all {frame.examples('train'):,} training examples of {frame.name} "
                "lack it, so the model cannot learn from it. Fill its column, remove the input or, "
                "if it reads files, check whether their paths are relative to "
                "`source.media_root`."
            )


def label_array(frame: Frame, column: str) -> np.ndarray:
    """Labels of all rows; a missing class or label is -1, a missing number NaN.

    Returns:
        `[rows]` or `[rows, width]`, with the dtype of the column; float64 for whole numbers if any
        is missing.
    """
    labels = frame.table[column]
    if not labels.null_count():
        return labels.to_numpy(writable=True)
    if labels.dtype.is_float():
        return labels.to_numpy(writable=True)
    if labels.dtype.is_integer() and column not in frame.class_names:
        return labels.cast(pl.Float64).to_numpy(writable=True)
    if not isinstance(labels.dtype, pl.Array):
        return labels.fill_null(-1).to_numpy(writable=True)
    present = labels.is_not_null().to_numpy()
    known = labels.drop_nulls().to_numpy()
    values = np.full((len(labels), *known.shape[1:]), -1, np.int8)
    values[present] = known
    return values


def heads_without_labels(
    heads: Mapping[str, LabelledHead], columns: Mapping[str, str], frame: Frame
) -> dict[str, tuple[str, ...]]:
    """Split -> heads without any label in it, for splits with such heads.

    Args:
        heads: name -> head.
        columns: head -> its column; the frame may lack it, as in prediction.
        frame: scanned frame.
    """
    has_labels = {
        name: head.labelled(label_array(frame, columns[name]))
        for name, head in heads.items()
        if columns[name] in frame.table.columns
    }
    found = {
        split: tuple(name for name, has in has_labels.items() if not has[rows].any())
        for split, rows in frame.rows.items()
    }
    return {split: names for split, names in found.items() if names}


def missing_label_notes(
    heads: Mapping[str, LabelledHead], columns: Mapping[str, str], frame: Frame
) -> Iterator[str]:
    """Yields a note on each head without any label in the validation or test split.

    Without training labels, `fit_config` raises an error instead.
    """
    for split, names in heads_without_labels(heads, columns, frame).items():
        for name in names if split != "train" else ():
            effect = "it has no metrics"
            if split == "validation":
                effect = "validation_loss does not include it"
            yield (
                f"heads.{name}: none of the {frame.examples(split):,} {split} examples has a "
                f"label, so {effect}"
            )


def require_monitored(
    heads: Mapping[str, LabelledHead],
    columns: Mapping[str, str],
    frame: Frame,
    monitor: str,
    monitorable: Sequence[str],
) -> None:
    """Checks that the validation split has labels for the monitored metric.

    Args:
        heads: name -> head.
        columns: head -> its column.
        frame: scanned frame.
        monitor: name of the monitored metric.
        monitorable: names of all metrics that can be monitored.

    Raises:
        DataError: no validation example has a label for the metric's head.
    """
    without_labels = {
        f"validation_{name}_{metric}": name
        for name in heads_without_labels(heads, columns, frame).get("validation", ())
        for metric in heads[name].metric_names
    }
    if monitor not in without_labels:
        return
    name = without_labels[monitor]
    others = [metric for metric in monitorable if metric not in without_labels]
    raise DataError(
        f"train.monitor: cannot monitor {monitor}: none of the {frame.examples('validation'):,} "
        f"validation examples of {frame.name} has a label for heads.{name} (column "
        f"'{shorten(columns[name])}'). Monitor another metric ({', '.join(others)}), or add rows "
        "with that label to the validation split."
    )
