"""`mmzoo check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mmzoo.cli.command_options import config_argument, json_option, set_option

if TYPE_CHECKING:
    from mmzoo.config import Config


@click.command(short_help="Validate a config, and print it with every default.")
@config_argument
@set_option
@click.option(
    "--data", "with_data", is_flag=True, help="Read every row and file too, and run a few steps."
)
@json_option
def check(config: Path, overrides: tuple[str, ...], with_data: bool, as_json: bool) -> None:
    """Validate CONFIG and print it with every default.

    With --data, all rows are read, all files decoded, the model is built and a few training steps
    are run. The report has class counts, missing values, lengths of texts and audio, duplicates
    between splits, the shapes of the network, and an estimate of time and memory. All errors that
    would stop a training are listed at once, and the exit code is then 1.

    \b
    Example:
      mmzoo check configs/mnist_cnn.yaml
      mmzoo check configs/mnist_cnn.yaml --set train.epochs=10 --data
    """
    from mmzoo.config import load_config
    from mmzoo.reused_encoders import reuse_encoders, start_problems
    from mmzoo.spec import dump_yaml

    loaded = load_config(config, overrides, extra_rules=start_problems)
    loaded = reuse_encoders(loaded).with_columns()
    if with_data:
        _inspect(loaded, as_json)
    elif as_json:
        click.echo(json.dumps(loaded.model_dump(mode="json")))
    else:
        click.echo(dump_yaml(loaded), nl=False)
        click.echo(f"{config} is a valid config.", err=True)
    if not with_data:
        _warn_of_missing_table(loaded)


def _warn_of_missing_table(config: Config) -> None:
    """Warns that columns were not checked: a config may be written before its table exists."""
    from mmzoo.data import Table, columns_of, table_exists
    from mmzoo.errors import DataError

    if isinstance(config.source, Table) and not table_exists(config.source.path):
        try:
            columns_of(config.source.path, config.source, ())
        except DataError as error:
            click.echo(f"Warning: {error} Its columns were not checked.", err=True)


def _inspect(config: Config, as_json: bool) -> None:
    """Prints the report; exits with 1 if it has errors."""
    from mmzoo.inspection.inspect import inspect
    from mmzoo.inspection.report_text import report_text

    fitted, report = inspect(config)
    if as_json:
        document = {"config": fitted.model_dump(mode="json"), **report.as_dict()}
        click.echo(json.dumps(document))
    else:
        click.echo(report_text(report))
    if report.errors:
        raise click.exceptions.Exit(1)
