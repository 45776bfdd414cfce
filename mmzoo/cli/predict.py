"""`mmzoo predict`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import click

from mmzoo.cli.options import checkpoint_option, device_option, json_option, run_argument


@click.command()
@run_argument
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a table: .csv, .jsonl or .parquet.",
)
@click.option("--top", type=click.IntRange(min=1), help="Give the most probable classes.")
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

    \b
    Example:
      mmzoo predict runs/mnist_cnn digit.png
      mmzoo predict runs/mnist_cnn *.png --output digits.csv --top 3
    """
    from mmzoo.prediction import predict as predict_files
    from mmzoo.tables import check_ending, write_table

    if output is not None:
        check_ending(output)
    columns = predict_files(run, files, top=top or 0, checkpoint=checkpoint, device=device)
    if output is not None:
        write_table(output, columns)
        click.echo(f"Wrote {len(files)} rows to {output}", err=True)
    if as_json:
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        click.echo(json.dumps(rows))
    elif output is None:
        click.echo(_text(columns))


def _text(columns: dict[str, list[object]]) -> str:
    """Columns beside one another, probabilities as percentages."""
    cells = [[name, *(_cell(name, value) for value in values)] for name, values in columns.items()]
    widths = [max(map(len, column)) for column in cells]
    rows = zip(*cells, strict=True)
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _cell(name: str, value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{100 * value:.1f} %" if name.endswith("_probability") else f"{value:.6g}"
