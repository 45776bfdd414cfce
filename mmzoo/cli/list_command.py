"""`mmzoo list`: the names of components, data sets, configs and runs."""

from __future__ import annotations

import json
from typing import Any

import click
from click.shell_completion import CompletionItem

from mmzoo.cli.command_options import Choice, json_option

_NONE_FOUND = {
    "configs": "There are no configs in the folder configs/.",
    "runs": "There are no runs in the folder runs/; `mmzoo train CONFIG` creates one.",
}


class _Kind(click.ParamType):
    """A kind of the catalogue, or a pattern with wildcards. Imports the catalogue when it is used,
    as `mmzoo --help` should not."""

    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if _is_pattern(value):
            return value
        try:
            return _choice().convert(value, param, ctx)
        except click.BadParameter as error:
            if "Did you mean" in error.message:
                raise
            message = f"{error.message} To search by name, use wildcards: '*{value}*'."
            raise click.BadParameter(message, ctx=ctx, param=param) from None

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return _choice().shell_complete(ctx, param, incomplete)


def _choice() -> Choice:
    from mmzoo.catalogue import KINDS

    return Choice(KINDS)


class _ListCommand(click.Command):
    """A command whose help has the kinds of the catalogue."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        *first, last = _choice().choices
        assert self.help is not None
        self.help = self.help.replace("KINDS", f"{', '.join(first)} and {last}")
        super().format_help_text(ctx, formatter)


@click.command(
    "list",
    cls=_ListCommand,
    short_help="List encoders, heads, data sets, configs, runs and more.",
)
@click.argument("kind", required=False, type=_Kind(), metavar="[KIND]")
@click.argument("pattern", default="*")
@json_option
def list_command(kind: str | None, pattern: str, as_json: bool) -> None:
    """List names of one KIND, or of all kinds; PATTERN may have wildcards.

    A pattern with wildcards may stand alone and is then matched in all kinds.

    KIND is one of KINDS. Configs and runs are read from the folders configs/ and runs/.

    \b
    Example:
      mmzoo list encoders
      mmzoo list configs 'mnist_*'
      mmzoo list 'l*'
      mmzoo list runs
    """
    from mmzoo.catalogue import KINDS, list_names
    from mmzoo.cli.terminal_text import definitions, styled

    if kind and _is_pattern(kind):
        pattern, kind = kind, None
    found = {one: list_names(one, pattern) for one in ([kind] if kind else KINDS)}
    if as_json:
        click.echo(json.dumps(found))
        return
    for one, rows in found.items():
        if rows and not kind:
            click.echo(styled(f"{one}:", bold=True))
        for line in definitions(rows, indent="" if kind else "  "):
            click.echo(line)
    if not any(found.values()):
        click.echo(_nothing(kind, pattern), err=True)


def _is_pattern(text: str) -> bool:
    return any(wildcard in text for wildcard in "*?")


def _nothing(kind: str | None, pattern: str) -> str:
    if pattern != "*":
        return f"Nothing matches {pattern!r}."
    return _NONE_FOUND.get(kind or "", "Nothing found.")
