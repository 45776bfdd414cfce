"""`mmzoo board`."""

from __future__ import annotations

import signal
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
    from mmzoo.board import exit_on_interrupt, start_board

    # Importing TensorFlow takes seconds, in which Python would not react to Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        address = start_board(directory, port)
    finally:
        signal.signal(signal.SIGINT, before)
    click.echo(f"TensorBoard of {directory}: {address} (Ctrl-C ends it)")
    exit_on_interrupt()
