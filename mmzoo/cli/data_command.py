"""`mmzoo data`: list, fetch and view data, and manage cached features."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mmzoo.cli.cache_command import cache
from mmzoo.cli.command_options import PATH, config_argument, json_option, set_option

if TYPE_CHECKING:
    from mmzoo.data import Listing

logger = logging.getLogger(__name__)


@click.group(short_help="List, fetch and view data; list and clear cached features.")
def data() -> None:
    """List and fetch the named data sets, view training examples, and list and clear the cached
    features of frozen encoders.

    \b
    Example:
      mmzoo data list
      mmzoo data fetch mnist
      mmzoo data cache
      mmzoo data view configs/mnist_best.yaml
    """


data.add_command(cache)


@data.command("list", short_help="List the named data sets and where they are.")
@json_option
def list_sets(as_json: bool) -> None:
    """List the named data sets, and whether they are on this machine.

    \b
    Example:
      mmzoo data list
    """
    from mmzoo.cli.terminal_text import styled, wrapped
    from mmzoo.data import catalogue

    listings = catalogue()
    if as_json:
        rows = [{**vars(row), "place": row.place and str(row.place)} for row in listings]
        click.echo(json.dumps(rows))
        return
    for row in listings:
        click.echo(f"{styled(row.name, bold=True)}: {row.description}")
        for line in (row.contents, f"licence: {row.licence}", _availability(row)):
            click.echo(wrapped(f"    {line}"))


def _availability(row: Listing) -> str:
    if row.bundled:
        return "bundled with an installed package"
    if row.place:
        return f"in {row.place}"
    if row.fetchable:
        return f"not downloaded: {row.size / 1e6:.0f} MB to fetch"
    return f"not downloaded; `mmzoo data fetch {row.name}` explains how to get it"


@data.command(short_help="Download a data set into the cache, unless it is there.")
@click.argument("name")
def fetch(name: str) -> None:
    """Download the data set NAME into the cache, unless it is there, and print its files.

    \b
    Example:
      mmzoo data fetch mnist
    """
    from mmzoo.data import fetch as fetch_set

    files = fetch_set(name)
    for path in files:
        click.echo(str(path))
    if not files:
        logger.info(f"{name} is bundled with an installed package: there is nothing to fetch.")


@data.command(short_help="Print the folders of data sets, downloads and cached features.")
@json_option
def where(as_json: bool) -> None:
    """Print the folders that are searched for data sets: MMZOO_DATA_DIR, then the cache.

    MMZOO_CACHE_DIR, if it is set, replaces the platform's cache directory.

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
    logger.info(f"Features of frozen encoders are cached in {features}.")


@data.command(short_help="Draw training examples as the model gets them, augmented and mixed.")
@config_argument
@set_option
@click.option(
    "--rows",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    metavar="N",
    help="Number of examples to draw, from the first batch.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1, 16),
    default=4,
    show_default=True,
    metavar="K",
    help="Number of epochs to draw; each augments an example differently.",
)
@click.option(
    "--output",
    type=PATH,
    default="view.png",
    show_default=True,
    metavar="FILE.png",
    help="The image to write.",
)
@json_option
def view(
    config: Path, overrides: tuple[str, ...], rows: int, epochs: int, output: Path, as_json: bool
) -> None:
    """Draw training examples as the model of CONFIG gets them, augmented and mixed.

    Each row shows an example of the first batch: the original, then its augmented versions in the
    first epochs. Texts are printed as the model gets them.

    \b
    Example:
      mmzoo data view configs/mnist_best.yaml
      mmzoo data view configs/mnist_cnn.yaml --set 'train.mixing={type: mixup}'
    """
    from mmzoo.cli.terminal_text import print_drawing
    from mmzoo.visualization.augmented_examples import draw_augmented_examples

    drawing = draw_augmented_examples(config, overrides, rows=rows, epochs=epochs, output=output)
    print_drawing(drawing, as_json)
