"""What an ensemble leaves: a folder of its own, beside the runs and never inside one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.arrays import write_arrays
from mmzoo.errors import RunError
from mmzoo.evaluation.ensembles.methods import Combination
from mmzoo.evaluation.ensembles.rows import Rows
from mmzoo.evaluation.predictions_file import rows_named
from mmzoo.files import write_text
from mmzoo.runs import Run
from mmzoo.tables import write_table

FOLDER = Path("runs") / "ensembles"


def ensemble_folder(output: Path | None, members: Sequence[Run], *, make: bool = False) -> Path:
    """Where an ensemble goes: `output`, or `runs/ensembles/<next number>`.

    Args:
        output: the folder that the user named, which must not be there.
        members: the runs.
        make: whether to make it.

    Raises:
        RunError: there is something already, or it would be inside a member.
    """
    if output is not None:
        if output.exists() or output.is_symlink():
            raise RunError(f"{output}: exists already. Name another --output.")
        for run in members:
            if output.resolve().is_relative_to(run.directory.resolve()):
                raise RunError(f"{output}: is inside {run.directory}. Name another --output.")
        if make:
            output.mkdir(parents=True)
        return output
    numbers = [int(path.name) for path in FOLDER.glob("*") if path.name.isdigit()]
    number = max(numbers, default=0) + 1
    while make:  # Two that end at once each get a number of their own.
        try:
            (FOLDER / f"{number:03d}").mkdir(parents=True)
            break
        except FileExistsError:
            number += 1
    return FOLDER / f"{number:03d}"


def write_ensemble(
    folder: Path,
    metrics: Mapping[str, Any],
    rows: Rows,
    heads: Mapping[str, tuple[Combination, np.ndarray]],
) -> None:
    """Writes predictions.csv, what was learnt, and metrics.json, which comes last."""
    _write_predictions(folder / "predictions.csv", rows, heads)
    for name, (combination, _) in heads.items():
        if combination.stackers:
            arrays = {
                f"{word}_{key}": values
                for word, stacker in combination.stackers.items()
                for key, values in stacker.items()
            }
            write_arrays(folder / f"{name}_stacker.npz", arrays)
    text = json.dumps(metrics, indent=2, allow_nan=False)
    write_text(folder / "metrics.json", text + "\n")


def _write_predictions(
    path: Path, rows: Rows, heads: Mapping[str, tuple[Combination, np.ndarray]]
) -> None:
    """A row for each example, as `mmzoo eval` writes them of a run."""
    first = rows.evaluations[0]
    table = rows_named(rows.data, first)
    for name, (combination, predictions) in heads.items():
        head = combination.judge
        table[f"{name}_true"] = head.truths(first.labels[name])
        table |= head.written(predictions, name)
    write_table(path, table)
