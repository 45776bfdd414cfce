"""`mmzoo data`."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import click

from mmzoo.cli.data_cache import cache
from mmzoo.cli.data_view import view
from mmzoo.cli.options import json_option

if TYPE_CHECKING:
    from mmzoo.sources import Listing

logger = logging.getLogger(__name__)


@click.group(short_help="List, fetch and look at data; list and clear kept features.")
def data() -> None:
    """List and fetch the named data sets, look at training examples, and list and clear the
    features of frozen encoders.

    \b
    Example:
      mmzoo data list
      mmzoo data fetch mnist
      mmzoo data cache
      mmzoo data view configs/mnist_best.yaml
    """


data.add_command(cache)
data.add_command(view)


@data.command("list", short_help="List the named data sets, and which of them are here.")
@json_option
def list_sets(as_json: bool) -> None:
    """List the named data sets, and which of them are here.

    \b
    Example:
      mmzoo data list
    """
    from mmzoo.cli.text import styled, wrapped
    from mmzoo.sources import catalogue

    listings = catalogue()
    if as_json:
        rows = [{**vars(row), "place": row.place and str(row.place)} for row in listings]
        click.echo(json.dumps(rows))
        return
    for row in listings:
        click.echo(f"{styled(row.name, bold=True)}: {row.description}")
        for line in (row.contents, f"licence: {row.licence}", _where(row)):
            click.echo(wrapped(f"    {line}"))


def _where(row: Listing) -> str:
    if row.bundled:
        return "bundled: it comes with an installed package"
    if row.place:
        return f"in {row.place}"
    if row.fetchable:
        return f"not here: {row.size / 1e6:.0f} MB to fetch"
    return f"not here, and not to be fetched: `mmzoo data fetch {row.name}` says what to put where"


@data.command(short_help="Fetch a data set into the cache, if it is not there.")
@click.argument("name")
def fetch(name: str) -> None:
    """Fetch the data set NAME into the cache, if it is not there, and print its files.

    \b
    Example:
      mmzoo data fetch mnist
    """
    from mmzoo.sources import fetch as fetch_set

    files = fetch_set(name)
    for path in files:
        click.echo(str(path))
    if not files:
        logger.info(f"{name} comes with an installed package: there is nothing to fetch.")


@data.command(short_help="Print the folders of data sets, downloads and kept features.")
@json_option
def where(as_json: bool) -> None:
    """Print the folders that data sets are looked for in: MMZOO_DATA_DIR, then the cache.

    MMZOO_CACHE_DIR, if it is set, takes the place of the platform's cache.

    \b
    Example:
      mmzoo data where
    """
    from mmzoo.directories import data_directories, data_directory, features_directory

    features = features_directory()
    if as_json:
        folders = [str(folder) for folder in data_directories()]
        downloads = str(data_directory())
        document = {"folders": folders, "downloads": downloads, "features": str(features)}
        click.echo(json.dumps(document))
        return
    for folder in data_directories():
        click.echo(str(folder))
    logger.info(f"Downloads go to {data_directory()}.")
    logger.info(f"Features of frozen encoders are kept in {features}.")
