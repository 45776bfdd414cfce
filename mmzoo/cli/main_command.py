"""The `mmzoo` command, and the conversion of errors to messages and exit codes."""

from __future__ import annotations

import io
import os
import sys
import textwrap
import traceback
from typing import Any, NoReturn

import click

from mmzoo import __version__
from mmzoo.cli.board_command import board
from mmzoo.cli.check_command import check
from mmzoo.cli.data_command import data
from mmzoo.cli.embed_command import embed
from mmzoo.cli.eval_command import evaluate
from mmzoo.cli.generate_command import generate
from mmzoo.cli.init_command import init
from mmzoo.cli.list_command import list_command
from mmzoo.cli.predict_command import predict
from mmzoo.cli.search_command import search
from mmzoo.cli.show_command import show
from mmzoo.cli.terminal_text import escape_control, styled
from mmzoo.cli.tools_command import doctor, schema
from mmzoo.cli.train_command import train
from mmzoo.errors import Interrupted, MmzooError


class Commands(click.Group):
    """A command group that lists commands in the order of use rather than by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader of stdout is gone, as with `| head`. Python would report it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(0) from None
        return result


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="mmzoo")
@click.option(
    "--debug", is_flag=True, help="Show the traceback of an error; valid anywhere on the line."
)
def cli(debug: bool) -> None:
    """Train Keras models from one YAML file, then evaluate and predict from the run directory.

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
    embed,
    search,
    generate,
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
    """Runs the command and exits: 0 done, 1 error, 2 wrong usage, 128 + n on signal n."""
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name with characters that the terminal cannot encode must not fail a command.
            stream.reconfigure(errors="backslashreplace")
    given, debug = _without_debug(sys.argv[1:] if arguments is None else arguments)
    try:
        code = cli.main(given, prog_name="mmzoo", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        shown = io.StringIO()
        if isinstance(error, click.UsageError):
            # Only now, as it imports the config's tree.
            from mmzoo.cli.usage_hints import with_hint

            error = with_hint(error, given)
        error.show(shown)
        click.echo(escape_control(shown.getvalue()), err=True, nl=False)
        sys.exit(error.exit_code)
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        _fail(error)


def open_closed_streams() -> None:
    """Opens stdin, stdout and stderr on the null device where they are closed, as by `2>&-`.

    Python has None in their place, and the next file that is opened would get their number, and
    with it the log of TensorFlow.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        opened = os.open(os.devnull, os.O_RDWR)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
        mode = "w" if number else "r"
        setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _without_debug(arguments: list[str]) -> tuple[list[str], bool]:
    """The arguments without `--debug`, which every command takes, and whether it was given."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = [argument for argument in arguments[:end] if argument != "--debug"]
    return [*options, *arguments[end:]], len(options) < end


def _fail(error: BaseException) -> NoReturn:
    """Prints an error as one message and exits with its exit code."""
    match error:
        case Interrupted():
            click.echo(escape_control(str(error)), err=True)
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
            message = f"{what.rstrip('. ')}. This is a bug in mmzoo; --debug shows the traceback."
    click.echo(f"{styled('Error:', fg='red', bold=True)} {escape_control(message)}", err=True)
    sys.exit(1)
