"""`mmzoo init`."""

from __future__ import annotations

from pathlib import Path

import click

from mmzoo.cli.options import PATH
from mmzoo.cli.text import columns, harmless, shell_word


@click.command(short_help="Write a first config for a table or a folder of your own.")
@click.argument("data", type=PATH, metavar="TABLE|FOLDER")
@click.option(
    "--target",
    metavar="COLUMN[,COLUMN]",
    help="What is to be predicted; of a folder, the classes are its folders.",
)
@click.option(
    "--output", type=PATH, metavar="FILE.yaml", help="The file to write; by default stdout."
)
@click.option("--force", is_flag=True, help="Replace the file, if there is one.")
def init(data: Path, target: str | None, output: Path | None, force: bool) -> None:
    """Look at a table, or at a folder with a folder of files per class, and write a config that
    trains on it as it is: to begin with, and to edit.

    What each column is taken as, and why, is said on the way; columns that give the target away are
    left out.

    \b
    Example:
      mmzoo init products.csv --target category --output products.yaml
      mmzoo init photos --output photos.yaml
    """
    from mmzoo.starter.start import check_output, start, write_config

    if output is not None:
        check_output(output, force)
    plan, text = start(data, target, output)
    _tell(plan.seen, plan.warnings)
    if output is None:
        click.echo(text, nl=False)
        return
    write_config(output, text)
    word = shell_word(output)
    click.echo(f"\n{word} is written. Next:")
    steps = [
        (f"  mmzoo check {word} --data", "looks at every row"),
        (f"  mmzoo train {word}", "trains and evaluates"),
    ]
    click.echo("\n".join(columns(steps)))


def _tell(seen: tuple[tuple[str, str, str], ...], warnings: tuple[str, ...]) -> None:
    """What was found in the data goes to stderr: stdout may be the config."""
    from mmzoo.cli.text import terminal_width

    width = terminal_width()
    for line in columns([("column", "taken as", "why"), *seen]):
        click.echo(line[:width], err=True)
    for warning in warnings:
        click.echo(f"Warning: {harmless(warning)}", err=True)
