"""`mmzoo eval RUN RUN ... --ensemble METHOD`: several finished runs combined."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.data import OnBadRow
from mmzoo.devices import Kind, memory_errors
from mmzoo.errors import RunError
from mmzoo.evaluation.comparison import Comparison
from mmzoo.evaluation.ensemble_comparison import compare_members
from mmzoo.evaluation.ensemble_members import (
    Member,
    MemberPredictions,
    open_members,
    predict_splits,
    predict_table,
)
from mmzoo.evaluation.ensemble_methods import FITTED, Combination, Method, fit_combination
from mmzoo.evaluation.evaluate import head_metrics
from mmzoo.evaluation.predictions_file import rows_named
from mmzoo.files import write_arrays, write_text
from mmzoo.runs import Run
from mmzoo.tables import write_table

logger = logging.getLogger(__name__)

FOLDER = Path("runs") / "ensembles"
_VALIDATION = "validation"
_DATA = "data"


@dataclass(frozen=True)
class Ensemble:
    """Several runs, combined and evaluated.

    Attributes:
        combinations: head -> the fitted ensemble method.
        members: the predictions of the members.
        predictions: head -> combined predictions, float `[rows, width]`.
        metrics: the contents of metrics.json, in the same form as a run's.
        comparison: the ensemble compared with its members: the contents of ensemble.json.
        folder: the folder that it is written to.
    """

    combinations: dict[str, Combination]
    members: MemberPredictions
    predictions: dict[str, np.ndarray]
    metrics: dict[str, Any]
    comparison: Comparison
    folder: Path


def ensemble(
    runs: Sequence[Run | Path | str],
    method: Method = "average",
    *,
    split: str = "test",
    data: Path | str | None = None,
    on_bad_row: OnBadRow = "error",
    checkpoint: str | Path = "best",
    device: Kind = "auto",
    output: Path | None = None,
) -> Ensemble:
    """Combines several finished runs, and writes metrics, comparison and predictions.

    Each run preprocesses the examples in its own way. Their predictions are then combined head by
    head: `average` averages probabilities or numbers; `weighted` uses the weights that are best on
    the validation split; `vote` counts decisions; `stacking` fits a logistic or ridge regression to
    the predictions for the validation split.

    Args:
        runs: two or more runs, each as for `mmzoo.evaluate`.
        method: the ensemble method.
        split: "train", "validation" or "test"; not "validation" for a method fitted to it.
        data: instead of a split, a table or folder, as for `mmzoo.evaluate`.
        on_bad_row: handling of rows of `data` that cannot be used: "error" or "skip".
        checkpoint: "best" or "last".
        device: "auto", "cpu" or "gpu".
        output: the folder to write, by default `runs/ensembles/<next number>`.

    Raises:
        DataError: `data` cannot be read, or does not fit the models.
        RunError: one is not a finished run, or they do not fit together; the message says why.

    Reference: Wolpert, "Stacked generalization", 1992; Kittler et al., "On combining classifiers",
    1998.
    """
    members = open_members(runs, checkpoint, method)
    is_fitted = method in FITTED
    if is_fitted and data is None and split == _VALIDATION:
        raise RunError(
            f"--ensemble {method} is fitted to the validation split, so it cannot be evaluated on "
            "it. Use --split test."
        )
    ensemble_folder(output, members)  # Fails before any work.
    fit_splits = [_VALIDATION] if is_fitted else []
    with memory_errors():
        if data is None:
            evaluated, *fitted_to = predict_splits(members, [split, *fit_splits], device)
        else:
            evaluated = predict_table(members, data, _DATA, on_bad_row, device)
            fitted_to = predict_splits(members, fit_splits, device) if is_fitted else []
    combinations = fit_combinations(members, method, fitted_to[0] if is_fitted else None)
    done = _combine(members, method, evaluated, combinations, ensemble_folder(output, members))
    return _write(done, output, members)


def _combine(
    members: Sequence[Member],
    method: Method,
    evaluated: MemberPredictions,
    combinations: dict[str, Combination],
    folder: Path,
) -> Ensemble:
    """Combines and evaluates the members' predictions; a RunError if no row has a label."""
    first, data = evaluated.evaluations[0], evaluated.data.name
    predictions = {
        name: combination.combine([one.predictions[name] for one in evaluated.evaluations])
        for name, combination in combinations.items()
    }
    metrics = {
        name: head_metrics(combination.decision_head, first.labels[name], predictions[name])
        for name, combination in combinations.items()
    }
    if all(of_head.get("labelled") == 0 for of_head in metrics.values()):
        raise RunError(f"none of the rows of {data} has a label of {', '.join(combinations)}")
    # An ensemble minimizes no loss.
    entry = {"data": data, "examples": first.examples, "loss": None, **metrics}
    comparison = compare_members(members, evaluated, method, combinations, predictions, metrics)
    return Ensemble(
        combinations, evaluated, predictions, {evaluated.split: entry}, comparison, folder
    )


def fit_combinations(
    members: Sequence[Member], method: Method, fitted_to: MemberPredictions | None
) -> dict[str, Combination]:
    """Fits an ensemble method to each head; a RunError if no head has a label.

    Args:
        members: the members.
        method: the ensemble method.
        fitted_to: the members' predictions for the validation split; None if nothing is fitted.
    """
    heads = members[0].config.labelled_heads
    if fitted_to is None:
        return {name: fit_combination(method, head) for name, head in heads.items()}
    labels = fitted_to.evaluations[0].labels
    labelled = {name: head.labelled(labels[name]) for name, head in heads.items()}
    if not any(rows.any() for rows in labelled.values()):
        raise RunError(
            f"no row of the validation split has a label of {', '.join(heads)}, so --ensemble "
            f"{method} cannot be fitted. Use average or vote."
        )
    found = {}
    for name, head in heads.items():
        rows = labelled[name]
        if rows.any():
            predictions = [one.predictions[name][rows] for one in fitted_to.evaluations]
            found[name] = fit_combination(method, head, predictions, labels[name][rows])
        else:
            found[name] = fit_combination("average", head)
            logger.info(
                f"Note: no row of the validation split has a label of {name}: it is averaged, as "
                f"{method} cannot be fitted."
            )
    return found


def ensemble_folder(output: Path | None, members: Sequence[Member]) -> Path:
    """The folder to write, not created yet: `output`, or `runs/ensembles/<next number>`.

    Raises:
        RunError: `output` exists, or is inside a member's run.
    """
    if output is None:
        numbers = [int(path.name) for path in FOLDER.glob("*") if path.name.isdigit()]
        return FOLDER / f"{max(numbers, default=0) + 1:03d}"
    if output.exists() or output.is_symlink():
        raise RunError(f"{output}: exists already. Name another --output.")
    for member in members:
        directory = member.run.directory
        if output.resolve().is_relative_to(directory.resolve()):
            raise RunError(f"{output}: is inside {directory}. Name another --output.")
    return output


def _write(done: Ensemble, output: Path | None, members: Sequence[Member]) -> Ensemble:
    """Writes the ensemble's folder atomically; returns the ensemble with its final folder."""
    folder = done.folder
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    temporary.mkdir(parents=True)
    try:
        _write_predictions(temporary / "predictions.csv", done)
        for name, combination in done.combinations.items():
            if combination.stackers:
                arrays = {
                    f"{part}_{key}": values
                    for part, stacker in combination.stackers.items()
                    for key, values in stacker.items()
                }
                write_arrays(temporary / f"{name}_stacker.npz", arrays)
        for name, record in (("metrics", done.metrics), ("ensemble", done.comparison.as_json())):
            text = json.dumps(record, indent=2, allow_nan=False)
            write_text(temporary / f"{name}.json", text + "\n")
        return replace(done, folder=_rename(temporary, folder, output, members))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _rename(temporary: Path, folder: Path, output: Path | None, members: Sequence[Member]) -> Path:
    """Renames the folder; ensembles that finish at the same time get a number each."""
    while True:
        try:
            temporary.rename(folder)
            return folder
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
            folder = ensemble_folder(output, members)


def _write_predictions(path: Path, done: Ensemble) -> None:
    """Writes one row per example, as `mmzoo eval` does for a run."""
    first = done.members.evaluations[0]
    names = rows_named(done.members.data, first)
    table = dict(names)
    for name, combination in done.combinations.items():
        head = combination.decision_head
        table[f"{name}_true"] = head.true_labels(first.labels[name])
        table |= head.decode(done.predictions[name], name)
    write_table(path, table, trusted=table.keys() - names)
