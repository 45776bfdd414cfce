"""`mmzoo eval`: all figures and pictures of a run on one split."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmzoo import __version__
from mmzoo.config import Config
from mmzoo.devices import Kind, memory_errors, prepare_devices
from mmzoo.errors import RunError
from mmzoo.evaluation.embeddings import embed
from mmzoo.evaluation.evaluate import Evaluation, evaluate_model
from mmzoo.evaluation.input_files import (
    Origin,
    pages_of,
    weights_digest,
    write_modalities,
    write_robustness,
)
from mmzoo.evaluation.modalities.modalities import (
    Modalities,
    measured_modalities,
    require_several_inputs,
)
from mmzoo.evaluation.other_data import named_after, note_data
from mmzoo.evaluation.pictures.plots import history_plot
from mmzoo.evaluation.predictions_file import write_predictions
from mmzoo.evaluation.projector import write_projector
from mmzoo.evaluation.reports.head_reports import head_report
from mmzoo.evaluation.reports.report import Report, write_report
from mmzoo.evaluation.robustness.robustness import Robustness, measured_robustness
from mmzoo.evaluation.run_data import same_data
from mmzoo.examples import load_rows, prepare
from mmzoo.files import write_text
from mmzoo.lazy import keras
from mmzoo.probing import usable_probes
from mmzoo.runs import Run
from mmzoo.spec import did_you_mean, dump_yaml
from mmzoo.trained import load_network, open_trained

if TYPE_CHECKING:
    from mmzoo.sources import Data, OnBadRow

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluated:
    """What came of evaluating a run.

    Attributes:
        metrics: the split's entry in metrics.json.
        report: what the page says.
        page: the HTML file.
        points: how many examples TensorBoard's projector got, if it was to have any.
        modalities: what the inputs are worth, if that was asked.
        robustness: how the model bears worse inputs, if that was asked.
    """

    metrics: dict[str, Any]
    report: Report
    page: Path
    points: int | None = None
    modalities: Modalities | None = None
    robustness: Robustness | None = None


def evaluate(
    run: Run | Path | str,
    *,
    split: str = "test",
    data: Path | str | None = None,
    on_bad_row: OnBadRow = "error",
    checkpoint: str | Path = "best",
    device: Kind = "auto",
    embeddings: bool = False,
    modalities: bool = False,
    robustness: bool = False,
) -> dict[str, Any]:
    """Evaluates a run on one split and writes the report into `eval/<split>/`.

    Args:
        run: the run, its directory, `runs/<name>` for its newest, or a weights file inside one.
        split: "train", "validation" or "test".
        data: in the place of a split, a table with the columns of all inputs and heads, or a folder
            with one for each class. The report goes into `eval/data_<name>/`, or that with a number
            where a report of other data is.
        on_bad_row: what becomes of rows of `data` that cannot be used: "error" or "skip".
        checkpoint: "best", "last", or a weights file; not beside a weights file as `run`.
        device: "auto", "cpu" or "gpu".
        embeddings: give TensorBoard's projector the vectors that the model makes of the examples,
            or of 2,000 of them, into the run's `logs/`.
        modalities: measure what each of several inputs is worth: `modalities.html` and `.json`
            beside the report.
        robustness: measure how the metrics fall as one input gets worse: `robustness.html` and
            `.json`.

    Returns:
        The split's metrics, as `metrics.json` has them.

    Raises:
        DataError: `data` cannot be read, or does not fit the model.
        RunError: there is no such run, split or checkpoint, or the data is not the run's.
    """
    return evaluate_run(
        run,
        split=split,
        data=data,
        on_bad_row=on_bad_row,
        checkpoint=checkpoint,
        device=device,
        embeddings=embeddings,
        modalities=modalities,
        robustness=robustness,
    ).metrics


@memory_errors()
def evaluate_run(
    run: Run | Path | str,
    *,
    split: str,
    checkpoint: str | Path,
    device: Kind,
    data: Path | str | None = None,
    on_bad_row: OnBadRow = "error",
    embeddings: bool = False,
    modalities: bool = False,
    robustness: bool = False,
) -> Evaluated:
    """As `evaluate`, with all that the report says."""
    run, checkpoint = open_trained(run, checkpoint)
    config = run.config()
    if modalities:
        require_several_inputs(config, str(run.directory))
    devices = prepare_devices(device, config.train)
    rows = _rows(run, config, split, data, on_bad_row)
    [split] = rows.splits
    rows = prepare(config, rows, run.preprocessing())
    network, _ = load_network(run, checkpoint, devices.precision)
    model = network.model
    probes = usable_probes(run, config, model, checkpoint)
    beside = run.baselines() if checkpoint == "best" and data is None else {}
    if beside.get("split") != split:
        beside = {}
    evaluation = evaluate_model(model, config, rows, split, probes)
    # Nothing is written before all is measured: what is there stays whole if it can't be.
    worth = None
    if modalities:
        worth = measured_modalities(network, config, rows, evaluation, beside)
    borne = measured_robustness(network, config, rows, evaluation) if robustness else None
    folder = run.evaluation(split)
    if data is not None:
        note_data(folder, Path(data))
    metrics = evaluation.as_metrics()
    write_text(folder / "metrics.json", json.dumps({split: metrics}, indent=2) + "\n")
    write_predictions(folder / "predictions.csv", config, rows, evaluation, probes)
    report = _report(run, config, checkpoint, rows, model, evaluation)
    origin = Origin(report.checkpoint, weights_digest(model), report.data, report.fingerprint)
    if worth is not None:
        write_modalities(folder, origin, report, worth)
    if borne is not None:
        write_robustness(folder, origin, report, borne)
    report = replace(report, pages=pages_of(folder, origin), baselines=beside)
    write_report(folder / "report.html", report)
    if checkpoint == "best" and data is None:
        run.write_metrics({**run.metrics(), split: metrics})
    points = None
    if embeddings:
        embedded = embed(model, config, rows, run.preprocessing(), evaluation)
        write_projector(run.logs, embedded)
        points = embedded.examples
    return Evaluated(metrics, report, folder / "report.html", points, worth, borne)


def _rows(
    run: Run, config: Config, split: str, data: Path | str | None, on_bad_row: OnBadRow
) -> Data:
    """The one split to evaluate on, of the run's own data or of other."""
    if data is None:
        rows = same_data(run, config)
        if split not in rows.splits:
            meant = did_you_mean(split, rows.splits) or "."
            raise RunError(f"unknown split '{split}'{meant} There are: {', '.join(rows.splits)}")
        return replace(rows, splits={split: rows.splits[split]})  # Others take time to prepare.
    split = named_after(run, Path(data))
    rows = load_rows(config, str(data), split, labelled=True, on_bad_row=on_bad_row)
    for note in rows.notes:
        logger.info(f"Note: {note}.")
    return rows


def _report(
    run: Run,
    config: Config,
    checkpoint: str | Path,
    data: Data,
    model: keras.Model,
    evaluation: Evaluation,
) -> Report:
    """What the page says; its pictures are drawn beside where it will be."""
    folder, preprocessing = run.evaluation(evaluation.split), run.preprocessing()
    loss_weights = config.objective.learned_weights(model, config.heads)
    return Report(
        title=config.name,
        run=str(run.directory),
        checkpoint=str(checkpoint),
        split=evaluation.split,
        examples=evaluation.examples,
        data=data.name,
        data_asked=data.fallback_for or data.name,
        fingerprint=data.fingerprint,
        date=datetime.now().astimezone(),
        version=__version__,
        loss=evaluation.as_metrics()["loss"],
        heads=tuple(
            replace(
                head_report(name, config, data, preprocessing, evaluation, folder),
                loss_weight=loss_weights.get(name),
            )
            for name in config.heads
        ),
        config=dump_yaml(config),
        history=_drawn_history(run, folder / "history.png"),
    )


def _drawn_history(run: Run, path: Path) -> Path | None:
    """The picture of the training's course; None where not one epoch was done."""
    rows = run.history()
    if not rows:
        return None
    history_plot(path, rows)
    return path
