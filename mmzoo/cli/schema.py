"""`mmzoo schema`."""

from __future__ import annotations

import json

import click


@click.command(short_help="Print the JSON Schema of configs, for editors.")
def schema() -> None:
    """Print the JSON Schema of configs, with which editors complete and check them.

    \b
    Example:
      mmzoo schema > mmzoo.schema.json
    """
    from mmzoo.config import Config
    from mmzoo.spec import json_schema

    click.echo(json.dumps(json_schema(Config), indent=2))
