"""`mmzoo eval RUN`: metrics, report, predictions and comparisons of a run on one split."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmzoo import __version__
from mmzoo.config import Config
from mmzoo.devices import Kind, memory_errors, prepare_devices
from mmzoo.errors import RunError
from mmzoo.evaluation.comparison import Comparison, comparison_from_json
from mmzoo.evaluation.comparison_pages import linked_pages, origin_of, write_comparison
from mmzoo.evaluation.embeddings import embed
from mmzoo.evaluation.evaluate import Evaluation, evaluate_model
from mmzoo.evaluation.evaluation_data import load_other_data, load_split, record_data
from mmzoo.evaluation.head_report import head_report
from mmzoo.evaluation.modality_comparison import compare_modalities, require_several_inputs
from mmzoo.evaluation.plots import history_plot
from mmzoo.evaluation.predictions_file import write_predictions
from mmzoo.evaluation.projector import write_projector
from mmzoo.evaluation.report import Report, write_report
from mmzoo.evaluation.robustness import compare_robustness
from mmzoo.files import write_text
from mmzoo.fitted_probes import usable_probes
from mmzoo.lazy import keras
from mmzoo.preprocessing import transform
from mmzoo.runs import Run
from mmzoo.spec import dump_yaml
from mmzoo.trained_model import load_network, open_trained

if TYPE_CHECKING:
    from mmzoo.data.frame import OnBadRow
    from mmzoo.preprocessing import Arrays


@dataclass(frozen=True)
class Evaluated:
    """The results of evaluating a run.

    Attributes:
        metrics: the split's entry in metrics.json.
        report: what the page shows.
        page: the HTML file.
        points: the number of examples in TensorBoard's projector, if requested.
        modalities: the contribution of each input, if requested.
        robustness: the robustness to corrupted inputs, if requested.
    """

    metrics: dict[str, Any]
    report: Report
    page: Path
    points: int | None = None
    modalities: Comparison | None = None
    robustness: Comparison | None = None

    @property
    def comparisons(self) -> list[Comparison]:
        return [one for one in (self.modalities, self.robustness) if one]


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
        data: instead of a split, a table with the columns of all inputs and heads, or a folder with
            one subfolder for each class. The report goes into `eval/data_<name>/`, with a number
            after it if a report of other data is there.
        on_bad_row: what to do with rows of `data` that cannot be used: "error" or "skip".
        checkpoint: "best", "last", or a weights file; not together with a weights file as `run`.
        device: "auto", "cpu" or "gpu".
        embeddings: write the embeddings of up to 2,000 examples for TensorBoard's projector into
            the run's `logs/`.
        modalities: measure the contribution of each of several inputs: `modalities.html` and
            `.json` beside the report.
        robustness: measure the metrics as one input is corrupted: `robustness.html` and `.json`.

    Returns:
        The split's metrics, as `metrics.json` has them.

    Raises:
        DataError: `data` cannot be read, or does not fit the model.
        RunError: there is no such run, split or checkpoint, or the run's data has changed.
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
    """As `evaluate`, with everything that the report shows."""
    run, checkpoint = open_trained(run, checkpoint)
    config = run.config()
    if modalities:
        require_several_inputs(config, str(run.directory))
    if (modalities or robustness) and not config.labelled_heads:
        raise RunError(
            f"{run.directory}: has no head with labels, so it has no scores to compare by "
            "--modalities or --robustness"
        )
    devices = prepare_devices(device, config.train)
    if data is None:
        frame = load_split(run, config, split)
    else:
        frame = load_other_data(run, config, Path(data), on_bad_row)
    [split] = frame.splits
    rows = transform(config, frame, run.preprocessing())
    network, _ = load_network(run, checkpoint, devices.precision)
    model = network.model
    probes = usable_probes(run, config, model, checkpoint)
    is_own_best = checkpoint == "best" and data is None
    baselines = _baselines(run, split) if is_own_best else None
    evaluation = evaluate_model(model, config, rows, split, probes)
    # Everything is measured before anything is written, so that a failure leaves the files as is.
    contribution = None
    if modalities:
        contribution = compare_modalities(network, config, rows, evaluation, baselines)
    curves = compare_robustness(network, config, rows, evaluation) if robustness else None
    folder = run.evaluation(split)
    if data is not None:
        record_data(folder, Path(data))
    metrics = evaluation.as_metrics()
    write_text(folder / "metrics.json", json.dumps({split: metrics}, indent=2) + "\n")
    write_predictions(folder / "predictions.csv", config, rows, evaluation, probes)
    report = _report(run, config, checkpoint, rows, model, evaluation)
    origin = origin_of(report, model)
    for comparison in (contribution, curves):
        if comparison is not None:
            write_comparison(folder, origin, report, comparison)
    report = replace(report, pages=linked_pages(folder, origin), baselines=baselines)
    write_report(folder / "report.html", report)
    if is_own_best:
        run.write_metrics({**run.metrics(), split: metrics})
    points = None
    if embeddings:
        embedded = embed(model, config, rows, run.preprocessing(), evaluation)
        write_projector(run.logs, embedded)
        points = embedded.examples
    return Evaluated(metrics, report, folder / "report.html", points, contribution, curves)


def _baselines(run: Run, split: str) -> Comparison | None:
    """The comparison in baselines.json, where it is of this split."""
    content = run.baselines()
    return comparison_from_json(content) if content.get("split") == split else None


def _report(
    run: Run,
    config: Config,
    checkpoint: str | Path,
    data: Arrays,
    model: keras.Model,
    evaluation: Evaluation,
) -> Report:
    """The report, whose plots are written beside it."""
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
        history=_learning_curves(run, folder / "history.png"),
    )


def _learning_curves(run: Run, path: Path) -> Path | None:
    """Draws the learning curves; None where no epoch was finished."""
    rows = run.history()
    if not rows:
        return None
    history_plot(path, rows)
    return path
