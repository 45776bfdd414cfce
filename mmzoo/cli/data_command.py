"""`mmzoo data`: list, fetch, build and view data, and manage cached features."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mmzoo.cli.command_options import PATH, check_output, config_argument, json_option, set_option
from mmzoo.cli.terminal_text import columns, print_drawing, quote, styled, wrapped

if TYPE_CHECKING:
    from mmzoo.data import Listing
    from mmzoo.feature_cache import CacheEntry

logger = logging.getLogger(__name__)

_DAY = 86_400
_CACHE_TITLES = ("key", "features of", "arrays", "size", "last used")
_SHORT_KEY = 8
"""Digits of a key that are shown: enough to be unique."""


@click.group(short_help="List, fetch, build and view data; list and clear cached features.")
def data() -> None:
    """List, fetch and build the named data sets, view training examples, and list and clear the
    cached features of frozen encoders.

    \b
    Example:
      mmzoo data list
      mmzoo data fetch mnist
      mmzoo data cache
      mmzoo data view configs/mnist_best.yaml
    """


@data.command("list", short_help="List the named data sets and where they are.")
@json_option
def list_sets(as_json: bool) -> None:
    """List the named data sets, and whether they are on this machine.

    \b
    Example:
      mmzoo data list
    """
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
    if row.place or row.bundled:
        return f"in {row.place}" if row.place else row.how_to_get
    return f"how to get it: {row.how_to_get}"


@data.command(short_help="Download data sets into the cache, unless they are there.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
def fetch(names: tuple[str, ...]) -> None:
    """Download the data sets into the cache, unless they are there, and print their files.

    If the authors of a data set do not publish the files that mmzoo reads, this builds them from
    the published ones, as `mmzoo data build` does. `mmzoo train` fetches data sets by itself.

    \b
    Example:
      mmzoo data fetch mnist
      mmzoo data fetch fsdd easy_vqa
    """
    from mmzoo.data import fetch as fetch_set

    for name in names:
        files = fetch_set(name)
        for path in files:
            click.echo(str(path))
        if not files:
            logger.info(f"{name} comes with scikit-learn: there is nothing to fetch.")


@data.command(short_help="Build a data set from a copy of its authors' repository.")
@click.argument("name")
@click.argument("source", metavar="FOLDER", type=PATH)
def build(name: str, source: Path) -> None:
    """Build the files of the data set NAME from what its authors publish, and print them.

    FOLDER is a clone of their repository, or their archive, unpacked or not. `mmzoo data list`
    names the repository. With a network connection, `mmzoo data fetch NAME` does both. The files
    go into the folder for downloads (see `mmzoo data where`), and their sha256 is verified.

    \b
    Example:
      mmzoo data build fsdd free-spoken-digit-dataset
      mmzoo data build mr rt-polaritydata.tar.gz
    """
    from mmzoo.data import build as build_set

    for path in build_set(name, source):
        click.echo(str(path))


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
    if (given := os.environ.get("MMZOO_DATA_DIR")) and not data_directories()[0].is_dir():
        logger.warning(f"Warning: MMZOO_DATA_DIR is set to {given}, and there is no such folder.")
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
    metavar="FILE.png",
    help="The image to write; by default a new file, view.png.",
)
@click.option("--force", is_flag=True, help="Replace --output if it exists.")
@json_option
def view(
    config: Path,
    overrides: tuple[str, ...],
    rows: int,
    epochs: int,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Draw training examples as the model of CONFIG gets them, augmented and mixed.

    Each row shows an example of the first batch: the original, then its augmented versions in the
    first epochs. Texts are printed as the model gets them.

    \b
    Example:
      mmzoo data view configs/mnist_best.yaml
      mmzoo data view configs/mnist_cnn.yaml --set 'train.mixing={type: mixup}'
    """
    from mmzoo.visualization.augmented_examples import draw_augmented_examples
    from mmzoo.visualization.drawing import unused_path

    check_output(output, (".png",), force)
    output = output or unused_path(Path(), Path("view.png"))
    drawing = draw_augmented_examples(config, overrides, rows=rows, epochs=epochs, output=output)
    print_drawing(drawing, as_json)


@data.command(short_help="List or clear the cached features of frozen encoders.")
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option(
    "--unused-for",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="DAYS",
    help="Only those not used by any training for so many days.",
)
@click.option("--clear", is_flag=True, help="Remove the listed entries.")
@json_option
def cache(keys: tuple[str, ...], unused_for: float, clear: bool, as_json: bool) -> None:
    """List or clear the cached features of frozen encoders.

    A training caches the features that a frozen encoder computes for its examples, so that neither
    later epochs nor later runs compute them again. Clearing them is always safe: they are computed
    again when needed. A KEY may be shortened to its first digits; without any KEY, all are listed.

    \b
    Example:
      mmzoo data cache
      mmzoo data cache --clear
      mmzoo data cache --clear --unused-for 30
    """
    from mmzoo.directories import features_directory
    from mmzoo.feature_cache import FeatureCache
    from mmzoo.spec.wording import size_text

    features = FeatureCache(features_directory())
    entries = features.entries(keys, unused_for * _DAY)
    if clear:
        features.remove(entries)
    if as_json and clear:
        click.echo(json.dumps({"removed": _rows(entries)}))
    elif as_json:
        size = sum(entry.size for entry in entries)
        about = {"folder": str(features.folder), "limit": features.limit, "size": size}
        click.echo(json.dumps({**about, "entries": _rows(entries)}))
    elif not entries:
        unused = f" unused for {unused_for:g} days" if unused_for else ""
        click.echo(f"No cached features{unused} in {quote(features.folder)}.")
    elif clear:
        click.echo(f"Removed {_counted(entries)}, from {quote(features.folder)}.")
    else:
        for line in columns([_CACHE_TITLES, *map(_cells, entries)], right=(3,)):
            click.echo(line)
        click.echo(
            f"{_counted(entries)}, in {quote(features.folder)}. Trainings fill the cache up to "
            f"{size_text(features.limit)}, or to `train.frozen_features.limit`."
        )


def _cells(entry: CacheEntry) -> tuple[str, ...]:
    from mmzoo.spec.wording import size_text

    return (
        entry.digest[:_SHORT_KEY],
        entry.key.description,
        f"vector {' x '.join(f'{n:,}' for n in entry.shape)} {entry.dtype}",
        size_text(entry.size),
        time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used)),
    )


def _rows(entries: Sequence[CacheEntry]) -> list[dict[str, Any]]:
    return [
        {
            "key": entry.digest,
            "what": entry.key.description,
            "parts": dict(entry.key.parts),
            "arrays": {"vector": {"shape": entry.shape, "dtype": entry.dtype}},
            "size": entry.size,
            "created": _utc(entry.created),
            "used": _utc(entry.used),
        }
        for entry in entries
    ]


def _counted(entries: Sequence[CacheEntry]) -> str:
    from mmzoo.spec.wording import size_text

    counted = "1 entry" if len(entries) == 1 else f"{len(entries):,} entries"
    return f"{counted}, {size_text(sum(entry.size for entry in entries))}"


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
