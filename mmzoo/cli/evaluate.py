"""`mmzoo eval`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from mmzoo.cli.options import (
    PATH,
    Choice,
    checkpoint_option,
    data_option,
    device_option,
    json_option,
    on_bad_row_option,
)

if TYPE_CHECKING:
    from mmzoo.evaluation.evaluate_run import Evaluated

_DEFAULT = click.core.ParameterSource.DEFAULT


@click.command("eval", short_help="Evaluate a run, and write a report with pictures.")
@click.argument("runs", metavar="RUN...", type=PATH, nargs=-1, required=True)
@click.option(
    "--split",
    type=Choice(["train", "validation", "test"]),
    default="test",
    show_default=True,
    metavar="SPLIT",
    help="Which examples to evaluate on: train, validation or test.",
)
@data_option
@on_bad_row_option
@click.option(
    "--embeddings",
    is_flag=True,
    help="Give TensorBoard's PROJECTOR the vectors of up to 2,000 examples.",
)
@click.option(
    "--modalities",
    is_flag=True,
    help="Say what each of several inputs is worth, by the metric without it.",
)
@click.option(
    "--robustness",
    is_flag=True,
    help="Say how the metric falls as one input gets worse: noise, blur, missing words and cells.",
)
@click.option(
    "--ensemble",
    type=Choice(["average", "weighted", "vote", "stacking"]),
    metavar="METHOD",
    help="Evaluate several RUNs together: average, weighted, vote or stacking.",
)
@click.option(
    "--output",
    type=PATH,
    metavar="DIR",
    help="Where an ensemble goes, in the place of runs/ensembles/<number>.",
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
    ensemble: Literal["average", "weighted", "vote", "stacking"] | None,
    output: Path | None,
    checkpoint: str,
    device: Literal["auto", "cpu", "gpu"],
    as_json: bool,
) -> None:
    """Evaluate RUN, and write a report with pictures into RUN/eval/<split>.

    RUN is a run directory, runs/<name> for its newest, or a weights file inside one. With --data
    it is evaluated on a table with the same columns, or a folder with one for each class, and the
    report goes into RUN/eval/data_<name>; that of another table by the same name gets a number.

    Several RUNs are evaluated together by --ensemble: the average of their probabilities, one with
    weights that are best on the validation split, a vote, or a regression on what they say there.

    \b
    Example:
      mmzoo eval runs/mnist_cnn
      mmzoo eval runs/mnist_cnn/001 --split validation --checkpoint last
      mmzoo eval runs/mnist_cnn --embeddings
      mmzoo eval runs/products --modalities --robustness
      mmzoo eval runs/products --data newer.csv
      mmzoo eval runs/mnist_cnn/001 runs/mnist_cnn/002 --ensemble average
    """
    if (
        data is not None
        and click.get_current_context().get_parameter_source("split") is not _DEFAULT
    ):
        raise click.UsageError("--split names a split of the run's own data; --data has none.")
    if ensemble is not None:
        if embeddings or modalities or robustness:
            raise click.UsageError(
                "--embeddings, --modalities and --robustness are of one run, not of an ensemble."
            )
        _together(runs, ensemble, split, data, on_bad_row, checkpoint, device, output, as_json)
        return
    if len(runs) > 1:
        raise click.UsageError("Several runs are evaluated together: say how by --ensemble.")
    if output is not None:
        raise click.UsageError("--output is for ensembles: the report of a run goes into the run.")
    from mmzoo.evaluation.evaluate_run import evaluate_run

    done = evaluate_run(
        runs[0],
        split=split,
        data=data,
        on_bad_row=on_bad_row,
        checkpoint=checkpoint,
        device=device,
        embeddings=embeddings,
        modalities=modalities,
        robustness=robustness,
    )
    if as_json:
        click.echo(json.dumps(_document(done)))
    else:
        _print(done)


def _document(done: Evaluated) -> dict[str, Any]:
    from mmzoo.evaluation.modalities.as_json import modalities_json

    found: dict[str, Any] = {done.report.split: done.metrics}
    if done.modalities is not None:
        found["modalities"] = modalities_json(done.modalities)
    if done.robustness is not None:
        found["robustness"] = done.robustness.as_json()
    return found


def _print(done: Evaluated) -> None:
    from mmzoo.cli.modality_text import modalities_text, robustness_text
    from mmzoo.cli.results import report_text
    from mmzoo.cli.text import shell_word

    click.echo(report_text(done.report))
    if done.modalities is not None:
        click.echo(f"\n{modalities_text(done.modalities)}")
    if done.robustness is not None:
        click.echo(f"\n{robustness_text(done.robustness)}")
    click.echo(f"\nThe report: {shell_word(done.page)}")
    if done.modalities is not None:
        click.echo(f"What the inputs are worth: {shell_word(done.page.parent / 'modalities.html')}")
    if done.robustness is not None:
        click.echo(f"Worse inputs: {shell_word(done.page.parent / 'robustness.html')}")
    if done.points is not None:
        counted = "1 example" if done.points == 1 else f"{done.points:,} examples"
        command = f"mmzoo board {shell_word(done.report.run)}"
        click.echo(f"Embeddings of {counted}: `{command}` has them under PROJECTOR.")


def _together(
    runs: tuple[Path, ...],
    method: Literal["average", "weighted", "vote", "stacking"],
    split: str,
    data: Path | None,
    on_bad_row: Literal["error", "skip"],
    checkpoint: str,
    device: Literal["auto", "cpu", "gpu"],
    output: Path | None,
    as_json: bool,
) -> None:
    from mmzoo.evaluation.ensembles.ensemble import ensemble

    done = ensemble(
        runs,
        method,
        split=split,
        data=data,
        on_bad_row=on_bad_row,
        checkpoint=checkpoint,
        device=device,
        output=output,
    )
    if as_json:
        click.echo(json.dumps({**done.metrics, "ensemble": done.compared}))
        return
    from mmzoo.cli.ensemble_text import ensemble_text
    from mmzoo.cli.text import shell_word

    click.echo(ensemble_text(done))
    click.echo(f"\nMetrics and predictions: {shell_word(done.folder)}")
