"""`mmzoo predict`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import click

from mmzoo.cli.options import PATH, checkpoint_option, device_option, json_option, run_argument

_PROBABILITY = "_probability"


@click.command(short_help="Say what the model of a run predicts for files.")
@run_argument
@click.argument("files", nargs=-1, required=True, type=PATH)
@click.option(
    "--output",
    type=PATH,
    metavar="FILE",
    help="Write a table: .csv, .jsonl or .parquet.",
)
@click.option(
    "--top",
    type=click.IntRange(min=1),
    metavar="K",
    help="Give the K most probable classes of each classification.",
)
@checkpoint_option
@device_option
@json_option
def predict(
    run: Path,
    files: tuple[Path, ...],
    output: Path | None,
    top: int | None,
    checkpoint: str,
    device: Literal["auto", "cpu", "gpu"],
    as_json: bool,
) -> None:
    """Say what the model of RUN predicts for each of FILES.

    Pictures of any size and colour are made to fit, as those of the training were. RUN is a run
    directory, runs/<name> for its newest, or a weights file inside one.

    \b
    Example:
      mmzoo predict runs/mnist_cnn digit.png
      mmzoo predict runs/mnist_cnn *.png --output digits.csv --top 3
    """
    from mmzoo.prediction import predict as predict_files
    from mmzoo.tables import check_ending, writable, write_table

    if output is not None:
        check_ending(output)
    table = predict_files(run, files, top=top or 0, checkpoint=checkpoint, device=device)
    if output is not None:
        write_table(output, table)
        rows = "1 row" if len(files) == 1 else f"{len(files):,} rows"
        click.echo(f"Wrote {rows} to {output}", err=True)
    if as_json:
        values = [[writable(value) for value in column] for column in table.values()]
        rows_of_values = zip(*values, strict=True)
        click.echo(json.dumps([dict(zip(table, row, strict=True)) for row in rows_of_values]))
    elif output is None:
        click.echo(_text(table))


def _text(table: Mapping[str, Sequence[Any]]) -> str:
    """A row for each file or, where rows are too long for the terminal, a block of lines."""
    from mmzoo.cli.text import columns, terminal_width

    names = list(table)
    rows = [
        [_cell(name, value) for name, value in zip(names, values, strict=True)]
        for values in zip(*table.values(), strict=True)
    ]
    numbers = {index for index, name in enumerate(names) if name.endswith(_PROBABILITY)}
    lines = columns([_titles(names), *rows], right=numbers)
    width = terminal_width()
    if width is None or max(map(len, lines)) <= width:
        return "\n".join(lines)
    blocks = [columns(list(zip(names, row, strict=True))) for row in rows]
    return "\n\n".join("\n".join(block) for block in blocks)


def _titles(names: list[str]) -> list[str]:
    """The names of columns; a probability right beside what it is of needs none."""
    before = ["", *names]
    return [
        "" if name == last + _PROBABILITY else name
        for last, name in zip(before, names, strict=False)
    ]


def _cell(name: str, value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{100 * value:.1f} %" if name.endswith(_PROBABILITY) else f"{value:.6g}"
