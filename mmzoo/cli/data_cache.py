"""`mmzoo data cache`."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from mmzoo.cli.options import json_option
from mmzoo.cli.text import columns, harmless, shell_word

if TYPE_CHECKING:
    from mmzoo.features import Entry, FeatureStore

_DAY = 86_400
_TITLES = ("key", "features of", "arrays", "size", "last used")
_SHORT = 8
"""Digits of a key that tell it from all others that one is likely to keep."""


@click.command(short_help="List the features that frozen encoders made, or clear them.")
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option(
    "--unused-for",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="DAYS",
    help="Only those that no training used for so many days.",
)
@click.option("--clear", is_flag=True, help="Remove what would be listed.")
@json_option
def cache(keys: tuple[str, ...], unused_for: float, clear: bool, as_json: bool) -> None:
    """List the features that frozen encoders made, or clear them.

    A training keeps what a frozen encoder makes of its examples, so that neither a later epoch nor
    a later run has to make it again. Any of it may be cleared: it is then made anew where it is
    needed. A KEY is given by its beginning; without any, all are meant.

    \b
    Example:
      mmzoo data cache
      mmzoo data cache --clear
      mmzoo data cache --clear --unused-for 30
    """
    from mmzoo.directories import features_directory
    from mmzoo.features import FeatureStore

    store = FeatureStore(features_directory())
    entries = store.entries(keys, unused_for * _DAY)
    in_use = store.remove(entries) if clear else ()
    removed = [entry for entry in entries if clear and entry not in in_use]
    if as_json and clear:
        click.echo(json.dumps({"removed": _rows(removed), "in_use": _rows(in_use)}))
    elif as_json:
        size = sum(entry.size for entry in entries)
        about = {"folder": str(store.folder), "limit": store.limit, "size": size}
        click.echo(json.dumps({**about, "entries": _rows(entries)}))
    elif not entries:
        unused = f" that was unused for {unused_for:g} days" if unused_for else ""
        click.echo(f"Nothing{unused} is kept in {shell_word(store.folder)}.")
    elif clear:
        for entry in in_use:
            what = harmless(entry.origin.what)
            click.echo(f"{entry.key[:_SHORT]}, {what}, is in use and stays.", err=True)
        click.echo(f"Removed {_counted(removed)}, from {shell_word(store.folder)}.")
    else:
        _print_table(store, entries)


def _print_table(store: FeatureStore, entries: Sequence[Entry]) -> None:
    from mmzoo.features import size_text

    cells = [
        (
            entry.key[:_SHORT],
            entry.origin.what,
            _arrays(entry),
            size_text(entry.size),
            time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used)),
        )
        for entry in entries
    ]
    for line in columns([_TITLES, *cells], right=(3,)):
        click.echo(line)
    click.echo(
        f"{_counted(entries)}, in {shell_word(store.folder)}. Trainings let them grow to "
        f"{size_text(store.limit)}, or to `train.frozen_features.limit`."
    )


def _rows(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    return [
        {
            "key": entry.key,
            "what": entry.origin.what,
            "parts": dict(entry.origin.parts),
            "arrays": {
                name: {"shape": layout.shape, "dtype": layout.dtype}
                for name, layout in entry.layouts.items()
            },
            "size": entry.size,
            "created": _utc(entry.created),
            "used": _utc(entry.used),
        }
        for entry in entries
    ]


def _arrays(entry: Entry) -> str:
    """As in `vector 5,000 x 1,280 float16`."""
    return ", ".join(
        f"{name} {' x '.join(f'{length:,}' for length in layout.shape)} {layout.dtype}"
        for name, layout in entry.layouts.items()
    )


def _counted(entries: Sequence[Entry]) -> str:
    from mmzoo.features import size_text

    counted = "1 entry" if len(entries) == 1 else f"{len(entries):,} entries"
    return f"{counted}, {size_text(sum(entry.size for entry in entries))}"


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
