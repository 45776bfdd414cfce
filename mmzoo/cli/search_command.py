"""`mmzoo search`: the nearest rows of an index."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import click

from mmzoo.cli.command_options import (
    PATH,
    checkpoint_option,
    device_option,
    json_option,
    run_argument,
)

_LONGEST_CELL = 60


@click.command(short_help="Find the rows of an index nearest to a file or text.")
@run_argument
@click.option(
    "--index", type=PATH, required=True, metavar="FILE", help="A file that `mmzoo embed` wrote."
)
@click.option("--query", type=PATH, metavar="FILE", help="The file to search for.")
@click.option("--text", metavar="TEXT", help="The text to search for.")
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="K",
    help="Print the K nearest rows.",
)
@click.option("--input", "input_name", metavar="NAME", help="The input that the query is of.")
@click.option(
    "--target", metavar="NAME", help="The input whose vectors are searched, if there are several."
)
@checkpoint_option
@device_option
@json_option
def search(
    run: Path,
    index: Path,
    query: Path | None,
    text: str | None,
    top: int,
    input_name: str | None,
    target: str | None,
    checkpoint: str,
    device: Literal["auto", "cpu", "gpu"],
    as_json: bool,
) -> None:
    """Print the rows of an index that are nearest to a file or text, by cosine.

    The query may be of any input of RUN's contrastive head: a text finds photos, and a photo finds
    texts. If the index has vectors of the query's input and of one other input, those of the other
    one are searched. RUN must have the same weights as when the index was written.

    \b
    Example:
      mmzoo search runs/products_search --index products.npz --text "red mug"
      mmzoo search runs/products_search --index products.npz --text mug --top 3
    """
    if (query is None) == (text is None):
        raise click.UsageError("Expected one of --query FILE and --text TEXT to search for.")
    from mmzoo.retrieval.vector_search import search as find

    rows = find(
        run,
        index,
        query,
        text=text,
        top=top,
        input=input_name,
        target=target,
        checkpoint=checkpoint,
        device=device,
    )
    if as_json:
        from mmzoo.tables import json_value

        click.echo(json.dumps(json_value(rows), allow_nan=False))
        return
    click.echo(_text(rows))


def _text(rows: list[dict[str, Any]]) -> str:
    from mmzoo.cli.terminal_text import columns

    if not rows:
        return "The index has no row to find."
    titles = ["", *[*rows[0]][1:]]
    cells = [[_cell(value) for value in row.values()] for row in rows]
    return "\n".join(columns([titles, *cells], right=(0, 1)))


def _cell(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"
