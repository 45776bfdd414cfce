"""What commands print of a drawing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from mmzoo.cli.text import harmless, shell_word

if TYPE_CHECKING:
    from mmzoo.visualization.drawing import Drawing


def print_drawing(drawing: Drawing, as_json: bool) -> None:
    """Its text and where its picture is; or its facts, with `picture` null where there is none."""
    if as_json:
        picture = None if drawing.path is None else str(drawing.path)
        click.echo(json.dumps({"picture": picture, **drawing.facts}))
        return
    click.echo(harmless(drawing.text))
    if drawing.path is not None:
        click.echo(f"\nThe picture: {shell_word(drawing.path)}")
