"""`mmzoo train`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from mmzoo.cli.command_options import PATH, config_argument, device_option, json_option, set_option

if TYPE_CHECKING:
    from mmzoo.config import Config
    from mmzoo.evaluation.comparison import Comparison
    from mmzoo.runs import Run


class FoldType(click.ParamType):
    """`3/10` or `all/10`: the index of a fold from 1, or None for all; and their number."""

    name = "fold"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int | None, int]:
        found = re.fullmatch(r"([0-9]{1,4}|all)/([0-9]{1,4})", value)
        if not found:
            self.fail(f"'{value}': expected I/K, such as 3/10, or all/10.", param, ctx)
        index, of = None if found[1] == "all" else int(found[1]), int(found[2])
        if of < 2:
            self.fail(f"'{value}': expected at least two folds.", param, ctx)
        if index is not None and not 1 <= index <= of:
            self.fail(f"'{value}': expected a fold from 1 to {of}.", param, ctx)
        return index, of


@click.command(short_help="Train the model of a config, and evaluate it.")
@config_argument
@set_option
@click.option(
    "--run",
    type=PATH,
    metavar="DIR",
    help="The run directory to create; by default runs/<name>/<next number>.",
)
@click.option(
    "--resume", is_flag=True, help="Continue --run, or the newest run, exactly where it stopped."
)
@device_option
@click.option(
    "--fold",
    type=FoldType(),
    metavar="I/K",
    help="Use fold I of K as test split; all/K trains on each in turn and averages the metrics.",
)
@click.option(
    "--baselines",
    is_flag=True,
    help="Then train on each input alone in the same way, and compare.",
)
@click.option(
    "--smoke", is_flag=True, help="Train two steps on synthetic data, to check the config."
)
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

    Ctrl-C finishes the step, saves everything and exits; --resume continues from there.

    With --baselines a model of each single input is trained in the same way, as a run below the
    run. A table compares them with the fusion, and a paired bootstrap of the test examples tells
    whether the fusion is better than the best of them.

    \b
    Example:
      mmzoo train configs/mnist_cnn.yaml
      mmzoo train configs/mnist_cnn.yaml --set train.epochs=10 --set train.seed=1
      mmzoo train configs/mnist_cnn.yaml --resume
      mmzoo train configs/digits_cnn.yaml --fold all/5
    """
    _refuse_together(run, fold, baselines, smoke)
    # Mistakes are reported before TensorFlow is imported.
    loaded = _checked(config, overrides, run, resume, baselines, smoke)
    from mmzoo.training.progress import waiting

    with waiting("Starting TensorFlow"):
        from mmzoo.training.folds import train_fold, train_folds, with_fold
        from mmzoo.training.train import train as train_model

    if fold is None:
        done = train_model(loaded, run=run, resume=resume, device=device, smoke=smoke)
    else:
        index, of = fold
        if index is None:
            from mmzoo.cli.results_text import folds_text

            summary = train_folds(loaded, of, resume=resume, device=device)
            click.echo(json.dumps(summary.as_dict()) if as_json else folds_text(summary))
            return
        loaded = with_fold(loaded, index, of)
        done = train_fold(loaded, index, of, run=run, resume=resume, device=device)
    compared = None
    if baselines:
        from mmzoo.training.baselines import train_baselines

        compared = train_baselines(done, loaded, device=device)
    if as_json:
        document = {"run": str(done.directory), "metrics": done.metrics()}
        click.echo(json.dumps(document | ({"baselines": compared.as_json()} if compared else {})))
        return
    click.echo(_results_text(done, loaded, compared, of_folds=fold is not None))


def _refuse_together(
    run: Path | None, fold: tuple[int | None, int] | None, baselines: bool, smoke: bool
) -> None:
    """Refuses options that exclude one another."""
    all_folds = fold is not None and fold[0] is None
    if baselines and (smoke or all_folds):
        other = "--smoke" if smoke else "--fold all/K"
        raise click.UsageError(f"--baselines compares one training, not {other}.")
    if fold and smoke:
        raise click.UsageError("--fold and --smoke: synthetic data has no folds.")
    if all_folds and run:
        raise click.UsageError("--run names one run, and --fold all/K creates K of them.")


def _checked(
    path: Path,
    overrides: tuple[str, ...],
    run: Path | None,
    resume: bool,
    baselines: bool,
    smoke: bool,
) -> Config:
    """The config, checked as far as that is possible without reading the data."""
    from mmzoo.config import load_config
    from mmzoo.errors import ConfigError
    from mmzoo.find_runs import refuse_existing
    from mmzoo.reused_encoders import reuse_encoders, start_problems

    try:
        checks = None if resume or smoke else start_problems
        config = load_config(path, overrides, extra_rules=checks)
    except ConfigError as error:
        if resume and "source: missing" in str(error):
            from mmzoo.training.resume import refuse_in_memory

            refuse_in_memory(path, run)
        raise
    if run is not None and not resume:
        refuse_existing(run)
    if smoke and not resume:
        reuse_encoders(config)
    if baselines:
        from mmzoo.training.unimodal_config import require_multimodal, unimodal_config

        require_multimodal(config)
        for name in config.inputs:
            unimodal_config(config.with_columns(), name)
    return config


def _results_text(run: Run, config: Config, compared: Comparison | None, *, of_folds: bool) -> str:
    """The results of a training, the comparison with its inputs alone, and the next commands."""
    from mmzoo.cli.comparison_text import comparison_text
    from mmzoo.cli.results_text import folds_text, metrics_text
    from mmzoo.training.folds import summarise_folds

    parts = [metrics_text(run.metrics())]
    if compared:
        parts.append(f"\n{comparison_text(compared)}")
    if of_folds and (so_far := summarise_folds(config)):
        parts.append(folds_text(so_far))
    return "\n".join([*parts, _next_steps(str(run.directory), config)])


def _next_steps(run: str, config: Config) -> str:
    from mmzoo.cli.terminal_text import columns, quote

    one_file = len(config.inputs) == 1 and config.source.type != "table"
    one_file = one_file and all(spec.role != "value" for spec in config.inputs.values())
    given, what = "--data TABLE", "predictions for rows"
    if one_file:
        given, what = "FILE...", "predictions for files"
    word = quote(run)
    commands = [
        (f"  mmzoo eval {word}", "a report with plots"),
        (f"  mmzoo predict {word} {given}", what),
        (f"  mmzoo board {word}", "curves in TensorBoard"),
    ]
    return "\n".join(["", f"The run is in {word}. Next:", *columns(commands)])
