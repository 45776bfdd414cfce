"""`mmzoo train`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from mmzoo.cli.options import PATH, config_argument, device_option, json_option, set_option

if TYPE_CHECKING:
    from mmzoo.config import Config


class FoldType(click.ParamType):
    """`3/10` or `all/10`: which fold, from 1, or None for all; and how many there are."""

    name = "fold"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int | None, int]:
        found = re.fullmatch(r"([0-9]{1,4}|all)/([0-9]{1,4})", value)
        if not found:
            self.fail(f"'{value}': expected I/K, such as 3/10, or all/10.", param, ctx)
        index, of = None if found[1] == "all" else int(found[1]), int(found[2])
        if of < 2 or (index is not None and not 1 <= index <= of):
            self.fail(f"'{value}': expected two folds or more, and one from 1 to K.", param, ctx)
        return index, of


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
@click.option(
    "--fold",
    type=FoldType(),
    metavar="I/K",
    help="Let fold I of K be the test split; all/K trains on each in turn, and sums them up.",
)
@click.option(
    "--baselines",
    is_flag=True,
    help="Then train each input alone in the same way, and say what all together are worth.",
)
@click.option("--smoke", is_flag=True, help="Train two steps on made-up data, to try the config.")
@json_option
def train(
    config: Path,
    overrides: tuple[str, ...],
    run: Path | None,
    resume: bool,
    device: Literal["auto", "cpu", "gpu"],
    fold: tuple[int | None, int] | None,
    baselines: bool,
    smoke: bool,
    as_json: bool,
) -> None:
    """Train the model that CONFIG describes, and evaluate it on the test split.

    Ctrl-C finishes the step, saves everything and leaves; --resume goes on from there.

    With --baselines each input is then trained alone too, in the same way, as a run below the run.
    A table shows them beside the fusion, and a sentence says whether it beats the best of them, by
    a paired bootstrap of the test examples.

    \b
    Example:
      mmzoo train configs/mnist_cnn.yaml
      mmzoo train configs/mnist_cnn.yaml --set train.epochs=10 --set train.seed=1
      mmzoo train configs/mnist_cnn.yaml --resume
      mmzoo train configs/digits_cnn.yaml --fold all/5
    """
    if baselines and (smoke or (fold and fold[0] is None)):
        other = "--smoke" if smoke else "--fold all/K"
        raise click.UsageError(f"--baselines compares what one training came to, not {other}.")
    if fold and smoke:
        raise click.UsageError("--fold and --smoke: made-up data has no folds.")
    if fold and fold[0] is None and run:
        raise click.UsageError("--run names one run, and --fold all/K makes K of them.")
    from mmzoo.config import load_config
    from mmzoo.runs import refuse_existing

    # Mistakes are said before TensorFlow is imported.
    loaded = load_config(config, overrides, begins=not (resume or smoke))
    if run is not None and not resume:
        refuse_existing(run)
    if baselines:
        from mmzoo.training.alone import alone, refuse_one_input

        refuse_one_input(loaded)
        for name in loaded.inputs:
            alone(loaded.with_columns(), name)

    from mmzoo.cli.baselines import baselines_text
    from mmzoo.cli.results import folds_text, metrics_text
    from mmzoo.training.train import train as train_model

    if fold:
        from mmzoo.training.folds import summarise_folds, train_fold, train_folds, with_fold

        index, of = fold
        if index is None:
            summary = train_folds(loaded, of, resume=resume, device=device)
            click.echo(json.dumps(summary.as_dict()) if as_json else folds_text(summary))
            return
        loaded = with_fold(loaded, index, of)
        done = train_fold(loaded, index, of, run=run, resume=resume, device=device)
    else:
        done = train_model(loaded, run=run, resume=resume, device=device, smoke=smoke)
    compared = None
    if baselines:
        from mmzoo.training.baselines import train_baselines

        compared = train_baselines(done, loaded, device=device)
    metrics = done.metrics()
    if as_json:
        document = {"run": str(done.directory), "metrics": metrics}
        click.echo(json.dumps(document | ({"baselines": compared.as_dict()} if compared else {})))
        return
    click.echo(metrics_text(metrics))
    if compared:
        click.echo(f"\n{baselines_text(compared)}")
    if fold and (so_far := summarise_folds(loaded)):
        click.echo(folds_text(so_far))
    click.echo(_next_steps(str(done.directory), loaded))


def _next_steps(run: str, config: Config) -> str:
    from mmzoo.cli.text import columns, shell_word

    one_file = len(config.inputs) == 1 and config.source.type != "table"
    one_file = one_file and all(spec.role != "value" for spec in config.inputs.values())
    given, what = "--data TABLE", "what it says of rows"
    if one_file:
        given, what = "FILE...", "what it says of files"
    word = shell_word(run)
    commands = [
        (f"  mmzoo eval {word}", "a report with pictures"),
        (f"  mmzoo predict {word} {given}", what),
        (f"  mmzoo board {word}", "its curves in TensorBoard"),
    ]
    return "\n".join(["", f"The run is in {word}. Next:", *columns(commands)])
