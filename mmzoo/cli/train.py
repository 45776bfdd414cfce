"""`mmzoo train`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import click

from mmzoo.cli.options import PATH, config_argument, device_option, json_option, set_option


@click.command(short_help="Train the model of a config, and evaluate it.")
@config_argument
@set_option
@click.option(
    "--run",
    type=PATH,
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

    Ctrl-C finishes the step, saves everything and leaves; --resume goes on from there.

    \b
    Example:
      mmzoo train configs/mnist_cnn.yaml
      mmzoo train configs/mnist_cnn.yaml --set train.epochs=10 --set train.seed=1
      mmzoo train configs/mnist_cnn.yaml --resume
    """
    from mmzoo.config import load_config
    from mmzoo.runs import refuse_existing

    # Mistakes are said before TensorFlow is imported.
    loaded = load_config(config, overrides)
    if run is not None and not resume:
        refuse_existing(run)

    from mmzoo.cli.results import metrics_text
    from mmzoo.training.train import train as train_model

    done = train_model(loaded, run=run, resume=resume, device=device, smoke=smoke)
    metrics = done.metrics()
    if as_json:
        click.echo(json.dumps({"run": str(done.directory), "metrics": metrics}))
        return
    click.echo(metrics_text(metrics))
    click.echo(_next_steps(str(done.directory)))


def _next_steps(run: str) -> str:
    from mmzoo.cli.text import columns, shell_word

    word = shell_word(run)
    commands = [
        (f"  mmzoo eval {word}", "a report with pictures"),
        (f"  mmzoo predict {word} FILE...", "what it says of files"),
        (f"  mmzoo board {word}", "its curves in TensorBoard"),
    ]
    return "\n".join(["", f"The run is in {word}. Next:", *columns(commands)])
