"""`mmzoo data`."""

from __future__ import annotations

import json

import click

from mmzoo.cli.options import json_option


@click.group()
def data() -> None:
    """List and fetch the named data sets."""


@data.command("list")
@json_option
def list_sets(as_json: bool) -> None:
    """List the named data sets, and which of them are here.

    \b
    Example:
      mmzoo data list
    """
    from mmzoo.sources import catalogue

    listings = catalogue()
    if as_json:
        rows = [{**vars(row), "place": row.place and str(row.place)} for row in listings]
        click.echo(json.dumps(rows))
        return
    for row in listings:
        examples = ", ".join(f"{count:,} {split}" for split, count in row.examples.items())
        classes = ", ".join(f"{count} classes of {column}" for column, count in row.classes.items())
        here = "bundled" if row.bundled else str(row.place or f"not here: {row.size / 1e6:.0f} MB")
        click.echo(f"{click.style(row.name, bold=True)}  {row.description}")
        click.echo(f"    {examples}; {classes}; licence: {row.licence}\n    {here}")


@data.command()
@click.argument("name")
def fetch(name: str) -> None:
    """Fetch the data set NAME into the cache, if it is not there.

    \b
    Example:
      mmzoo data fetch mnist
    """
    from mmzoo.journal import to_stderr
    from mmzoo.sources import fetch as fetch_set

    for path in fetch_set(name, to_stderr):
        click.echo(str(path))


@data.command()
def where() -> None:
    """Print the folder that data sets are kept in: MMZOO_DATA_DIR, or the platform's cache.

    \b
    Example:
      mmzoo data where
    """
    from mmzoo.sources import data_directory

    click.echo(str(data_directory()))
