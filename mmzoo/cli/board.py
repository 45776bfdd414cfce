"""`mmzoo board`."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

import click

from mmzoo.cli.options import PATH


@click.command(short_help="Show the curves of runs in TensorBoard.")
@click.argument("directory", type=PATH, default=Path("runs"))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=6006,
    show_default=True,
    metavar="PORT",
    help="Where to listen; 0 for any port that is free.",
)
def board(directory: Path, port: int) -> None:
    """Show the curves of the runs below DIRECTORY in TensorBoard, on this machine only.

    \b
    Example:
      mmzoo board
      mmzoo board runs/mnist_cnn --port 6007
    """
    from mmzoo.board import start_board

    address = start_board(directory, port)
    click.echo(f"TensorBoard of {directory}: {address} (Ctrl-C ends it)")
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
    # TensorBoard's threads read on in native code, which Python at its own end now and then aborts.
    sys.stdout.flush()
    os._exit(0)
