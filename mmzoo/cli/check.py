"""`mmzoo check`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mmzoo.cli.options import config_argument, json_option, set_option


@click.command()
@config_argument
@set_option
@json_option
def check(config: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Validate CONFIG and print it with every default.

    \b
    Example:
      mmzoo check configs/mnist_cnn.yaml
    """
    from mmzoo.config import load_config
    from mmzoo.spec import dump_yaml

    loaded = load_config(config, overrides).with_columns()
    if as_json:
        click.echo(json.dumps(loaded.model_dump(mode="json")))
    else:
        click.echo(dump_yaml(loaded), nl=False)
        click.echo(f"{config} is a valid config.", err=True)
