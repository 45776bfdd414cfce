"""`mmzoo check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mmzoo.cli.options import config_argument, json_option, set_option

if TYPE_CHECKING:
    from mmzoo.config import Config


@click.command(short_help="Validate a config, and print it with every default.")
@config_argument
@set_option
@click.option(
    "--data", "with_data", is_flag=True, help="Read every row and file too, and take a few steps."
)
@json_option
def check(config: Path, overrides: tuple[str, ...], with_data: bool, as_json: bool) -> None:
    """Validate CONFIG and print it with every default.

    With --data all rows are read and all files decoded, the network is built and a few steps are
    taken: what there is, how long texts and sounds are, which rows are in two splits, what shapes
    go through the network, how long an epoch will take. Whatever would stop a training is said at
    once, and the exit code is then 1.

    \b
    Example:
      mmzoo check configs/mnist_cnn.yaml
      mmzoo check configs/mnist_cnn.yaml --set train.epochs=10 --data
    """
    from mmzoo.config import load_config
    from mmzoo.spec import dump_yaml

    loaded = load_config(config, overrides, begins=True).with_columns()
    if with_data:
        _inspect(loaded, as_json)
    elif as_json:
        click.echo(json.dumps(loaded.model_dump(mode="json")))
    else:
        click.echo(dump_yaml(loaded), nl=False)
        click.echo(f"{config} is a valid config.", err=True)
    if not with_data:
        _tell_of_absent_table(loaded)


def _tell_of_absent_table(config: Config) -> None:
    """A config may be written before its data are there, and is no wrong one for it."""
    from mmzoo.errors import DataError
    from mmzoo.sources import Table, columns_of, is_there

    if isinstance(config.source, Table) and not is_there(config.source.path):
        try:
            columns_of(config.source.path, config.source, ())
        except DataError as error:
            click.echo(f"Warning: {error} So its columns are not looked at.", err=True)


def _inspect(config: Config, as_json: bool) -> None:
    """Prints what an inspection finds; ends with 1 if that would stop a training."""
    from mmzoo.inspection.inspect import inspect
    from mmzoo.inspection.written import written

    fitted, found = inspect(config)
    if as_json:
        document = {"config": fitted.model_dump(mode="json"), **found.as_dict()}
        click.echo(json.dumps(document))
    else:
        click.echo(written(found))
    if found.errors:
        raise click.exceptions.Exit(1)
