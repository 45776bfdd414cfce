"""The rows: empty cells, classes, lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mmzoo.inspection.found import Found, Lengths
from mmzoo.lazy import np
from mmzoo.spec.wording import shorten

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.sources import Data

_NAMED = 5
_PERCENTILES = (50, 95, 100)
_EVEN = 0.95
"""The share of one class from which on a model learns little but to say it."""


def count_missing(data: Data, found: Found) -> None:
    """Counts empty cells by column and split, in the source's own columns.

    Of bad rows none is counted: each of them is told with its reason. Nor are paths of files, since
    one is empty too where there is no file at it: `absent` has both.
    """

    for split, columns in data.splits.items():
        for column, values in columns.items():
            # In bad rows something harmless stands, such as no path at all.
            count = _missing(np.delete(values, list(data.bad.get(split, ())), axis=0))
            if count:
                found.missing.setdefault(column, {})[split] = count


def _missing(values: np.ndarray) -> int:

    match values.dtype.kind:
        case "O":
            return int((values == np.array(None)).sum())
        case "f" if values.ndim == 1:
            return int(np.isnan(values).sum())
        case "M":
            return int(np.isnat(values).sum())
    return 0


def count_classes(config: Config, data: Data, found: Found) -> None:
    """Counts the rows of each class by head and split, and warns of what is rare or absent."""

    for name, head in config.heads.items():
        column = config.columns[name]
        if head.role not in ("class", "labels"):
            continue
        names = data.class_names.get(column) or getattr(head, "class_names", None) or ()
        for split, columns in data.splits.items():
            labels = columns[column][head.labelled(columns[column])]
            if head.role == "class":
                counts = np.bincount(labels, minlength=len(names))
            else:
                counts = labels.sum(axis=0, dtype=np.int64)
            named = dict(enumerate(names)) | {n: str(n) for n in range(len(names), len(counts))}
            found.classes.setdefault(name, {})[split] = {
                named[place]: int(count) for place, count in enumerate(counts)
            }
        _warn_of_classes(name, found.classes[name], found)


def _warn_of_classes(name: str, splits: Mapping[str, Mapping[str, int]], found: Found) -> None:
    for split, counts in splits.items():
        absent = [one for one, count in counts.items() if count == 0]
        if absent:
            more = f" and {len(absent) - _NAMED:,} more" if len(absent) > _NAMED else ""
            shown = ", ".join(shorten(one) for one in absent[:_NAMED])
            found.warnings.append(
                f"heads.{name}: {len(absent):,} of {len(counts):,} classes have no row in "
                f"{split}: {shown}{more}"
            )
    rows = sum(splits["train"].values())
    commonest = max(splits["train"], key=lambda one: splits["train"][one], default=None)
    if commonest is not None and rows and splits["train"][commonest] > _EVEN * rows:
        share = 100 * splits["train"][commonest] / rows
        found.warnings.append(
            f"heads.{name}: {share:.1f} % of the training rows are '{shorten(commonest)}', so a "
            "model that always says it looks good; `class_weights: auto` counters that"
        )


def measure_lengths(config: Config, data: Data, found: Found) -> None:
    """Measures texts and sounds against the length that is read of them."""

    for name, spec in config.inputs.items():
        for split, columns in data.splits.items():
            values = columns[config.columns[name]]
            if name in config.presence:
                values = values[columns[config.presence[name]]]
            measured = spec.measured(values)
            if measured is None or not len(measured.lengths):
                continue
            found.lengths.setdefault(name, {})[split] = Lengths(
                measured.unit,
                measured.limit,
                {
                    str(percent): round(
                        float(np.percentile(measured.lengths, percent, method="higher")), 2
                    )
                    for percent in _PERCENTILES
                },
                int((measured.lengths > measured.limit).sum()),
            )
