"""What an ensemble leaves: a folder of its own, beside the runs and never inside one."""

from __future__ import annotations

import errno
import json
import os
import shutil
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


def ensemble_folder(output: Path | None, members: Sequence[Run]) -> Path:
    """Where an ensemble goes: `output`, or `runs/ensembles/<next number>`; it is not made.

    Args:
        output: the folder that the user named, which must not be there.
        members: the runs.

    Raises:
        RunError: there is something already, or it would be inside a member.
    """
    if output is None:
        numbers = [int(path.name) for path in FOLDER.glob("*") if path.name.isdigit()]
        return FOLDER / f"{max(numbers, default=0) + 1:03d}"
    if output.exists() or output.is_symlink():
        raise RunError(f"{output}: exists already. Name another --output.")
    for run in members:
        if output.resolve().is_relative_to(run.directory.resolve()):
            raise RunError(f"{output}: is inside {run.directory}. Name another --output.")
    return output


def write_ensemble(
    output: Path | None,
    members: Sequence[Run],
    rows: Rows,
    heads: Mapping[str, Combination],
    records: Mapping[str, Mapping[str, Any]],
) -> Path:
    """Writes the folder of an ensemble, whole or not at all.

    Args:
        output: the folder that the user named, if they did.
        members: the runs.
        rows: what they say of examples, which goes into predictions.csv together.
        heads: how that becomes one, and what was learnt for it, which goes into a file for each.
        records: what goes into JSON files, by their names.

    Returns:
        The folder.
    """
    folder = ensemble_folder(output, members)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    temporary.mkdir(parents=True)
    try:
        _write_predictions(temporary / "predictions.csv", rows, heads)
        for name, combination in heads.items():
            if combination.stackers:
                write_arrays(temporary / f"{name}_stacker.npz", _arrays(combination))
        for name, record in records.items():
            text = json.dumps(record, indent=2, allow_nan=False)
            write_text(temporary / f"{name}.json", text + "\n")
        return _named(temporary, folder, output, members)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _named(temporary: Path, folder: Path, output: Path | None, members: Sequence[Run]) -> Path:
    """Gives the folder its name: where two end at once, each gets a number of its own."""
    while True:
        try:
            temporary.rename(folder)
            return folder
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
            folder = ensemble_folder(output, members)


def _arrays(combination: Combination) -> dict[str, np.ndarray]:
    return {
        f"{word}_{key}": values
        for word, stacker in combination.stackers.items()
        for key, values in stacker.items()
    }


def _write_predictions(path: Path, rows: Rows, heads: Mapping[str, Combination]) -> None:
    """A row for each example, as `mmzoo eval` writes them of a run."""
    first = rows.evaluations[0]
    table = rows_named(rows.data, first)
    for name, combination in heads.items():
        head = combination.judge
        predictions = combination.combined([one.predictions[name] for one in rows.evaluations])
        table[f"{name}_true"] = head.truths(first.labels[name])
        table |= head.written(predictions, name)
    write_table(path, table)
