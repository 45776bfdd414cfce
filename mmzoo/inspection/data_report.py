"""DataReport: what `mmzoo check --data` finds out about a data set and the training on it.

Missing cells, classes, lengths and duplicates by split. All values are plain, so that they can be
printed or written as one JSON document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mmzoo.config import Config
from mmzoo.data.duplicates import combined_keys, distinct_count, matching_rows
from mmzoo.data.frame import ROW, SPLIT, Frame, scanned_column
from mmzoo.lazy import np, pl
from mmzoo.metrics.metric_info import percent
from mmzoo.missing_values import label_array
from mmzoo.modalities.abilities import HasLengths
from mmzoo.preprocessing import input_keys
from mmzoo.spec.wording import shorten

ALL_INPUTS = "all inputs"
_NAMED_CLASSES = 5
_NAMED_ROWS = 3
_PERCENTILES = (50, 95, 100)
_IMBALANCED = 0.95
"""The share of the majority class from which a model learns little else than to predict it."""
_MEANT_UNIQUE = 0.5
"""The share of unique values from which an input's values are meant to be unique: 38,575 questions
about images may have 107 different wordings, and that these recur is no leakage."""


@dataclass(frozen=True)
class LengthSummary:
    """The lengths of an input's values in a split."""

    unit: str
    limit: float
    """The maximum length; longer values are truncated."""
    percentiles: Mapping[str, float]
    """"50", "95" and "100" -> the length that so many percent of the values do not exceed."""
    cut: int
    """The number of truncated values."""


@dataclass(frozen=True)
class Repeats:
    """Rows of a split that the training split has too."""

    rows: int
    share: float
    """Of the split's rows."""
    pairs: tuple[tuple[str, str], ...]
    """The first few: the name of the row, and of the equal row of the training split."""


@dataclass(frozen=True)
class ShapeTrace:
    """A layer or sub-model on the way from inputs to heads: its output shape and its weights."""

    name: str
    kind: str
    output: str
    parameters: int


@dataclass(frozen=True)
class Cost:
    """The estimated cost of a training on this machine, from a few steps that were run.

    Attributes:
        steps: The number of timed steps.
        device: Where they ran.
        step_seconds: Per training step.
        steps_per_epoch: Training steps of an epoch.
        epoch_seconds: Per epoch, with its validation.
        epochs: The maximum number of epochs.
        memory: Peak bytes of this process, or of its GPUs.
        frozen: Inputs whose frozen encoder runs once per example, as its features are cached.
        once_seconds: For these features, and for decoding files that fit into memory.
        fine_tune_seconds: For the second stage, if there is one.
        total_seconds: For all of it, without early stopping.
    """

    steps: int
    device: str
    step_seconds: float
    steps_per_epoch: int
    epoch_seconds: float
    epochs: int
    memory: int
    frozen: tuple[str, ...] = ()
    once_seconds: float = 0.0
    fine_tune_seconds: float = 0.0
    total_seconds: float = 0.0


@dataclass
class DataReport:
    """The report; its fields are the keys of `mmzoo check --data --json`.

    Attributes:
        data: The data's name.
        examples: Split -> rows.
        notes: The notes of the source and of preprocessing.
        missing: Column -> split -> empty cells, where there are any; paths of files excluded.
        absent: Input -> split -> examples without it, for inputs that any example lacks.
        classes: Head -> split -> class -> rows.
        lengths: Input -> split -> lengths.
        repeats: Input, or `ALL_INPUTS` -> split -> rows that the training split has too.
        network: Output shapes from the inputs to the heads.
        parameters: The number of the model's weights.
        trainable: The number of those that are trained.
        cost: The estimated cost of a training; None if the model could not be built.
        errors: What would stop a training.
        warnings: What would harm it.
    """

    data: str = ""
    examples: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    missing: dict[str, dict[str, int]] = field(default_factory=dict)
    absent: dict[str, dict[str, int]] = field(default_factory=dict)
    classes: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    lengths: dict[str, dict[str, LengthSummary]] = field(default_factory=dict)
    repeats: dict[str, dict[str, Repeats]] = field(default_factory=dict)
    network: list[ShapeTrace] = field(default_factory=list)
    parameters: int = 0
    trainable: int = 0
    cost: Cost | None = None
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def count_missing(config: Config, frame: Frame, report: DataReport) -> None:
    """Counts missing values by column and split, in the source's own columns.

    Bad rows are not counted, since each is reported with its reason. Neither are paths of files,
    which are null too where the file does not exist: `absent` has both.
    """
    counted = [
        column
        for column, spec in config.required_columns().items()
        if spec.role not in ("file", "class", "labels")
    ]
    good = frame.table.with_columns(pl.int_range(pl.len()).alias(ROW))
    good = good.filter(~pl.col(ROW).is_in(frame.issues["row"].to_list()))
    for split in frame.splits:
        rows = good.filter(pl.col(SPLIT) == split)
        for column in counted:
            if count := rows[column].null_count():
                report.missing.setdefault(column, {})[split] = count


def count_classes(config: Config, frame: Frame, report: DataReport) -> None:
    """Counts rows by head, split and class; warns about imbalance and classes without rows."""
    for name, head in config.labelled_heads.items():
        column = config.columns[name]
        if head.role not in ("class", "labels"):
            continue
        names = frame.class_names.get(column) or getattr(head, "class_names", None) or ()
        all_labels = label_array(frame, column)
        for split, rows in frame.rows.items():
            labels = all_labels[rows][head.labelled(all_labels[rows])]
            if head.role == "class":
                classes = max(len(names), getattr(head, "classes", None) or 0)
                counts = np.bincount(labels, minlength=classes)
            else:
                counts = labels.sum(axis=0, dtype=np.int64)
            named = dict(enumerate(names)) | {n: str(n) for n in range(len(names), len(counts))}
            report.classes.setdefault(name, {})[split] = {
                named[index]: int(count) for index, count in enumerate(counts)
            }
        report.warnings += _class_warnings(name, report.classes[name])


def _class_warnings(head: str, splits: Mapping[str, Mapping[str, int]]) -> list[str]:
    warnings = []
    for split, counts in splits.items():
        empty = [name for name, count in counts.items() if count == 0]
        if empty:
            more = f" and {len(empty) - _NAMED_CLASSES:,} more" * (len(empty) > _NAMED_CLASSES)
            shown = ", ".join(map(shorten, empty[:_NAMED_CLASSES]))
            warnings.append(
                f"heads.{head}: {len(empty):,} of {len(counts):,} classes have no row in "
                f"{split}: {shown}{more}"
            )
    train = splits["train"]
    rows = sum(train.values())
    if rows and max(train.values()) > _IMBALANCED * rows:
        majority = max(train, key=lambda name: train[name])
        warnings.append(
            f"heads.{head}: class imbalance: {percent(train[majority] / rows)} of the training "
            f"rows are '{shorten(majority)}', so always predicting it scores high; "
            "`class_weights: auto` counters that"
        )
    return warnings


def measure_lengths(config: Config, frame: Frame, report: DataReport) -> None:
    """Compares the lengths of an input's values with its maximum length."""
    for name, spec in config.inputs.items():
        if not isinstance(spec, HasLengths):
            continue
        for split in frame.splits:
            measured = spec.lengths(frame.values(scanned_column(name), split).drop_nulls())
            if not len(measured.lengths):
                continue
            percentiles = np.percentile(measured.lengths, _PERCENTILES, method="higher")
            report.lengths.setdefault(name, {})[split] = LengthSummary(
                measured.unit,
                measured.limit,
                {
                    str(percent): round(float(length), 2)
                    for percent, length in zip(_PERCENTILES, percentiles, strict=True)
                },
                int((measured.lengths > measured.limit).sum()),
            )


def find_duplicates(config: Config, frame: Frame, report: DataReport) -> None:
    """Finds validation and test rows of which the training split has all inputs, or a file or text.

    Files are equal if their content is, whatever their names are. Values that an input reads from
    several columns may recur, such as two prices: of several inputs, one of these is not reported.
    """
    keys = input_keys(config, frame)
    media = [name for name, spec in config.inputs.items() if not spec.uses_remaining_columns]
    reported = {name: keys[name] for name in (media if len(keys) > 1 else keys)}
    if len(keys) > 1:
        reported[ALL_INPUTS] = combined_keys([*keys.values()])
    for name, of_rows in reported.items():
        train = of_rows[frame.rows["train"]]
        meant_unique = distinct_count(train) >= _MEANT_UNIQUE * len(train)
        for split in frame.splits:
            if split == "train":
                continue
            rows, matches = matching_rows(of_rows[frame.rows[split]], train)
            if not len(rows):
                continue
            pairs = tuple(
                (
                    frame.row_name(int(frame.rows[split][row])),
                    frame.row_name(int(frame.rows["train"][match])),
                )
                for row, match in zip(rows[:_NAMED_ROWS], matches[:_NAMED_ROWS], strict=True)
            )
            repeats = Repeats(len(rows), len(rows) / max(1, frame.examples(split)), pairs)
            report.repeats.setdefault(name, {})[split] = repeats
            if name == ALL_INPUTS or (meant_unique and len(keys) == 1):
                report.warnings.append(_duplicates_warning(name, split, repeats))
            elif meant_unique:
                kind = config.inputs[name].type
                report.warnings.append(_repeated_warning(name, kind, split, repeats))


def _duplicates_warning(name: str, split: str, repeats: Repeats) -> str:
    row, match = repeats.pairs[0]
    where = name if name == ALL_INPUTS else f"inputs.{name}"
    rows = "row is" if repeats.rows == 1 else "rows are"
    return (
        f"{where}: {repeats.rows:,} {split} {rows} in the training split too "
        f"({percent(repeats.share)}), such as {row}, which equals {match}: {split} scores will "
        "be too good"
    )


def _repeated_warning(name: str, kind: str, split: str, repeats: Repeats) -> str:
    row, match = repeats.pairs[0]
    rows = "row" if repeats.rows == 1 else "rows"
    return (
        f"inputs.{name}: the {kind} of {repeats.rows:,} {split} {rows} is repeated in the training "
        f"split ({100 * repeats.share:.1f} %), such as that of {row} in {match}: {split} scores "
        "may be too good"
    )
