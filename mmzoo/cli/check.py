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
@click.option("--data", "with_data", is_flag=True, help="Read the data too, and fit the config.")
@json_option
def check(config: Path, overrides: tuple[str, ...], with_data: bool, as_json: bool) -> None:
    """Validate CONFIG and print it with every default.

    With --data the data is read as well: whether it is there and fits, and what is read off it.

    \b
    Example:
      mmzoo check configs/mnist_cnn.yaml
      mmzoo check configs/mnist_cnn.yaml --set train.epochs=10 --data
    """
    from mmzoo.config import load_config
    from mmzoo.spec import dump_yaml

    loaded = load_config(config, overrides, begins=True).with_columns()
    if with_data:
        loaded = _fitted(loaded)
    if as_json:
        click.echo(json.dumps(loaded.model_dump(mode="json")))
    else:
        click.echo(dump_yaml(loaded), nl=False)
        click.echo(f"{config} is a valid config.", err=True)


def _fitted(config: Config) -> Config:
    """The config with what its data says; what that data is goes to stderr."""
    from mmzoo.journal import to_stderr

    data = config.load_data(to_stderr)
    for note in data.notes:
        to_stderr(f"Note: {note}.")
    sizes = ", ".join(f"{data.examples(split):,} {split}" for split in data.splits)
    to_stderr(f"{data.name}: {sizes}")
    fitted, _ = config.fitted(data)
    return fitted
