"""`mmzoo list`."""

from __future__ import annotations

import json

import click

from mmzoo.cli.options import json_option

KINDS = (
    "inputs",
    "encoders",
    "fusions",
    "heads",
    "objectives",
    "sources",
    "optimizers",
    "schedules",
    "augmentations",
    "mixings",
    "datasets",
    "configs",
    "runs",
)


@click.command("list")
@click.argument("kind", required=False, type=click.Choice(KINDS))
@click.argument("pattern", default="*")
@json_option
def list_command(kind: str | None, pattern: str, as_json: bool) -> None:
    """List what there is, of one kind or of all; PATTERN may have wildcards.

    \b
    Example:
      mmzoo list encoders
      mmzoo list configs 'mnist_*'
      mmzoo list runs
    """
    from mmzoo.catalogue import listed

    found = {one: listed(one, pattern) for one in ([kind] if kind else KINDS)}
    if as_json:
        click.echo(json.dumps(found))
        return
    for one, rows in found.items():
        if not kind:
            click.echo(click.style(f"{one}:", bold=True))
        width = max(map(len, rows), default=0)
        for name, note in rows.items():
            click.echo(f"{'' if kind else '  '}{name:<{width}}  {note}".rstrip())
    if not any(found.values()):
        nothing = f"matches {pattern!r}" if pattern != "*" else "is here"
        click.echo(f"Nothing {nothing}.", err=True)
