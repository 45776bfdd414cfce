"""Missing labels: label arrays with missing values, and splits without any label for a head."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mmzoo.data.frame import Frame
from mmzoo.errors import DataError
from mmzoo.heads import LabelledHead
from mmzoo.lazy import np, pl
from mmzoo.spec.wording import shorten


def label_array(frame: Frame, column: str) -> np.ndarray:
    """Labels of all rows; a missing class or label is -1, a missing number NaN.

    Returns:
        `[rows]` or `[rows, width]`, with the dtype of the column.
    """
    labels = frame.table[column]
    if not labels.null_count():
        return labels.to_numpy(writable=True)
    if labels.dtype.is_float():
        return labels.to_numpy(writable=True)
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
