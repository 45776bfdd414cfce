"""`mmzoo board`."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import click

from mmzoo.cli.command_options import PATH


@click.command(short_help="Show the curves of runs in TensorBoard.")
@click.argument("directory", type=PATH, default=Path("runs"))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=6006,
    show_default=True,
    metavar="PORT",
    help="Port to listen on; 0 for any free port.",
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
    # Not by an exception: TensorBoard's threads are in native code, in which Python's own shutdown
    # sometimes aborts.
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(0))
    click.echo(f"TensorBoard of {directory}: {address} (Ctrl-C ends it)")
    while True:
        time.sleep(0.2)  # A signal that another thread receives does not end a longer sleep.
