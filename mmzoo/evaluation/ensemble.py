"""`mmzoo eval RUN RUN ... --ensemble METHOD`: several finished runs combined."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmzoo.data import OnBadRow
from mmzoo.devices import Kind, memory_errors
from mmzoo.errors import RunError
from mmzoo.evaluation.comparison import (
    Comparison,
    ComparisonRow,
    constant_row,
    difference_words,
    metrics_row,
    with_lead,
)
from mmzoo.evaluation.ensemble_members import (
    Member,
    MemberPredictions,
    open_members,
    predict_splits,
    predict_table,
)
from mmzoo.evaluation.ensemble_methods import (
    FITTED,
    METHOD_NAMES,
    Combination,
    Method,
    fit_combination,
)
from mmzoo.evaluation.evaluate import head_metrics
from mmzoo.evaluation.predictions_file import rows_named
from mmzoo.files import write_arrays, write_text
from mmzoo.metrics import MetricInfo, PairedDifference, main_metric, negate, paired_bootstrap
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
        predictions: head -> the combined predictions, float32 `[rows, width]`.
        metrics: the contents of metrics.json, in the form of a run's.
        comparison: the ensemble beside its members, the contents of ensemble.json.
        folder: where it is written.
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

    Each run preprocesses the examples in its own way. Then their predictions are combined head by
    head: by `average`, of probabilities or of numbers; by `weighted`, with the weights that are
    best on the validation split; by `vote`, of the decisions; or by `stacking`, a logistic or ridge
    regression on the predictions for the validation split.

    Args:
        runs: two or more, each as `mmzoo.evaluate` takes it.
        method: one of these.
        split: "train", "validation" or "test"; not "validation" for a method fitted to it.
        data: instead of a split, a table or folder, as for `mmzoo.evaluate`.
        on_bad_row: what to do with rows of `data` that cannot be used: "error" or "skip".
        checkpoint: "best" or "last".
        device: "auto", "cpu" or "gpu".
        output: the folder to write; by default `runs/ensembles/<next number>`.

    Raises:
        DataError: `data` cannot be read, or does not fit the models.
        RunError: one is not a run, or they do not fit together; the message says what differs.

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
    member_runs = [member.run for member in members]
    ensemble_folder(output, member_runs)  # Fails before any work.
    with memory_errors():
        if data is None:
            found = predict_splits(members, [split, *([_VALIDATION] if is_fitted else [])], device)
        else:
            found = [predict_table(members, data, _DATA, on_bad_row, device)]
            if is_fitted:
                found += predict_splits(members, [_VALIDATION], device)
    evaluated, fitted_to = found[0], found[1] if is_fitted else None
    combinations = fit_combinations(members, method, fitted_to)
    predictions = {
        name: one.combine([member.predictions[name] for member in evaluated.evaluations])
        for name, one in combinations.items()
    }
    labels = evaluated.evaluations[0].labels
    metrics = {
        name: head_metrics(one.decision_head, labels[name], predictions[name])
        for name, one in combinations.items()
    }
    if all(of_head.get("labelled") == 0 for of_head in metrics.values()):
        heads = ", ".join(combinations)
        raise RunError(f"none of the rows of {evaluated.data.name} has a label of {heads}")
    comparison = compare_members(members, evaluated, method, combinations, predictions, metrics)
    entry = {
        "data": evaluated.data.name,
        "examples": evaluated.evaluations[0].examples,
        "loss": None,  # Nothing was minimized.
        **metrics,
    }
    folder = ensemble_folder(output, member_runs)
    whole = {evaluated.split: entry}
    done = Ensemble(combinations, evaluated, predictions, whole, comparison, folder)
    return _write(done, output, member_runs)


def fit_combinations(
    members: Sequence[Member], method: Method, fitted_to: MemberPredictions | None
) -> dict[str, Combination]:
    """Fits an ensemble method to each head; a RunError where no head has a label.

    Args:
        members: the runs.
        method: the ensemble method.
        fitted_to: the members' predictions for the validation split; None where nothing is fitted.
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


def compare_members(
    members: Sequence[Member],
    evaluated: MemberPredictions,
    method: Method,
    combinations: Mapping[str, Combination],
    predictions: Mapping[str, np.ndarray],
    metrics: Mapping[str, Mapping[str, Any]],
) -> Comparison:
    """Compares the ensemble with its best member, for each head that has labels."""
    names = [member.name for member in members]
    labels = evaluated.evaluations[0].labels
    rows: list[ComparisonRow] = []
    best: dict[str, str] = {}
    findings: dict[str, list[str]] = {}
    warnings = []
    for name, combination in combinations.items():
        info = main_metric(metrics[name])
        if info is None:
            if metrics[name].get("labelled") == 0:
                warnings.append(f"{name}: none of the rows has a label, so it has no metrics.")
            continue
        head = combination.decision_head
        there = head.labelled(labels[name])
        scores = [
            member.config.labelled_heads[name].example_scores(
                labels[name][there], one.predictions[name][there]
            )
            for member, one in zip(members, evaluated.evaluations, strict=True)
        ]
        place = int(np.argmax([score.mean() for score in scores]))
        own = head.example_scores(labels[name][there], predictions[name][there])
        gain = paired_bootstrap(own, scores[place])
        best[name] = names[place]
        called = METHOD_NAMES[combination.method]
        rows += [
            metrics_row(name, member, info, one.metrics[name])
            for member, one in zip(names, evaluated.evaluations, strict=True)
        ]
        rows.append(with_lead(metrics_row(name, called, info, metrics[name]), negate(gain)))
        rows.append(constant_row(name, info, metrics[name]))
        findings[name] = [
            *_weights_words(names, combination),
            ensemble_verdict(called, names[place], gain, info),
        ]
    return Comparison(
        kind="ensemble",
        title=f"{METHOD_NAMES[method].capitalize()} of {len(members)} runs",
        split=evaluated.split,
        examples=evaluated.evaluations[0].examples,
        rows=tuple(rows),
        reference=best,
        best=best,
        findings=findings,
        warnings=warnings,
        details={
            "data": evaluated.data.name,
            "method": method,
            "methods": {name: one.method for name, one in combinations.items()},
            "members": {
                name: one.metrics for name, one in zip(names, evaluated.evaluations, strict=True)
            },
            "weights": {
                name: dict(zip(names, one.weights, strict=True))
                for name, one in combinations.items()
                if one.weights
            },
        },
    )


def ensemble_verdict(called: str, best: str, gain: PairedDifference, info: MetricInfo) -> str:
    """Whether an ensemble with this gain, in mean scores, beats its best member."""
    if gain.low > 0:
        return f"the {called} beats its best member, {best}, by {difference_words(gain, info)}"
    if gain.high < 0:
        by = difference_words(negate(gain), info)
        return f"the {called} is worse than its best member, {best}, by {by}"
    if gain.low == gain.high == 0:
        return f"the {called} is as good as its best member, {best}, on every example"
    by = difference_words(gain, info)
    return f"no clear difference between the {called} and its best member, {best} ({by})"


def _weights_words(members: Sequence[str], combination: Combination) -> list[str]:
    if not combination.weights:
        return []
    weights = zip(members, combination.weights, strict=True)
    words = ", ".join(f"{name} {weight:.3f}" for name, weight in weights)
    return [f"weights, fitted to the validation split: {words}"]


def ensemble_folder(output: Path | None, members: Sequence[Run]) -> Path:
    """The folder to write: `output`, or `runs/ensembles/<next number>`; it is not created.

    A RunError where `output` exists, or is inside a member.
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


def _write(done: Ensemble, output: Path | None, members: Sequence[Run]) -> Ensemble:
    """Writes the folder of an ensemble, whole or not at all; returns it with its final folder."""
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


def _rename(temporary: Path, folder: Path, output: Path | None, members: Sequence[Run]) -> Path:
    """Gives the folder its name; two that end at once get a number each."""
    while True:
        try:
            temporary.rename(folder)
            return folder
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
            folder = ensemble_folder(output, members)


def _write_predictions(path: Path, done: Ensemble) -> None:
    """Writes a row for each example, as `mmzoo eval` does for a run."""
    first = done.members.evaluations[0]
    table = rows_named(done.members.data, first)
    for name, combination in done.combinations.items():
        head = combination.decision_head
        table[f"{name}_true"] = head.true_labels(first.labels[name])
        table |= head.decode(done.predictions[name], name)
    write_table(path, table)
