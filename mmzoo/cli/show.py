"""`mmzoo show`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mmzoo.cli.options import json_option


@click.command(short_help="Show a component's fields, or a model's layers and sizes.")
@click.argument("what", metavar="NAME|CONFIG|RUN")
@json_option
def show(what: str, as_json: bool) -> None:
    """Show a component's fields and notes, or the layers, parameters and FLOPs of a model.

    \b
    Example:
      mmzoo show lenet
      mmzoo show configs/mnist_cnn.yaml
      mmzoo show runs/mnist_cnn
    """
    from mmzoo.catalogue import find_components
    from mmzoo.cli.text import wrapped

    # A name of ours has neither a slash nor an ending.
    if "/" not in what and "." not in what and not Path(what).exists():
        components = find_components(what)
        if as_json:
            click.echo(json.dumps([component.as_dict() for component in components]))
        else:
            click.echo(wrapped("\n\n".join(map(str, components))))
        return
    from mmzoo.summary import summarise

    summary = summarise(Path(what))
    click.echo(json.dumps(summary.as_dict()) if as_json else str(summary))
