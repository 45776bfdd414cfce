"""`mmzoo check --data`: everything that a training would meet, past the first error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mmzoo.data.bad_rows import apply_on_bad_row
from mmzoo.errors import ConfigError, DataError, TrainingError
from mmzoo.inspection.data_report import (
    DataReport,
    count_classes,
    count_missing,
    find_duplicates,
    measure_lengths,
)
from mmzoo.missing_inputs import missing_counts, require_present
from mmzoo.missing_labels import missing_label_notes
from mmzoo.preprocessing import fit_config, scan, transform
from mmzoo.run_log import shown_by

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.data.frame import Frame
    from mmzoo.preprocessing import Arrays


def inspect(config: Config) -> tuple[Config, DataReport]:
    """Reads all data of a config, decodes every file, builds the model and takes a few steps.

    Args:
        config: With columns.

    Returns:
        The config, fitted if it could be, and the report.

    Raises:
        DataError: The source cannot be read at all.
    """
    report = DataReport()
    raw = config.source.read(config.required_columns(), config.train.effective_split_seed)
    report.data = raw.name
    count_missing(config, raw, report)
    frame = _without_bad_rows(config, raw, report)
    report.examples = {split: frame.examples(split) for split in frame.splits}
    report.notes += frame.notes
    report.absent = missing_counts(frame, config.presence)
    report.warnings += missing_label_notes(config.labelled_heads, config.columns, frame)
    count_classes(config, frame, report)
    find_duplicates(config, frame, report)
    try:
        require_present(frame, config.presence)
        fitted, preprocessing = fit_config(config, frame)
        measure_lengths(fitted, frame, report)
        with shown_by(report.notes.append):
            arrays = transform(fitted, frame, preprocessing)
    except DataError as error:
        report.errors.append(str(error))
        return config, report
    _inspect_model(fitted, arrays, report)
    return fitted, report


def _without_bad_rows(config: Config, raw: Frame, report: DataReport) -> Frame:
    """The scanned frame without bad rows, which are all reported; every file is decoded."""
    frame = scan(config, raw, decode=True)
    rest = apply_on_bad_row(frame, "skip")
    stops = config.source.on_bad_row == "error"
    rows = report.errors if stops else report.warnings
    rows += [f"{row.split}: {row.file}: {row.reason}" for row in rest.skipped]
    return replace(rest, notes=frame.notes)


def _inspect_model(config: Config, data: Arrays, report: DataReport) -> None:
    from mmzoo.devices import memory_errors
    from mmzoo.inspection.cost import estimate_cost
    from mmzoo.inspection.shape_trace import trace_shapes

    try:
        with memory_errors():
            trace_shapes(config, report)
            if report.network:
                report.cost = estimate_cost(config, data)
    except (ConfigError, DataError, TrainingError) as error:
        report.errors.append(str(error))
