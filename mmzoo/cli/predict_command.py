"""`mmzoo predict`: predictions for files or the rows of a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from mmzoo.cli.command_options import (
    PATH,
    checkpoint_option,
    data_option,
    device_option,
    json_option,
    on_bad_row_option,
    run_argument,
)

if TYPE_CHECKING:
    from mmzoo.prediction import Predictions

_PROBABILITY = "_probability"


@click.command(short_help="Predict from files, texts or the rows of a table.")
@run_argument
@click.argument("files", nargs=-1, type=PATH)
@data_option
@click.option(
    "--text",
    "texts",
    multiple=True,
    metavar="TEXT",
    help="Predict from this text; can be repeated.",
)
@on_bad_row_option
@click.option(
    "--output",
    type=PATH,
    metavar="FILE",
    help="Write the predictions to a .csv, .jsonl or .parquet file.",
)
@click.option(
    "--top",
    type=click.IntRange(min=1),
    metavar="K",
    help="Output the K most probable classes of each classification head.",
)
@click.option(
    "--probabilities", is_flag=True, help="Output the probabilities of all classes of each head."
)
@click.option(
    "--keep-inputs",
    is_flag=True,
    help="Also copy the columns of --data that the model reads, such as texts.",
)
@click.option(
    "--classes",
    type=PATH,
    metavar="FILE",
    help="Zero-shot: choose among these classes, described in a text file with one per line, or in "
    "a table with a column `class`.",
)
@click.option(
    "--input", "input_name", metavar="NAME", help="With --classes: the input to classify."
)
@checkpoint_option
@device_option
@json_option
def predict(
    run: Path,
    files: tuple[Path, ...],
    data: Path | None,
    texts: tuple[str, ...],
    on_bad_row: Literal["error", "skip"],
    output: Path | None,
    top: int | None,
    probabilities: bool,
    keep_inputs: bool,
    classes: Path | None,
    input_name: str | None,
    checkpoint: str,
    device: Literal["auto", "cpu", "gpu"],
    as_json: bool,
) -> None:
    """Predict with the model of RUN for each of FILES or texts, or for each row of a table.

    FILES are files with one example each, or folders of such files; for a text model, --text "A
    film to remember." is one example. Images of any size and color mode, and audio of any length
    and sample rate, are preprocessed as in training. The table of --data must have the columns that
    the model reads; other columns, such as ids, are copied to the output. RUN is a run directory,
    runs/<name> for its newest run, or a weights file inside one.

    With --classes, a run with a contrastive head chooses the class whose description is nearest to
    the example.

    \b
    Example:
      mmzoo predict runs/mnist_cnn digit.png
      mmzoo predict runs/mnist_cnn photos/ --output digits.csv --top 3
      mmzoo predict runs/products --data new.csv --output out.csv --probabilities
      mmzoo predict runs/products_search --classes classes.txt images/001.png
    """
    _check_usage(run, files, texts, data, top, probabilities, keep_inputs)
    _check_classes(classes, input_name, keep_inputs)
    from mmzoo.tables import check_ending, write_table

    if output is not None:
        check_ending(output)
        if data is not None and output.exists() and output.samefile(data):
            raise click.UsageError("--output would overwrite the table of --data.")
    settings: dict[str, Any] = {
        "texts": texts,
        "data": data,
        "on_bad_row": on_bad_row,
        "top": top or 0,
        "probabilities": probabilities,
        "checkpoint": checkpoint,
        "device": device,
    }
    table: Predictions
    if classes is None:
        from mmzoo import prediction

        table = prediction.predict(run, files, keep_inputs=keep_inputs, **settings)
    else:
        from mmzoo.retrieval.vector_search import zero_shot

        table = zero_shot(run, files, classes=classes, input=input_name, **settings)
    columns = {**table.given, **table.predicted}
    if output is not None:
        write_table(output, columns, trusted=table.predicted, labels=table.classes)
        count = len(next(iter(table.predicted.values())))
        rows = "1 row" if count == 1 else f"{count:,} rows"
        click.echo(f"Wrote {rows} to {output}", err=True)
    if as_json:
        click.echo(json.dumps(_records(columns), allow_nan=False))
    elif output is None:
        click.echo(_text(table))


def _check_usage(
    run: Path,
    files: tuple[Path, ...],
    texts: tuple[str, ...],
    data: Path | None,
    top: int | None,
    probabilities: bool,
    keep_inputs: bool,
) -> None:
    """Refuses missing examples and options that exclude one another."""
    if (bool(files), bool(texts), data is not None).count(True) != 1:
        is_run = run.is_dir() or run.suffix in ("", ".h5", ".npz")
        if not (is_run or files or texts or data):
            raise click.UsageError(f"RUN comes first: mmzoo predict RUN {run}")
        if texts and files:
            raise click.UsageError(
                "FILES and --text cannot be combined; put a text of several words in quotes."
            )
        if data is not None and (texts or files):
            raise click.UsageError("--data cannot be combined with FILES or --text.")
        raise click.UsageError("Expected FILES or --text to predict from, or a table with --data.")
    if keep_inputs and data is None:
        raise click.UsageError("--keep-inputs is for the columns of --data.")
    if top is not None and probabilities:
        raise click.UsageError("--probabilities already has all classes that --top could output.")


def _check_classes(classes: Path | None, input_name: str | None, keep_inputs: bool) -> None:
    """Refuses options that do not go with --classes, or only with it."""
    if classes is None and input_name is not None:
        raise click.UsageError("--input is for --classes: other predictions need all inputs.")
    if classes is not None and keep_inputs:
        raise click.UsageError(
            "--keep-inputs cannot be combined with --classes: it keeps them all."
        )


def _records(columns: Mapping[str, Iterable[Any]]) -> list[dict[str, Any]]:
    """The rows of a table, as JSON-compatible values by column."""
    from mmzoo.tables import json_value

    cells = [json_value(list(values)) for values in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*cells, strict=True)]


def _text(table: Mapping[str, Sequence[Any]]) -> str:
    """A row for each file or, if rows are too long for the terminal, a block of lines."""
    from mmzoo.cli.terminal_text import columns, terminal_width

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
    """Column titles; a probability next to its prediction needs none."""
    before = ["", *names]
    return [
        "" if name == last + _PROBABILITY else name
        for last, name in zip(before, names, strict=False)
    ]


def _cell(name: str, value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    from mmzoo.metrics import number_text

    if name.endswith(_PROBABILITY):
        return f"{100 * value:.1f} %"
    # Large numbers, such as times, may differ in their last digits only.
    return f"{value:,.0f}" if 1e6 <= abs(value) < 1e15 else number_text(value, 6)
