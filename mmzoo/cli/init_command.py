"""`mmzoo init`."""

from __future__ import annotations

from pathlib import Path

import click

from mmzoo.cli.command_options import PATH, check_output
from mmzoo.cli.terminal_text import columns, escape_control, quote


@click.command(short_help="Write a starter config for your own table or folder.")
@click.argument("data", type=PATH, metavar="TABLE|FOLDER")
@click.option(
    "--target",
    metavar="COLUMN[,COLUMN]",
    help="The columns to predict; of a folder, the classes are its folders.",
)
@click.option(
    "--output", type=PATH, metavar="FILE.yaml", help="The file to write; by default stdout."
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def init(data: Path, target: str | None, output: Path | None, force: bool) -> None:
    """Infer the types of a table's columns, or look into a folder with one folder of files per
    class, and write a config that trains as it is, to be edited later.

    The inferred type of each column is printed with the reason. Columns that leak the target,
    identifiers, and columns that no input reads are left out.

    \b
    Example:
      mmzoo init products.csv --target category --output products.yaml
      mmzoo init photos --output photos.yaml
    """
    from mmzoo.files import write_text
    from mmzoo.starter.starter_config import starter_config

    check_output(output, (".yaml", ".yml"), force)
    plan, text = starter_config(data, target, output)
    _print_findings(plan.columns, plan.warnings)
    if output is None:
        click.echo(text, nl=False)
        return
    write_text(output, text)
    word = quote(output)
    click.echo(f"\nWrote {word}. Next:")
    steps = [
        (f"  mmzoo check {word} --data", "reads every row and reports on the data"),
        (f"  mmzoo train {word}", "trains and evaluates"),
    ]
    click.echo("\n".join(columns(steps)))


def _print_findings(inferred: tuple[tuple[str, str, str], ...], warnings: tuple[str, ...]) -> None:
    """Prints inferred types and warnings to stderr, as stdout may be the config."""
    from mmzoo.cli.terminal_text import terminal_width

    width = terminal_width()
    for line in columns([("column", "inferred type", "why"), *inferred]):
        click.echo(line[:width], err=True)
    for warning in warnings:
        click.echo(f"Warning: {escape_control(warning)}", err=True)
