"""`mmzoo embed`: the vectors of examples, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from mmzoo.cli.command_options import (
    PATH,
    Choice,
    checkpoint_option,
    data_option,
    device_option,
    on_bad_row_option,
    run_argument,
)


@click.command(short_help="Write the vectors of files, texts or the rows of a table.")
@run_argument
@click.argument("files", nargs=-1, type=PATH)
@data_option
@click.option(
    "--split",
    type=Choice(["train", "validation", "test"]),
    help="Embed a split of the run's own data, with its labels.",
)
@click.option(
    "--text", "texts", multiple=True, metavar="TEXT", help="Embed this text; can be repeated."
)
@click.option(
    "--output",
    type=PATH,
    required=True,
    metavar="FILE",
    help="The .npz or .parquet file to write.",
)
@click.option("--input", "input_name", metavar="NAME", help="The input to embed.")
@click.option("--head", metavar="NAME", help="The contrastive head, if there are several.")
@on_bad_row_option
@checkpoint_option
@device_option
def embed(
    run: Path,
    files: tuple[Path, ...],
    data: Path | None,
    split: str | None,
    texts: tuple[str, ...],
    output: Path,
    input_name: str | None,
    head: str | None,
    on_bad_row: Literal["error", "skip"],
    checkpoint: str,
    device: Literal["auto", "cpu", "gpu"],
) -> None:
    """Write the vectors of FILES or texts, of each row of a table, or of a split, by model RUN.

    A run with a contrastive head gives the vector of each input in the common space; with FILES of
    one input, that input's. Any other run gives its fused features or, with --input, the vector of
    that encoder. The file has the vectors as `<input>_vector`, float32 [rows, dim], and the columns
    that identify the rows: the file, the columns of the table, or the labels of the split. It is an
    index for `mmzoo search`.

    \b
    Example:
      mmzoo embed runs/products_search --data products.csv --output products.npz
      mmzoo embed runs/products_search images --input photo --output photos.npz
      mmzoo embed runs/mnist_cnn --split test --output digits.npz
    """
    if (bool(files), bool(texts), data is not None, split is not None).count(True) != 1:
        raise click.UsageError("Expected one of FILES, --text, --data and --split to embed.")
    from mmzoo.retrieval.vector_index import check_ending

    check_ending(output)
    if data is not None and output.exists() and output.samefile(data):
        raise click.UsageError("--output would overwrite the table of --data.")
    from mmzoo.retrieval.embedding import embed as compute

    index = compute(
        run,
        files,
        texts=texts,
        data=data,
        split=split,
        input=input_name,
        head=head,
        on_bad_row=on_bad_row,
        checkpoint=checkpoint,
        device=device,
    )
    index.write(output)
    rows = "1 row" if index.rows == 1 else f"{index.rows:,} rows"
    widths = ", ".join(f"{name} ({of.shape[1]} wide)" for name, of in index.vectors.items())
    click.echo(f"Wrote {rows} to {output}: {widths}", err=True)
