"""Arrays and splits of a frame, as numpy arrays, for tests."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from mmzoo.config import Config
from mmzoo.data import TableFormat, read_rows
from mmzoo.data.frame import Frame, table_of, to_array
from mmzoo.missing_values import label_array
from mmzoo.preprocessing import Arrays, fit_config, load_frame, transform


def splits_of(frame: Frame) -> dict[str, dict[str, np.ndarray]]:
    """The source's columns by split; missing labels are -1 or NaN, others NaN or None."""
    columns = [column for column in frame.table.columns if not column.startswith("mmzoo.")]
    values = {}
    for column in columns:
        kind = frame.table.schema[column]
        is_label = kind.is_integer() or column in frame.class_names
        values[column] = label_array(frame, column) if is_label else to_array(frame.table[column])
    return {
        split: {column: one[rows] for column, one in values.items()}
        for split, rows in frame.rows.items()
    }


def bad_of(frame: Frame) -> dict[str, dict[int, str]]:
    """Split -> row of the split -> why it cannot be used."""
    issues = frame.found_issues()
    return {
        split: {place: issues[row][1] for place, row in enumerate(rows.tolist()) if row in issues}
        for split, rows in frame.rows.items()
    }


def read_frame(path: str, form: TableFormat | None = None) -> pl.DataFrame:
    """All columns of a table as they are."""
    return pl.DataFrame(read_rows(path, {}, form=form, others=True).other_columns())


def frame_of(
    splits: Mapping[str, Mapping[str, np.ndarray]], known: Mapping[int, str] | None = None
) -> Frame:
    """A frame of arrays by split and column, some rows of which have issues."""
    frame = Frame(table_of(splits), name="some", fingerprint="")
    return frame.with_issues({row: (None, why) for row, why in (known or {}).items()})


def load_arrays(config: Config) -> Arrays:
    """The arrays that a training of a config has."""
    frame = load_frame(config)
    fitted, preprocessing = fit_config(config, frame)
    return transform(fitted, frame, preprocessing)
