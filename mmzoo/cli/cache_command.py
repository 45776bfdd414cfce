"""`mmzoo data cache`."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from mmzoo.cli.command_options import json_option
from mmzoo.cli.terminal_text import columns, quote

if TYPE_CHECKING:
    from mmzoo.feature_cache import CacheEntry, FeatureCache


_DAY = 86_400
_TITLES = ("key", "features of", "arrays", "size", "last used")
_SHORT = 8
"""Digits of a key that are shown: enough to be unique."""


@click.command(short_help="List or clear the cached features of frozen encoders.")
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
    again when needed. A KEY may be shortened to its first digits; without any, all are meant.

    \b
    Example:
      mmzoo data cache
      mmzoo data cache --clear
      mmzoo data cache --clear --unused-for 30
    """
    from mmzoo.directories import features_directory
    from mmzoo.feature_cache import FeatureCache

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
        _print_table(features, entries)


def _print_table(features: FeatureCache, entries: Sequence[CacheEntry]) -> None:
    from mmzoo.feature_cache import size_text

    cells = [
        (
            entry.digest[:_SHORT],
            entry.key.description,
            f"vector {' x '.join(f'{n:,}' for n in entry.shape)} {entry.dtype}",
            size_text(entry.size),
            time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used)),
        )
        for entry in entries
    ]
    for line in columns([_TITLES, *cells], right=(3,)):
        click.echo(line)
    click.echo(
        f"{_counted(entries)}, in {quote(features.folder)}. Trainings fill the cache up to "
        f"{size_text(features.limit)}, or to `train.frozen_features.limit`."
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
    from mmzoo.feature_cache import size_text

    counted = "1 entry" if len(entries) == 1 else f"{len(entries):,} entries"
    return f"{counted}, {size_text(sum(entry.size for entry in entries))}"


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
