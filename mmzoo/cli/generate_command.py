"""`mmzoo generate`: images and texts that a model generates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import click

from mmzoo.cli.command_options import (
    PATH,
    Choice,
    checkpoint_option,
    device_option,
    json_option,
    on_bad_row_option,
    run_argument,
)


@click.command(short_help="Generate images and texts, or rebuild them from some inputs.")
@run_argument
@click.option(
    "--from",
    "data",
    multiple=True,
    type=PATH,
    metavar="TABLE|FILE",
    help="Rebuild the rows of a table, or files of one input; can be repeated for files.",
)
@click.option(
    "--split",
    type=Choice(["train", "validation", "test"]),
    metavar="SPLIT",
    help="Rebuild the run's own train, validation or test split.",
)
@click.option(
    "--inputs",
    metavar="NAMES",
    help="Rebuild all inputs from these alone, as in --inputs audio,text.",
)
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    metavar="N",
    help="Draw N examples from the prior (default 64), or N for each given example.",
)
@click.option(
    "--interpolate",
    type=click.IntRange(min=1),
    metavar="STEPS",
    help="Walk from the first given example to the second in STEPS steps.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**32 - 1),
    metavar="N",
    help="Seed of the random codes; by default train.seed.",
)
@click.option(
    "--output",
    type=PATH,
    metavar="DIR",
    help="Folder to create, instead of RUN/generated/<number>.",
)
@on_bad_row_option
@checkpoint_option
@device_option
@json_option
def generate(
    run: Path,
    data: tuple[Path, ...],
    split: str | None,
    inputs: str | None,
    samples: int | None,
    interpolate: int | None,
    seed: int | None,
    output: Path | None,
    on_bad_row: Literal["error", "skip"],
    checkpoint: str,
    device: Literal["auto", "cpu", "gpu"],
    as_json: bool,
) -> None:
    """Generate images and texts with the model of RUN: a GAN, or one with `reconstruction` heads.

    Without examples, codes are drawn from the prior of a variational code. With --from or --split,
    all inputs are rebuilt from the examples; with --inputs, from these inputs alone, so that an
    image can be generated from a sound. A GAN generates images of all classes in turn; if it has
    other inputs, such as a text, one for each example.

    The folder gets a PNG file for each image, a grid of the first ones, and table.csv with the
    files and texts, beside the other columns of the given table. A classifier can read that table:
    mmzoo eval CLASSIFIER --data DIR/table.csv.

    \b
    Example:
      mmzoo generate runs/mnist_vae --samples 36
      mmzoo generate runs/mnist_vae --split test --interpolate 10
      mmzoo generate runs/av_digits_mvae --split test --inputs audio
    """
    if data and split is not None:
        raise click.UsageError("--from and --split cannot be combined: each names the examples.")
    if not data and split is None and (inputs or interpolate):
        option = "--inputs" if inputs else "--interpolate"
        raise click.UsageError(f"{option} needs examples: give --from or --split too.")
    if interpolate and samples:
        raise click.UsageError("--interpolate and --samples cannot be combined.")
    from mmzoo.generation import generate as generation

    done = generation.generate(
        run,
        data,
        split=split,
        inputs=[name.strip() for name in (inputs or "").split(",") if name.strip()],
        samples=samples,
        interpolate=interpolate,
        seed=seed,
        output=output,
        on_bad_row=on_bad_row,
        checkpoint=checkpoint,
        device=device,
    )
    if as_json:
        click.echo(json.dumps({"folder": str(done.folder), "examples": done.examples}))
        return
    from mmzoo.cli.terminal_text import quote

    count = "1 example" if done.examples == 1 else f"{done.examples:,} examples"
    click.echo(f"Generated {count}: {quote(done.table)}")
