"""The `mmzoo` command, and the one place that turns errors into messages and exit codes."""

from __future__ import annotations

import io
import os
import sys
import textwrap
import traceback
from typing import Any, NoReturn

import click

from mmzoo import __version__
from mmzoo.cli.board import board
from mmzoo.cli.check import check
from mmzoo.cli.data import data
from mmzoo.cli.doctor import doctor
from mmzoo.cli.evaluate import evaluate
from mmzoo.cli.init import init
from mmzoo.cli.listing import list_command
from mmzoo.cli.predict import predict
from mmzoo.cli.schema import schema
from mmzoo.cli.show import show
from mmzoo.cli.text import harmless, styled
from mmzoo.cli.train import train
from mmzoo.errors import Interrupted, MmzooError


class Commands(click.Group):
    """Commands in the order in which one comes to need them; Click would sort them by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read our output has left, as `head` does. Python would complain at its exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(0) from None
        return result


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="mmzoo")
@click.option("--debug", is_flag=True, help="Show the traceback of an error; may stand anywhere.")
def cli(debug: bool) -> None:
    """Train Keras models from one YAML file; evaluate them and predict from the run alone.

    \b
    Example:
      mmzoo train configs/mnist_cnn.yaml
      mmzoo eval runs/mnist_cnn
      mmzoo predict runs/mnist_cnn digit.png
    """


for command in (
    init,
    train,
    evaluate,
    predict,
    check,
    show,
    list_command,
    data,
    board,
    schema,
    doctor,
):
    cli.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Runs the command and exits: 0 done, 1 our error, 2 usage, 128 + n for signal n."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a letter of some name is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    given, debug = _without_debug(sys.argv[1:] if arguments is None else arguments)
    try:
        code = cli.main(given, prog_name="mmzoo", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        click.echo(harmless(shown.getvalue()), err=True, nl=False)
        sys.exit(error.exit_code)
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        _fail(error)


def _without_debug(arguments: list[str]) -> tuple[list[str], bool]:
    """The arguments without `--debug`, which holds for every command, and whether it was there."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = [argument for argument in arguments[:end] if argument != "--debug"]
    return [*options, *arguments[end:]], len(options) < end


def _fail(error: BaseException) -> NoReturn:
    """Says in a few words what went wrong, and exits with the code that stands for it."""
    match error:
        case Interrupted():
            click.echo(harmless(str(error)), err=True)
            sys.exit(error.exit_code)
        case KeyboardInterrupt() | click.Abort():
            click.echo("Interrupted.", err=True)
            sys.exit(130)
        case OSError(filename=name, strerror=reason) if reason:
            message = f"{os.fsdecode(name)}: {reason}" if isinstance(name, str | bytes) else reason
        case MmzooError() | OSError():
            message = str(error)
        case _:
            what = textwrap.shorten(f"{type(error).__name__}: {error}", 200, placeholder=" ...")
            message = (
                f"{what.rstrip('. ')}. This is a defect of mmzoo; --debug shows the traceback."
            )
    click.echo(f"{styled('Error:', fg='red', bold=True)} {harmless(message)}", err=True)
    sys.exit(1)
