"""`mmzoo list`."""

from __future__ import annotations

import json
from typing import Any

import click

from mmzoo.cli.options import Choice, json_option

KINDS = (
    "inputs",
    "encoders",
    "spectrograms",
    "fusions",
    "heads",
    "objectives",
    "sources",
    "optimizers",
    "schedules",
    "augmentations",
    "mixings",
    "probes",
    "datasets",
    "configs",
    "runs",
)
_MADE_BY = {
    "configs": "no configs in the folder configs/",
    "runs": "no runs in the folder runs/; `mmzoo train CONFIG` makes one",
}


class _Kind(Choice):
    """A kind, or else a pattern with wildcards, which no kind has."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return value if _is_pattern(value) else super().convert(value, param, ctx)


@click.command("list", short_help="List encoders, heads, data sets, configs, runs and more.")
@click.argument("kind", required=False, type=_Kind(KINDS), metavar="[KIND]")
@click.argument("pattern", default="*")
@json_option
def list_command(kind: str | None, pattern: str, as_json: bool) -> None:
    """List what there is of one kind, or of all; PATTERN may have wildcards.

    A pattern with wildcards alone is looked for in all kinds.

    KIND is one of inputs, encoders, spectrograms, fusions, heads, objectives, sources, optimizers,
    schedules, augmentations, mixings, probes, datasets, configs and runs; the last two are looked
    for in the folders of these names.

    \b
    Example:
      mmzoo list encoders
      mmzoo list configs 'mnist_*'
      mmzoo list 'l*'
      mmzoo list runs
    """
    from mmzoo.catalogue import listed
    from mmzoo.cli.text import definitions, styled

    if kind and _is_pattern(kind):
        pattern, kind = kind, None
    found = {one: listed(one, pattern) for one in ([kind] if kind else KINDS)}
    if as_json:
        click.echo(json.dumps(found))
        return
    for one, rows in found.items():
        if rows and not kind:
            click.echo(styled(f"{one}:", bold=True))
        for line in definitions(rows, indent="" if kind else "  "):
            click.echo(line)
    if not any(found.values()):
        click.echo(_nothing(kind, pattern), err=True)


def _is_pattern(text: str) -> bool:
    return any(wildcard in text for wildcard in "*?")


def _nothing(kind: str | None, pattern: str) -> str:
    if pattern != "*":
        return f"Nothing matches {pattern!r}."
    return f"There are {_MADE_BY[kind]}." if kind in _MADE_BY else "Nothing is here."
