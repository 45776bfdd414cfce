"""Heads without labels in a split are reported before the training and cannot be watched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mmzoo.config import Config, load_config
from mmzoo.errors import DataError
from mmzoo.inspection.inspect import inspect
from mmzoo.preprocessing import fit_config, load_frame

ROWS = [
    *(f"word{row},{'ab'[row % 2]},{row},1,train" for row in range(6)),
    *(f"word{row},{'ab'[row % 2]},,1,validation" for row in range(4)),
    *(f"word{row},{'ab'[row % 2]},{row},,test" for row in range(3)),
]
NONE = "heads.size: none of the 4 validation examples has a label, so validation_loss"


def table(folder: Path) -> Path:
    path = folder / "rows.csv"
    path.write_text("\n".join(["text,kind,size,size_2,split", *ROWS]) + "\n")
    return path


def config(folder: Path, **train: Any) -> Config:
    ignoring = {"type": "regression", "missing": "ignore"}
    return load_config(
        {
            "name": "rows",
            "source": {"type": "table", "path": str(table(folder)), "split": {"column": "split"}},
            "inputs": {"text": {"type": "text", "encoder": {"type": "embedding"}}},
            "heads": {"kind": {"type": "classification"}, "size": ignoring, "size_2": ignoring},
            "train": train,
        }
    ).with_columns()


def notes(data) -> list[str]:
    return [note for note in data.notes if note.startswith("heads.")]


def test_a_split_without_labels_of_a_head_is_a_warning(tmp_path):
    found = load_frame(config(tmp_path))
    assert notes(found) == [
        f"{NONE} does not include it",
        "heads.size_2: none of the 3 test examples has a label, so it has no metrics",
    ]


def test_a_metric_without_labels_cannot_be_monitored(tmp_path):
    for monitor in (None, "validation_size_2_mean_absolute_error"):
        watched = config(tmp_path, monitor=monitor)
        assert fit_config(watched, load_frame(watched))
    silent = config(tmp_path, monitor="validation_size_mean_absolute_error")
    with pytest.raises(DataError) as caught:
        fit_config(silent, load_frame(silent))
    assert str(caught.value) == (
        "train.monitor: cannot monitor validation_size_mean_absolute_error: none of the 4 "
        "validation examples of rows.csv has a label for heads.size (column 'size'). Monitor "
        "another metric (validation_loss, validation_kind_accuracy, "
        "validation_size_2_mean_absolute_error, validation_size_2_root_mean_squared_error), or add "
        "rows with that label to the validation split."
    )


def test_check_data_reports_splits_without_labels(tmp_path):
    silent = config(tmp_path, monitor="validation_size_root_mean_squared_error")
    _, found = inspect(silent)
    assert [warning for warning in found.warnings if warning.startswith(NONE)]
    assert [error for error in found.errors if "cannot monitor validation_size_" in error]
