"""`mmzoo eval RUN`: metrics, report, predictions and comparisons of a run on one split."""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mmzoo import __version__
from mmzoo.config import Config
from mmzoo.devices import Kind, memory_errors, prepare_devices
from mmzoo.early_stopping import best_epoch
from mmzoo.errors import RunError
from mmzoo.evaluation.comparison import Comparison, comparison_from_json
from mmzoo.evaluation.comparison_pages import linked_pages, origin_of, write_comparison
from mmzoo.evaluation.embeddings import embed
from mmzoo.evaluation.evaluate import Evaluation, evaluate_model
from mmzoo.evaluation.evaluation_data import load_other_data, load_split, record_data
from mmzoo.evaluation.generated_images import sample_images
from mmzoo.evaluation.head_report import fusion_reports, head_report
from mmzoo.evaluation.image_grid import write_png
from mmzoo.evaluation.image_judge import judge_generated, load_judge
from mmzoo.evaluation.modality_comparison import compare_modalities, require_several_inputs
from mmzoo.evaluation.plots import history_plot
from mmzoo.evaluation.predictions_file import write_predictions
from mmzoo.evaluation.projector import write_projector
from mmzoo.evaluation.report import Report, write_report
from mmzoo.evaluation.robustness import compare_robustness
from mmzoo.files import write_text
from mmzoo.fitted_probes import usable_probes
from mmzoo.heads import ScoresExamples
from mmzoo.lazy import keras
from mmzoo.preprocessing import transform
from mmzoo.runs import Run
from mmzoo.spec import dump_yaml
from mmzoo.trained_model import load_network, open_trained

if TYPE_CHECKING:
    from mmzoo.data import InMemoryTable
    from mmzoo.data.frame import OnBadRow
    from mmzoo.preprocessing import Arrays

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluated:
    """The results of evaluating a run.

    Attributes:
        metrics: the split's entry in metrics.json.
        report: what the page shows.
        page: the HTML file; None where the run is read-only.
        points: the number of examples in TensorBoard's projector, if requested.
        modalities: the contribution of each input, if requested.
        robustness: the robustness to corrupted inputs, if requested.
    """

    metrics: dict[str, Any]
    report: Report
    page: Path | None
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
    data: Path | str | InMemoryTable | None = None,
    on_bad_row: OnBadRow = "error",
    checkpoint: str | Path = "best",
    device: Kind = "auto",
    embeddings: bool = False,
    modalities: bool = False,
    robustness: bool = False,
    frechet: Run | Path | str | None = None,
    output: Path | str | None = None,
) -> dict[str, Any]:
    """Evaluates a run on one split and writes the report into `eval/<split>/`.

    Args:
        run: the run, its directory, `runs/<name>` for its newest, or a weights file inside one.
        split: "train", "validation" or "test".
        data: instead of a split, a table with the columns of all inputs and heads (its path, a
            DataFrame, or arrays by column name), or a folder with one subfolder for each class. The
            report goes into `eval/data_<name>/`, with a number after it if a report of other data
            is there.
        on_bad_row: what to do with rows of `data` that cannot be used: "error" or "skip".
        checkpoint: "best", "last", or a weights file; not together with a weights file as `run`.
        device: "auto", "cpu" or "gpu".
        embeddings: write the embeddings of up to 2,000 examples for TensorBoard's projector into
            the run's `logs/`.
        modalities: measure the contribution of each of several inputs: `modalities.html` and
            `.json` beside the report.
        robustness: measure the metrics as one input is corrupted: `robustness.html` and `.json`.
        frechet: a run of single images that judges the images of a GAN: by the Fréchet distance of
            its features and, if it tells the same classes apart, by the classes that it reads.
        output: folder to write instead of one in the run, which then stays unchanged.

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
        frechet=frechet,
        output=output,
    ).metrics


@memory_errors()
def evaluate_run(
    run: Run | Path | str,
    *,
    split: str,
    checkpoint: str | Path,
    device: Kind,
    data: Path | str | InMemoryTable | None = None,
    on_bad_row: OnBadRow = "error",
    embeddings: bool = False,
    modalities: bool = False,
    robustness: bool = False,
    frechet: Run | Path | str | None = None,
    output: Path | str | None = None,
) -> Evaluated:
    """Like `evaluate`, but returns everything that the report shows.

    If the run is read-only, nothing is written.
    """
    run, checkpoint = open_trained(run, checkpoint)
    config = run.config()
    _require_comparable(run, config, modalities, robustness)
    generates = config.objective.generated_input(config.inputs) is not None
    if frechet is not None and not generates:
        raise RunError(
            f"{run.directory}: its objective is {config.objective.type}, so there are no generated "
            "images for --frechet to measure; expected a run with `objective: {type: gan}`"
        )
    devices = prepare_devices(device, config.train)
    judge = None if frechet is None else load_judge(frechet)
    data = Path(data) if isinstance(data, str) else data
    frame = (
        load_split(run, config, split)
        if data is None
        else load_other_data(run, config, data, on_bad_row)
    )
    [split] = frame.splits
    rows = transform(config, frame, run.preprocessing())
    network, _ = load_network(run, checkpoint, devices.precision)
    model = network.model
    probes = usable_probes(run, config, model, checkpoint)
    is_own_best = checkpoint == "best" and data is None
    baselines = _baselines(run, split) if is_own_best else None
    evaluation = evaluate_model(model, config, rows, split, probes)
    if judge is not None:
        judged = judge_generated(model, config, rows.splits[split], judge)
        evaluation = replace(evaluation, generated=judged)
    # Everything is measured before anything is written, so that a failure leaves the files as is.
    contribution = None
    if modalities:
        contribution = compare_modalities(network, config, rows, evaluation, baselines)
    curves = compare_robustness(network, config, rows, evaluation) if robustness else None
    folder = Path(output) if output else run.evaluation(split)
    own_logs = run.logs if output is None else folder / "logs"
    with _folder_to_write(folder) as (written, is_kept):
        if data is not None:
            record_data(written, data)
        metrics = evaluation.as_metrics()
        write_text(written / "metrics.json", json.dumps({split: metrics}, indent=2) + "\n")
        write_predictions(written / "predictions.csv", config, rows, evaluation, probes)
        report = _report(run, config, checkpoint, rows, model, evaluation, written)
        origin = origin_of(report, model)
        for comparison in (contribution, curves):
            if comparison is not None:
                write_comparison(written, origin, report, comparison)
        report = replace(report, pages=linked_pages(written, origin), baselines=baselines)
        write_report(written / "report.html", report)
        if is_own_best and output is None and is_kept:
            run.write_metrics({**run.metrics(), split: metrics})
        points = None
        if embeddings and is_kept:
            embedded = embed(model, config, rows, run.preprocessing(), evaluation)
            write_projector(own_logs, embedded)
            points = embedded.examples
    page = folder / "report.html" if is_kept else None
    return Evaluated(metrics, report, page, points, contribution, curves)


def _require_comparable(run: Run, config: Config, modalities: bool, robustness: bool) -> None:
    """Raises a RunError if the requested comparisons are impossible for the model."""
    if modalities:
        require_several_inputs(config, str(run.directory))
    if (modalities or robustness) and not any(
        isinstance(head, ScoresExamples) for head in config.heads.values()
    ):
        raise RunError(
            f"{run.directory}: none of its heads scores examples, so there is nothing to compare "
            "by --modalities or --robustness"
        )


@contextmanager
def _folder_to_write(folder: Path) -> Iterator[tuple[Path, bool]]:
    """The folder, or a temporary one if it is read-only, and whether it stays."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_writable = os.access(folder, os.W_OK)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        is_writable = False
    if is_writable:
        yield folder, True
        return
    logger.warning(
        f"Note: {folder} is read-only: no report was written. Give another folder with --output."
    )
    with TemporaryDirectory() as temporary:
        yield Path(temporary), False


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
    folder: Path,
) -> Report:
    """The report, whose plots are written into `folder`."""
    preprocessing = run.preprocessing()
    generated = None
    if config.objective.generated_input(config.inputs) is not None:
        generated = folder / "generated.png"
        images = sample_images(model, config, data, evaluation.split, preprocessing)
        write_png(generated, images.grid())
    loss_weights = config.objective.learned_weights(model, config.heads)
    return Report(
        title=config.name,
        run=str(run.directory),
        checkpoint=str(checkpoint),
        split=evaluation.split,
        examples=evaluation.examples,
        data=data.name,
        requested_data=data.fallback_for or data.name,
        fingerprint=data.fingerprint,
        date=datetime.now().astimezone(),
        version=__version__,
        loss=evaluation.as_metrics()["loss"],
        heads=(
            *(
                replace(
                    head_report(name, config, data, preprocessing, evaluation, model, folder),
                    loss_weight=loss_weights.get(name),
                )
                for name in config.heads
            ),
            *fusion_reports(config, preprocessing, evaluation, model, folder),
        ),
        config=dump_yaml(config),
        history=_learning_curves(run, folder / "history.png"),
        generated=generated,
        generated_metrics=evaluation.generated,
    )


def _learning_curves(run: Run, path: Path) -> Path | None:
    """Draws the learning curves; None where no epoch was finished."""
    rows = run.history()
    if not rows:
        return None
    history_plot(path, rows, best_epoch(rows, run.config().monitor()))
    return path
