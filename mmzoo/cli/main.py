"""The `mmzoo` command, and the one place that turns errors into messages and exit codes."""

from __future__ import annotations

import os
import sys

import click

from mmzoo import __version__
from mmzoo.cli.board import board
from mmzoo.cli.check import check
from mmzoo.cli.data import data
from mmzoo.cli.doctor import doctor
from mmzoo.cli.evaluate import evaluate
from mmzoo.cli.listing import list_command
from mmzoo.cli.predict import predict
from mmzoo.cli.schema import schema
from mmzoo.cli.show import show
from mmzoo.cli.train import train
from mmzoo.errors import MmzooError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mmzoo")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Train Keras models from one YAML file; evaluate them and predict from the run alone.

    \b
    Example:
      mmzoo train configs/mnist_cnn.yaml
      mmzoo eval runs/mnist_cnn
      mmzoo predict runs/mnist_cnn digit.png
    """


for command in (
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
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given
    # The option holds for every command, so it may stand anywhere.
    given = [argument for argument in given if argument != "--debug"]
    try:
        code = cli.main(given, prog_name="mmzoo", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except MmzooError as error:
        if debug:
            raise
        _fail(str(error), error.exit_code)
    except click.exceptions.Abort:
        _fail("Interrupted.", 130)
    except KeyboardInterrupt:
        _fail("Interrupted.", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has left, as `head` does. Python would complain at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        if debug:
            raise
        _fail(f"{error.filename or 'The system'}: {error.strerror or error}", 1)


def _fail(message: str, code: int) -> None:
    click.echo(f"{click.style('Error:', fg='red', bold=True)} {message}", err=True)
    sys.exit(code)
