"""`mmzoo train`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import click

from mmzoo.cli.options import config_argument, device_option, json_option, set_option


@click.command()
@config_argument
@set_option
@click.option(
    "--run",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The run directory to make; by default runs/<name>/<next number>.",
)
@click.option("--resume", is_flag=True, help="Go on exactly where --run, or the newest run, was.")
@device_option
@click.option("--smoke", is_flag=True, help="Train two steps on made-up data, to try the config.")
@json_option
def train(
    config: Path,
    overrides: tuple[str, ...],
    run: Path | None,
    resume: bool,
    device: Literal["auto", "cpu", "gpu"],
    smoke: bool,
    as_json: bool,
) -> None:
    """Train the model that CONFIG describes, and evaluate it on the test split.

    \b
    Example:
      mmzoo train configs/mnist_cnn.yaml
      mmzoo train configs/mnist_cnn.yaml --set train.epochs=10 --set train.seed=1
      mmzoo train configs/mnist_cnn.yaml --resume
    """
    from mmzoo.config import load_config

    loaded = load_config(config, overrides)  # Mistakes are said before TensorFlow is imported.

    from mmzoo.cli.results import metrics_text
    from mmzoo.training.train import train as train_model

    done = train_model(loaded, run=run, resume=resume, device=device, smoke=smoke)
    metrics = done.metrics()
    if as_json:
        click.echo(json.dumps({"run": str(done.directory), "metrics": metrics}))
        return
    click.echo(metrics_text(metrics))
    click.echo(
        f"\nThe run is in {done.directory}. Next:\n"
        f"  mmzoo eval {done.directory}     a report with pictures\n"
        f"  mmzoo predict {done.directory} FILE...\n"
        f"  mmzoo board {done.directory}    its curves in TensorBoard"
    )
