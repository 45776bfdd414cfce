"""`mmzoo eval`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from mmzoo.cli.command_options import (
    PATH,
    Choice,
    checkpoint_option,
    data_option,
    device_option,
    json_option,
    on_bad_row_option,
)

if TYPE_CHECKING:
    from mmzoo.evaluation.ensemble import Ensemble
    from mmzoo.evaluation.evaluate_run import Evaluated


@click.command("eval", short_help="Evaluate a run, and write a report.")
@click.argument("runs", metavar="RUN...", type=PATH, nargs=-1, required=True)
@click.option(
    "--split",
    type=Choice(["train", "validation", "test"]),
    default="test",
    show_default=True,
    metavar="SPLIT",
    help="Split to evaluate on: train, validation or test.",
)
@data_option
@on_bad_row_option
@click.option(
    "--embeddings",
    is_flag=True,
    help="Write embeddings of up to 2,000 examples for TensorBoard's PROJECTOR.",
)
@click.option(
    "--modalities",
    is_flag=True,
    help="Measure what each of several inputs contributes, by leaving it out.",
)
@click.option(
    "--robustness",
    is_flag=True,
    help="Measure robustness to corrupted inputs: noise, blur, missing words and cells.",
)
@click.option(
    "--frechet",
    type=PATH,
    metavar="RUN",
    help="Judge the images of a GAN by another run: Fréchet distance of features, classes read.",
)
@click.option(
    "--ensemble",
    type=Choice(["average", "weighted", "vote", "stacking"]),
    metavar="METHOD",
    help="Combine several RUNs: average, weighted, vote or stacking.",
)
@click.option(
    "--output",
    type=PATH,
    metavar="DIR",
    help="Folder to write, instead of one in the run or runs/ensembles/<number>.",
)
@checkpoint_option
@device_option
@json_option
def evaluate(
    runs: tuple[Path, ...],
    split: str,
    data: Path | None,
    on_bad_row: Literal["error", "skip"],
    embeddings: bool,
    modalities: bool,
    robustness: bool,
    frechet: Path | None,
    ensemble: Literal["average", "weighted", "vote", "stacking"] | None,
    output: Path | None,
    checkpoint: str,
    device: Literal["auto", "cpu", "gpu"],
    as_json: bool,
) -> None:
    """Evaluate RUN, and write a report with plots into RUN/eval/<split>.

    RUN is a run directory, runs/<name> for its newest, or a weights file inside one. With --data
    it is evaluated on another table with the same columns, or a folder with a subfolder for each
    class. That report goes into RUN/eval/data_<name>, with a number after it if the name is taken.
    --output writes into another folder and leaves the run unchanged, which may be read-only.

    Several RUNs are combined by --ensemble: the average of their probabilities, a weighted average
    or a stacked regression fitted to the validation split, or a vote.

    \b
    Example:
      mmzoo eval runs/mnist_cnn
      mmzoo eval runs/mnist_cnn/001 --split validation --checkpoint last
      mmzoo eval runs/mnist_cnn --embeddings
      mmzoo eval runs/products --modalities --robustness
      mmzoo eval runs/products --data newer.csv
      mmzoo eval runs/mnist_cnn/001 runs/mnist_cnn/002 --ensemble average
    """
    measures = embeddings or modalities or robustness or frechet is not None
    _refuse_together(runs, data, ensemble, measures)
    where: dict[str, Any] = {"split": split, "data": data, "on_bad_row": on_bad_row}
    where |= {"checkpoint": checkpoint, "device": device, "output": output}
    if ensemble is not None:
        from mmzoo.evaluation.ensemble import ensemble as combine

        combined = combine(runs, ensemble, **where)
        if as_json:
            document = {**combined.metrics, "ensemble": combined.comparison.as_json()}
            click.echo(json.dumps(document))
        else:
            _print_ensemble(combined)
        return
    from mmzoo.evaluation.evaluate_run import evaluate_run

    done = evaluate_run(
        runs[0],
        embeddings=embeddings,
        modalities=modalities,
        robustness=robustness,
        frechet=frechet,
        **where,
    )
    if as_json:
        click.echo(json.dumps(_document(done)))
    else:
        _print(done)


def _refuse_together(
    runs: tuple[Path, ...],
    data: Path | None,
    ensemble: str | None,
    measures: bool,
) -> None:
    """Refuses options that exclude one another.

    Args:
        runs: the runs.
        data: the table.
        ensemble: the method.
        measures: whether there is an option that measures more of a single run.
    """
    split_is_from = click.get_current_context().get_parameter_source("split")
    if data is not None and split_is_from is not click.core.ParameterSource.DEFAULT:
        raise click.UsageError(
            "--split is a split of the run's own data, so it cannot be used with --data."
        )
    if ensemble is not None and measures:
        raise click.UsageError(
            "--embeddings, --modalities, --robustness and --frechet need a single run, not an "
            "ensemble."
        )
    if ensemble is None and len(runs) > 1:
        raise click.UsageError("To evaluate several runs together, add --ensemble METHOD.")


def _document(done: Evaluated) -> dict[str, Any]:
    document: dict[str, Any] = {done.report.split: done.metrics}
    return document | {one.kind: one.as_json() for one in done.comparisons}


def _print(done: Evaluated) -> None:
    from mmzoo.cli.comparison_text import comparison_text
    from mmzoo.cli.results_text import evaluation_text
    from mmzoo.cli.terminal_text import quote

    click.echo(evaluation_text(done.report))
    for comparison in done.comparisons:
        click.echo(f"\n{comparison_text(comparison)}")
    if done.page is None:
        return
    click.echo(f"\nReport: {quote(done.page)}")
    for comparison in done.comparisons:
        page = done.page.with_name(f"{comparison.kind}.html")
        click.echo(f"{comparison.title}: {quote(page)}")
    if done.points is not None:
        counted = "1 example" if done.points == 1 else f"{done.points:,} examples"
        command = f"mmzoo board {quote(done.report.run)}"
        click.echo(f"Embeddings of {counted}: see PROJECTOR in `{command}`.")


def _print_ensemble(done: Ensemble) -> None:
    from mmzoo.cli.comparison_text import comparison_text
    from mmzoo.cli.terminal_text import quote

    click.echo(comparison_text(done.comparison))
    click.echo(f"\nMetrics and predictions: {quote(done.folder)}")
