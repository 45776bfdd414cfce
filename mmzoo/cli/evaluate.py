"""`mmzoo eval`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import click

from mmzoo.cli.options import checkpoint_option, device_option, json_option, run_argument


@click.command("eval")
@run_argument
@click.option(
    "--split",
    type=click.Choice(["train", "validation", "test"]),
    default="test",
    show_default=True,
    help="Which examples to evaluate on.",
)
@checkpoint_option
@device_option
@json_option
def evaluate(
    run: Path,
    split: str,
    checkpoint: str,
    device: Literal["auto", "cpu", "gpu"],
    as_json: bool,
) -> None:
    """Evaluate RUN, and write a report with pictures into RUN/eval/<split>.

    RUN is a run directory, runs/<name> for its newest, or a weights file inside one.

    \b
    Example:
      mmzoo eval runs/mnist_cnn
      mmzoo eval runs/mnist_cnn/001 --split validation --checkpoint last
    """
    from mmzoo.evaluation.evaluate_run import evaluate as evaluate_run
    from mmzoo.runs import open_run

    found, file = open_run(run)
    metrics = {
        split: evaluate_run(found, split=split, checkpoint=file or checkpoint, device=device)
    }
    if as_json:
        click.echo(json.dumps(metrics))
        return
    from mmzoo.cli.results import metrics_text

    click.echo(metrics_text(metrics))
    click.echo(f"\nThe report: {found.evaluation(split) / 'report.html'}")
